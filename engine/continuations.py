"""Continuations: tokens that the engine carries on (`camunda:asyncBefore/After`), not in the transaction of what came before."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import attempts, execution, instances, keys, moments, retries
from engine.actors import Actor
from engine.batches import Batch
from engine.errors import InvalidState
from engine.models import Instance
from engine.reads import marked
from engine.schedule_models import Continuation

_UNTRIED = Continuation.error.is_(None)
_OF_A_PRIORITY = Continuation.priority == bindparam("priority")
#: What is due.
DUE = Batch(Continuation, "wait", "element", pending=Continuation.retries > 0, untried=_UNTRIED, which=_OF_A_PRIORITY)
#: Built once, for each look asks it.
_MOST_URGENT = marked(
    select(Continuation.priority, func.count())
    .join(Instance, keys.its(Continuation.instance_id, Instance))
    .where(Continuation.due_at.between(bindparam("since"), bindparam("now")), Continuation.retries > 0, _UNTRIED, ~Instance.suspended)
    .group_by(Continuation.priority)
    .order_by(Continuation.priority.desc())
    .limit(1)
)


def most_urgent(session: Session, *, since: datetime) -> tuple[int, int] | None:
    """The greatest priority of what is due and was never tried in vain, and how many have it; what was due before `since` is left out."""
    found = session.connection().execute(_MOST_URGENT, {"since": since, "now": moments.now()}).first()
    return None if found is None else (found[0], found[1])


def execute_together(session: Session, limit: int, *, actor: Actor, since: datetime, priority: int) -> int:
    """Carry up to `limit` tokens of a priority on that are due, one of each case, from those on that were due at `since`; returns how many.

    Raises whatever goes wrong with any of them: then none of them has gone on.
    """
    with DUE.taken(session, limit, since=since, priority=priority) as due:
        for row, (wait, element) in due:
            _carry_on(session, row.id, wait, element, actor=actor)
    return len(due)


def execute(session: Session, row: Continuation, *, actor: Actor) -> None:
    """Carry the token on; the caller holds its instance, and must roll back when something goes wrong on the way of the token."""
    _carry_on(session, row.instance_id, row.wait, row.element, actor=actor)


def _carry_on(session: Session, instance_id: UUID, wait: int, element: str, *, actor: Actor) -> None:
    with execution.running(session, instance_id, actor=actor) as run:
        if run.process.kind_of(wait) is not WaitKind.JOB:
            raise InvalidState(f"Expected a token to wait at {element}, but it has gone on")
        run.process.execute(wait)
    attempts.require_moving(instances.failed(run))


def set_retries(session: Session, row: Continuation, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance."""
    retries.leave(session, row, left, row.error or "")
    row.due_at = moments.now()
