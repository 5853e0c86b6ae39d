"""Continuations: tokens that the engine carries on by itself (`camunda:asyncBefore/After`), each in a transaction of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import attempts, execution, instances, keys, moments, retries
from engine.actors import Actor
from engine.errors import InvalidState
from engine.models import Instance
from engine.queues import LONG_AGO
from engine.schedule_models import Continuation


def due(session: Session, limit: int, *, since: datetime = LONG_AGO) -> list[UUID]:
    """Ids of continuations that may be carried on now, the most urgent first; those that were due before `since` are left out."""
    query = select(Continuation.id).join(Instance, keys.its(Continuation.instance_id, Instance))
    query = query.where(Continuation.due_at.between(since, moments.now()), Continuation.retries > 0, ~Instance.suspended)
    return list(session.scalars(query.order_by(Continuation.priority.desc(), Continuation.due_at, Continuation.id).limit(limit)))


def execute(session: Session, row: Continuation, *, actor: Actor) -> None:
    """Carry the token on; the caller holds its instance.  Raises whatever goes wrong on its way, and then nothing of it counts."""
    with execution.running(session, row.instance_id, actor=actor) as run:
        if run.process.standing().get(row.wait) is not WaitKind.JOB:
            raise InvalidState(f"Expected a token to wait at {row.element}, but it has gone on")
        run.process.execute(row.wait)
    attempts.require_moving(instances.fresh(run, (WaitKind.INCIDENT,), ()))


def set_retries(session: Session, row: Continuation, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance."""
    retries.leave(session, row, left, row.error or "")
    row.due_at = moments.now()
