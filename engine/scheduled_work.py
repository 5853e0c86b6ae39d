"""Scheduled work, as Camunda's jobs: timers of diagrams, tokens that the engine carries on, and timers that begin processes.

What is due in a case is due by law: only the work of processes without a matter is done early, or put off.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, cast, false, func, literal, null, or_, select, union_all
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from engine import attempts, continuations, errors, execution, instances, journal, keys, moments, processes, start_timers, timers
from engine.actors import Actor
from engine.errors import Busy, Failed, InvalidState, Unavailable
from engine.filters import Filter, Filters, Kind, Listing, Order, after, among, before, equal, least, located, most, ordered, when
from engine.models import Definition, Instance, Timer
from engine.schedule_models import Continuation, StartTimer

#: Kinds of jobs, as Camunda tells them apart.
_TIMER, _MESSAGE = "timer", "message"
#: Timers of instances, tokens to be carried on, and timers that begin processes.
_JOBS = union_all(
    select(
        Timer.id,
        Timer.case_id,
        Timer.region,
        Timer.instance_id,
        Timer.wait,
        Timer.holder,
        Timer.element,
        Timer.due_at,
        Timer.retries,
        cast(literal(0), Integer).label("priority"),
        Timer.error,
        literal(_TIMER).label("kind"),
        cast(null(), StartTimer.definition_id.type).label("starts"),
    ),
    select(
        Continuation.id,
        Continuation.case_id,
        Continuation.region,
        Continuation.instance_id,
        Continuation.wait,
        Continuation.wait,
        Continuation.element,
        Continuation.due_at,
        Continuation.retries,
        Continuation.priority,
        Continuation.error,
        literal(_MESSAGE),
        null(),
    ),
    select(
        StartTimer.id,
        null(),
        null(),
        null(),
        null(),
        null(),
        StartTimer.element,
        StartTimer.due_at,
        StartTimer.retries,
        literal(0),
        StartTimer.error,
        literal(_TIMER),
        StartTimer.definition_id,
    ),
).subquery("jobs")
_COLUMNS: Any = _JOBS.c


#: What begins something is never suspended.
_SUSPENDED = func.coalesce(Instance.suspended, false())


def _executable() -> ColumnElement[bool]:
    return and_(_COLUMNS.retries > 0, _COLUMNS.due_at <= moments.now(), ~_SUSPENDED)


SORTABLE = {
    "jobId": _COLUMNS.id,
    "jobDueDate": _COLUMNS.due_at,
    "jobRetries": _COLUMNS.retries,
    "jobPriority": _COLUMNS.priority,
    "processInstanceId": _COLUMNS.instance_id,
    "executionId": _COLUMNS.instance_id,
    "processDefinitionId": Definition.id,
    "processDefinitionKey": Definition.key,
}
FILTERS: Filters = {
    "jobId": equal(_COLUMNS.id, Kind.ID),
    "jobIds": among(_COLUMNS.id, Kind.IDS),
    "processInstanceId": equal(_COLUMNS.instance_id, Kind.ID),
    "processInstanceIds": among(_COLUMNS.instance_id, Kind.IDS),
    "executionId": located(_COLUMNS.instance_id, _COLUMNS.holder),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
    "activityId": equal(_COLUMNS.element),
    "failedActivityId": Filter(kind=Kind.TEXT, condition=lambda element: and_(_COLUMNS.element == element, _COLUMNS.error.is_not(None))),
    "timers": when(lambda: _COLUMNS.kind == _TIMER),
    "messages": when(lambda: _COLUMNS.kind == _MESSAGE),
    "withRetriesLeft": when(lambda: _COLUMNS.retries > 0),
    "noRetriesLeft": when(lambda: _COLUMNS.retries == 0),
    "executable": when(_executable),
    "withException": when(lambda: _COLUMNS.error.is_not(None)),
    "exceptionMessage": equal(_COLUMNS.error),
    "priorityHigherThanOrEquals": least(_COLUMNS.priority),
    "priorityLowerThanOrEquals": most(_COLUMNS.priority),
    "active": when(lambda: ~_SUSPENDED),
    "suspended": when(lambda: _SUSPENDED),
}
#: `dueDates` compares by these.
DUE: Filters = {"gt": after(_COLUMNS.due_at), "lt": before(_COLUMNS.due_at)}


def search(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Scheduled work of instances that an actor may see, and what begins processes by itself."""
    query = select(_JOBS, Instance, Definition).outerjoin(
        Instance, and_(Instance.id == _COLUMNS.instance_id, keys.same_case(_JOBS, Instance))
    )
    query = query.join(Definition, Definition.id == func.coalesce(Instance.definition_id, _COLUMNS.starts))
    begun = _COLUMNS.instance_id.is_not(None)
    mine = or_(~begun, processes.visible(actor)) if actor.has(*processes.STARTERS) else and_(begun, processes.visible(actor))
    query = query.where(mine, *conditions)
    return Listing(query=ordered(query, SORTABLE, order, last=_COLUMNS.id))


