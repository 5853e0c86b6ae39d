"""Queues (队列): what is due and not done yet, how late it is, and what stands still; asked of the tables, so every node says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from engine import clients, keys, postgresql
from engine.columns import Moment
from engine.models import Incident, Instance, Job, Outbox, Timer
from engine.reads import marked
from engine.schedule_models import Continuation, StartTimer
from engine.states import JobStatus

#: Before anything was planned.
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
#: What is due, by name: the table, when a row of it is due, and which rows count.
_QUEUES: dict[str, tuple[Any, tuple[ColumnElement[bool], ...]]] = {
    "jobs": (Job.due_at, (Job.status == JobStatus.PENDING,)),
    "timers": (Timer.due_at, (Timer.retries > 0,)),
    "continuations": (Continuation.due_at, (Continuation.retries > 0,)),
    "start_timers": (StartTimer.due_at, (StartTimer.retries > 0,)),
    "outbox": (Outbox.created_at, (Outbox.sent_at.is_(None),)),
}
#: What a scheduler does by itself; nobody waits for a history to be forgotten.
OURS = {name: queue for name, queue in _QUEUES.items() if name != "outbox"} | {"histories": (Instance.purge_at, ())}
#: What is of no instance that may be suspended.
_ALWAYS = {"start_timers", "histories"}


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Rows that are due."""

    name: str
    depth: int
    #: How long the oldest has been due.
    lateness: timedelta


def look(session: Session, *, now: datetime) -> Iterator[Queue]:
    """Yield every queue."""
    for name, (due_at, which) in _QUEUES.items():
        depth, oldest = session.execute(select(func.count(), func.min(due_at)).where(due_at <= now, *which)).one()
        yield Queue(name=name, depth=depth, lateness=now - oldest if oldest else timedelta(0))


def heads(session: Session, *, now: datetime, since: Mapping[str, datetime]) -> dict[str, datetime | None]:
    """When the first row of each queue of ours was due that is due and not suspended; `since`: only from there on."""
    found = session.connection().execute(_HEADS, {"now": now, **{name: since.get(name, LONG_AGO) for name in OURS}}).one()
    return dict(zip(OURS, found, strict=True))


def head(session: Session, name: str, *, now: datetime, since: datetime = LONG_AGO) -> datetime | None:
    """The same of one queue, whatever stands in the way of the others."""
    moment: datetime | None = session.connection().execute(_HEAD[name], {"now": now, name: since}).scalar_one()
    return moment


def next_due(session: Session, *, now: datetime, until: datetime) -> datetime | None:
    """When the next of what the engine does by itself is due, after what is due already; None: nothing `until` then.

    What was to be due later and is done already, deadlines that were kept, is not looked through.
    """
    found = session.connection().execute(_NEXT, {"now": now, "until": until}).one()
    return min((moment for moment in found if moment is not None), default=None)


def _first(name: str, *when: ColumnElement[bool]) -> ScalarSelect[datetime]:
    due_at, which = OURS[name]
    query = select(due_at).where(*when, *which)
    if name not in _ALWAYS:
        query = query.join(Instance, keys.its(due_at.class_.instance_id, Instance)).where(~Instance.suspended)
    return query.order_by(due_at).limit(1).scalar_subquery()


#: Built once: a node asks them whenever it looks, which is often while few are due at a time.
_NOW = bindparam("now", type_=Moment())
_HEAD = {
    name: marked(select(_first(name, due_at <= _NOW, due_at >= bindparam(name, type_=Moment())))) for name, (due_at, _) in OURS.items()
}
_HEADS = marked(select(*(_first(name, due_at <= _NOW, due_at >= bindparam(name, type_=Moment())) for name, (due_at, _) in OURS.items())))
_NEXT = marked(select(*(_first(name, due_at > _NOW, due_at <= bindparam("until", type_=Moment())) for name, (due_at, _) in OURS.items())))


def standing_incidents(session: Session) -> int:
    """How many incidents wait for somebody."""
    return session.scalar(select(func.count()).select_from(Incident).where(Incident.resolved_at.is_(None))) or 0


def waiting_for_locks(session: Session) -> int:
    """How many sessions wait for what another one holds; SQLite does not tell (`meters.TURN` does)."""
    if not postgresql.is_behind(session):
        return 0
    return clients.waiting(session.connection())
