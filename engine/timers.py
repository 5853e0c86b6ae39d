"""Timers of diagrams: they go off when they are due, many in one transaction as long as nothing goes wrong, else each in its own."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import attempts, execution, holdings, instances, keys, moments, retries
from engine.actors import Actor
from engine.case_models import Case
from engine.holdings import COLUMNS, INSTANCES, Held
from engine.models import Instance, Timer
from engine.queues import LONG_AGO
from engine.reads import Read

_TIMERS = cast("Table", Timer.__table__)
#: What is due, and was never tried in vain: with its instance, locked, oldest first.  What somebody holds is left to him.
_DUE = Read(
    (_TIMERS.c.wait, *COLUMNS),
    select(_TIMERS)
    .join(INSTANCES, keys.its(_TIMERS.c.instance_id, INSTANCES))
    .join(Case, keys.together(_TIMERS, Case))
    .where(
        _TIMERS.c.due_at.between(bindparam("since"), bindparam("now")),
        _TIMERS.c.retries > 0,
        _TIMERS.c.error.is_(None),
        ~INSTANCES.c.suspended,
    )
    .order_by(_TIMERS.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(of=(_TIMERS, INSTANCES), key_share=True, skip_locked=True),
)


def due(session: Session, limit: int, *, since: datetime = LONG_AGO) -> list[UUID]:
    """Ids of timers that are due, oldest first; those that were due before `since` are left out."""
    query = select(Timer.id).join(Instance, keys.its(Timer.instance_id, Instance)).where(~Instance.suspended)
    query = query.where(Timer.due_at.between(since, moments.now()), Timer.retries > 0)
    return list(session.scalars(query.order_by(Timer.due_at).limit(limit)))


def tried(session: Session, limit: int) -> list[UUID]:
    """Ids of timers that are due once more, after they were tried in vain."""
    query = select(Timer.id).join(Instance, keys.its(Timer.instance_id, Instance)).where(~Instance.suspended)
    query = query.where(Timer.due_at <= moments.now(), Timer.retries > 0, Timer.error.is_not(None))
    return list(session.scalars(query.order_by(Timer.due_at).limit(limit)))


def fire_together(session: Session, limit: int, *, actor: Actor, since: datetime = LONG_AGO) -> int:
    """Let timers that are due go off, one of each case, the first that was due `since`; how many.

    Raises whatever goes wrong with any of them, and then nothing of them all counts.
    """
    held = holdings.of(session)
    found = _DUE.all(session.connection(), {"since": since, "now": moments.now(), "most": limit})
    first: dict[UUID, tuple[int, Held]] = {}
    for wait, *columns in found:
        row = held.take(columns)
        first.setdefault(row.case_id, (wait, row))
    with holdings.together(session, [row.id for _, row in first.values()]):
        for wait, row in first.values():
            _go_off(session, row.id, wait, actor=actor)
    return len(first)


def fire(session: Session, timer: Timer, *, actor: Actor, early: bool = False) -> None:
    """Let a timer go off, when it is time, or `early`; the caller holds its instance.

    Raises whatever goes wrong on the way of its token, and then nothing of it counts.
    """
    _go_off(session, timer.instance_id, timer.wait, actor=actor, early=early, tried=timer if timer.error is not None else None)


def _go_off(session: Session, instance_id: UUID, wait_id: int, *, actor: Actor, early: bool = False, tried: Timer | None = None) -> None:
    """Let it go off, if it is still there and it is time; one that was `tried` in vain begins anew with the next time of its cycle."""
    with execution.running(session, instance_id, actor=actor) as run:
        wait = next((w for w in run.process.waits(WaitKind.TIMER) if w.id == wait_id), None)
        if wait is not None and (early or (wait.due_at is not None and wait.due_at <= moments.now())):
            if tried is not None:
                tried.error = None
                retries.leave(session, tried, retries.STANDARD.times, "")
                session.flush()
            run.process.fire(wait_id)
    attempts.require_moving(instances.fresh(run, (WaitKind.INCIDENT,), ()))


def set_retries(session: Session, timer: Timer, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance.  One that is not due yet stays where it is."""
    retries.leave(session, timer, left, timer.error or "")
    if timer.error is not None and left:
        timer.due_at = moments.now()
