"""Continuations: tokens that the engine carries on by itself (`camunda:asyncBefore/After`), each in a transaction of its own.

A continuation belongs to whoever holds its instance.  When its token cannot go on, everything that it did is undone and it is tried again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import execution, instances, retries
from engine.actors import Actor
from engine.errors import InvalidState
from engine.models import Instance
from engine.schedule_models import Continuation

#: How much is kept of what went wrong.
LONGEST_ERROR = 4000


class Stuck(Exception):  # noqa: N818 - it says what the token is
    """The token came to something that cannot be evaluated."""


def due(session: Session, limit: int) -> list[UUID]:
    """Ids of continuations that may be carried on now, the most urgent first."""
    query = select(Continuation.id).join(Instance, Instance.id == Continuation.instance_id)
    query = query.where(Continuation.due_at <= datetime.now(UTC), Continuation.retries > 0, ~Instance.suspended)
    return list(session.scalars(query.order_by(Continuation.priority.desc(), Continuation.due_at, Continuation.id).limit(limit)))


def claim(session: Session, continuation_id: UUID) -> Continuation | None:
    """Take a continuation with its instance; None when it is over by now, or was put off."""
    row = session.get(Continuation, continuation_id)
    if row is None:
        return None
    # Whoever locks the instance owns what it waits for: of two workers the second finds it gone, or put off.
    instances.lock(session, row.instance_id)
    row = session.get(Continuation, continuation_id, populate_existing=True)
    return row if row is not None and row.retries and row.due_at <= datetime.now(UTC) else None


def execute(session: Session, row: Continuation, *, actor: Actor) -> None:
    """Carry the token on; the caller holds its instance.  Raises whatever goes wrong on its way, and then nothing of it counts."""
    with execution.running(session, row.instance_id, actor=actor) as run:
        if run.process.standing().get(row.wait) is not WaitKind.JOB:
            raise InvalidState(f"Expected a token to wait at {row.element}, but it has gone on")
        run.process.execute(row.wait)
    failed = instances.fresh(run, (WaitKind.INCIDENT,), ())
    if failed:
        raise Stuck(f"{failed[0].element}: {failed[0].error}")


def remember_failure(session: Session, continuation_id: UUID, error: Exception) -> None:
    """Count a failed attempt: plan the next one, or let an incident say that none is left."""
    row = claim(session, continuation_id)
    if row is None:  # something has interrupted it meanwhile
        return
    row.error = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    retries.leave(session, row, row.retries - 1, row.error)
    if row.retries:
        row.due_at = retries.read(row.retry_cycle).next(datetime.now(UTC), row.retries)


def set_retries(session: Session, row: Continuation, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance."""
    retries.leave(session, row, left, row.error or "")
    row.due_at = datetime.now(UTC)
