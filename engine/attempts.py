"""Attempts: a timer or continuation that is due is tried in a transaction of its own; a failure undoes it, is counted, and tried later.

Whoever holds the instance may change its timers and continuations, and nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from bpmn.errors import ExpressionError
from bpmn.waits import Wait
from engine import definitions, errors, instances, keys, moments, retries
from engine.errors import NotFound
from engine.models import Instance, Timer
from engine.schedule_models import Continuation

Row = TypeVar("Row", Timer, Continuation)


class Stuck(Exception):  # noqa: N818 - it says what the token is
    """The token has come to something that cannot be evaluated: it would stand there as an incident, so the attempt has failed."""


def lock(session: Session, kind: type[Row], row_id: UUID) -> Row | None:
    """Lock a timer or continuation, by locking its instance; None when it is over by now."""
    row = session.get(kind, row_id)
    if row is None:
        return None
    # Two schedulers may try the same row: the second one waits here for the first, and then finds the row gone, or put off.
    try:
        held = instances.lock(session, row.instance_id)
    except NotFound:  # all of its case has just been deleted
        return None
    return keys.read_anew(session, kind, row_id, held)


def claim(session: Session, kind: type[Row], row_id: UUID) -> Row | None:
    """Lock a timer or continuation that is due; None when it is over by now, was put off, or has failed too often."""
    row = lock(session, kind, row_id)
    return row if row is not None and row.retries and row.due_at is not None and row.due_at <= moments.now() else None


def require_moving(failed: Sequence[Wait]) -> None:
    """Raise Stuck when an attempt has left incidents (`instances.failed`)."""
    if failed:
        raise Stuck(f"{failed[0].element}: {failed[0].error}")


def remember_failure(session: Session, kind: type[Row], row_id: UUID, error: BaseException) -> bool:
    """Count a failed attempt.  False: the timer or continuation is over meanwhile."""
    row = lock(session, kind, row_id)
    if row is not None:
        count_failure(session, row, error)
    return row is not None


def count_failure(session: Session, row: Timer | Continuation, error: BaseException) -> None:
    """Count a failed attempt: plan the next one, or let an incident say that none is left; the caller holds the instance."""
    if not row.retries:  # somebody has tried it by hand, when no attempt was left
        return
    plan = retries.read(row.retry_cycle if isinstance(row, Continuation) else _cycle(session, row))
    # How often a timer is tried is found out when it fails for the first time; until then its row has the usual number.
    left = plan.times if isinstance(row, Timer) and row.error is None else row.retries
    row.error = errors.described(error)
    retries.leave(session, row, left - 1, row.error)
    if row.retries:
        row.due_at = plan.next(moments.now(), row.retries)


def _cycle(session: Session, timer: Timer) -> str | None:
    """What the diagram says of how often and when a timer is tried again."""
    instance = keys.get_one(session, Instance, timer.instance_id, timer)
    cycle = definitions.get(session, instance.definition_id).definition.elements[timer.element].retry_cycle
    try:
        return None if cycle is None else str(cycle.evaluate(instance.variables, {}))
    except ExpressionError:
        return None
