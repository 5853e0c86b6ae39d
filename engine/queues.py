"""Queues (队列): what is due and not done yet, how late it is, and what stands still; asked of the tables, so every node says the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from engine.models import Incident, Job, Outbox, Timer
from engine.schedule_models import Continuation, StartTimer
from engine.states import JobStatus

#: What is due, by name: the table, when a row of it is due, and which rows count.
_QUEUES: dict[str, tuple[Any, tuple[ColumnElement[bool], ...]]] = {
    "jobs": (Job.due_at, (Job.status == JobStatus.PENDING,)),
    "timers": (Timer.due_at, (Timer.retries > 0,)),
    "continuations": (Continuation.due_at, (Continuation.retries > 0,)),
    "start_timers": (StartTimer.due_at, (StartTimer.retries > 0,)),
    "outbox": (Outbox.created_at, (Outbox.sent_at.is_(None),)),
}


#: What a scheduler does by itself.
_OURS = ("jobs", "timers", "continuations", "start_timers")


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


def next_due(session: Session, *, now: datetime) -> datetime | None:
    """When the next of what the engine does by itself is due, after what is due already."""
    ours = (_QUEUES[name] for name in _OURS)
    moments = [select(func.min(due_at)).where(due_at > now, *which).scalar_subquery() for due_at, which in ours]
    return min((moment for moment in session.execute(select(*moments)).one() if moment is not None), default=None)


def standing_incidents(session: Session) -> int:
    """How many incidents wait for somebody."""
    return session.scalar(select(func.count()).select_from(Incident).where(Incident.resolved_at.is_(None))) or 0


def waiting_for_locks(session: Session) -> int:
    """How many sessions wait for what another one holds; SQLite does not tell (`meters.TURN` does)."""
    if session.get_bind().dialect.name != "postgresql":
        return 0
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    return session.scalar(query) or 0
