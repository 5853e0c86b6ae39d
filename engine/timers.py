"""Timers of diagrams: they go off when they are due, each in a transaction of its own."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import attempts, execution, instances, moments, retries
from engine.actors import Actor
from engine.models import Instance, Timer


def due(session: Session, limit: int) -> list[UUID]:
    """Ids of timers that are due, oldest first."""
    query = select(Timer.id).join(Instance, Instance.id == Timer.instance_id).where(~Instance.suspended)
    query = query.where(Timer.due_at <= moments.now(), Timer.retries > 0)
    return list(session.scalars(query.order_by(Timer.due_at).limit(limit)))


def fire(session: Session, timer: Timer, *, actor: Actor, early: bool = False) -> None:
    """Let a timer go off, when it is time, or `early`; the caller holds its instance.

    Raises whatever goes wrong on the way of its token, and then nothing of it counts.
    """
    with execution.running(session, timer.instance_id, actor=actor) as run:
        wait = next((w for w in run.process.waits(WaitKind.TIMER) if w.id == timer.wait), None)
        if wait is not None and (early or (wait.due_at is not None and wait.due_at <= moments.now())):
            if timer.error is not None:  # the next time of a cycle begins anew
                timer.error = None
                retries.leave(session, timer, retries.STANDARD.times, "")
                session.flush()
            run.process.fire(timer.wait)
    attempts.require_moving(instances.fresh(run, (WaitKind.INCIDENT,), ()))


def set_retries(session: Session, timer: Timer, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance.  One that is not due yet stays where it is."""
    retries.leave(session, timer, left, timer.error or "")
    if timer.error is not None and left:
        timer.due_at = moments.now()