def get(session: Session, job_id: UUID, *, actor: Actor) -> Any:
    """One piece of scheduled work, as it is listed; raises NotFound."""
    return search(actor, _COLUMNS.id == job_id).one(session, f"Job with id {job_id} does not exist")


def execute(session: Session, job_id: UUID, *, actor: Actor) -> None:
    """Do it now, whenever it is due.

    Raises NotFound, NotPermitted, Suspended, and Failed with what goes wrong, which is to be remembered as an attempt.
    """
    found = _taken(session, job_id, actor, to="execute a job of")
    if found.instance_id:
        instances.require_active(keys.get_one(session, Instance, found.instance_id, found))
    row = _row(session, found)
    try:
        if isinstance(row, Timer):
            timers.fire(session, row, actor=actor, early=True)
        elif isinstance(row, Continuation):
            continuations.execute(session, row, actor=actor)
        else:
            start_timers.start(session, row, actor=actor)
    except (Busy, Unavailable, SQLAlchemyError, MemoryError):  # that is no failure of what was to be done
        raise
    except Exception as error:
        raise Failed(errors.described(error)) from error


def remember_failure(session: Session, job_id: UUID, error: BaseException, *, actor: Actor) -> None:
    """Count a failed attempt."""
    row = _row(session, _held(session, job_id, get(session, job_id, actor=actor).instance_id, actor))
    if isinstance(row, StartTimer):
        start_timers.remember_failure(session, job_id, error)
    else:
        attempts.count_failure(session, row, error)


def set_retries(session: Session, job_id: UUID, left: int, *, actor: Actor) -> None:
    """Allow so many attempts; what has failed is tried again at once.  That may be done to a case, too: it mends, and moves nothing."""
    instance_id = get(session, job_id, actor=actor).instance_id
    processes.require_mender(session, instance_id, actor, to="set the retries of a job of")
    row = _row(session, _held(session, job_id, instance_id, actor))
    if isinstance(row, Timer):
        timers.set_retries(session, row, left)
    elif isinstance(row, Continuation):
        continuations.set_retries(session, row, left)
    else:
        start_timers.set_retries(session, row, left)


def set_due(session: Session, job_id: UUID, due_at: datetime | None, *, actor: Actor) -> None:
    """Let it be due at another moment (None: now).  Raises InvalidState for a timer whose expression says when it is due."""
    found, moment = _taken(session, job_id, actor, to="reschedule a job of"), due_at or moments.now()
    row = _row(session, found)
    if not isinstance(row, Timer):
        row.due_at = moment
        return
    with execution.running(session, row.instance_id, actor=actor, even_suspended=True) as run:
        try:
            run.process.reschedule(found.wait, moment)
        except InstanceError as error:
            raise InvalidState(str(error)) from error
        journal.record(session, run.row, actor=actor, what="timer rescheduled", element=found.element, due_at=moment.isoformat())


def _row(session: Session, found: Any) -> Timer | Continuation | StartTimer:
    """What is listed as a job."""
    if found.instance_id is None:
        return session.get_one(StartTimer, found.id)
    if found.kind == _TIMER:
        return keys.get_one(session, Timer, found.id, found)
    return keys.get_one(session, Continuation, found.id, found)


def _taken(session: Session, job_id: UUID, actor: Actor, *, to: str) -> Any:
    """Take a piece of work of a process without a matter, with its instance; `to` completes “Expected to … a process”."""
    instance_id = get(session, job_id, actor=actor).instance_id
    if instance_id is None:
        actor.require(*processes.STARTERS, to=f"{to} a process")
    else:
        processes.require_plain(session, instance_id, actor, to=to)
    return _held(session, job_id, instance_id, actor)


def _held(session: Session, job_id: UUID, instance_id: UUID | None, actor: Actor) -> Any:
    """Lock the instance, or the timer that begins one; raises NotFound when the work is done by now."""
    if instance_id is None:
        session.get(StartTimer, job_id, with_for_update=True, populate_existing=True)
    else:
        instances.lock(session, instance_id)
    return get(session, job_id, actor=actor)
