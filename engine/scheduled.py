"""Scheduled work, as Camunda's jobs: the timers of diagrams, and tokens that the engine carries on by itself.

What is due in a case is due by law: only the work of processes without a matter is done early, or put off.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, cast, literal, select, union_all
from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from engine import continuations, execution, instances, journal, processes
from engine.actors import Actor
from engine.continuations import Stuck
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.filters import Filter, Filters, Kind, Listing, Order, among, equal, least, most, ordered, when
from engine.models import Definition, Incident, Instance, Timer
from engine.schedule_models import Continuation

#: Attempts that are left to a timer, which is tried until it goes off.
_ALWAYS = 1
#: Kinds of jobs, as Camunda tells them apart.
_TIMER, _MESSAGE = "timer", "message"
#: What stands since a timer could not be fired.
_TROUBLE = (
    select(Incident.message)
    .where(
        Incident.instance_id == Timer.instance_id,
        Incident.element == Timer.element,
        Incident.wait.is_(None),
        Incident.job_id.is_(None),
        Incident.resolved_at.is_(None),
    )
    .limit(1)
    .scalar_subquery()
)
_JOBS = union_all(
    select(
        Timer.id,
        Timer.instance_id,
        Timer.wait,
        Timer.element,
        Timer.due_at,
        cast(literal(_ALWAYS), Integer).label("retries"),
        cast(literal(0), Integer).label("priority"),
        _TROUBLE.label("error"),
        literal(_TIMER).label("kind"),
    ),
    select(
        Continuation.id,
        Continuation.instance_id,
        Continuation.wait,
        Continuation.element,
        Continuation.due_at,
        Continuation.retries,
        Continuation.priority,
        Continuation.error,
        literal(_MESSAGE),
    ),
).subquery("jobs")
_COLUMNS: Any = _JOBS.c


def _executable() -> ColumnElement[bool]:
    return and_(_COLUMNS.retries > 0, _COLUMNS.due_at <= datetime.now(UTC), ~Instance.suspended)


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
    "executionId": equal(_COLUMNS.instance_id, Kind.ID),
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
    "active": when(lambda: ~Instance.suspended),
    "suspended": when(lambda: Instance.suspended.is_(True)),
}


def search(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Scheduled work of instances that an actor may see."""
    query = select(_JOBS, Instance, Definition).join(Instance, Instance.id == _COLUMNS.instance_id)
    query = query.join(Definition, Definition.id == Instance.definition_id).where(processes.visible(actor), *conditions)
    return Listing(query=ordered(query, SORTABLE, order, last=_COLUMNS.id))


def get(session: Session, job_id: UUID, *, actor: Actor) -> Any:
    """One piece of scheduled work, as it is listed; raises NotFound."""
    rows = search(actor, _COLUMNS.id == job_id).rows(session)
    if not rows:
        raise NotFound(f"Job with id {job_id} does not exist")
    return rows[0]


def due_before(moment: datetime) -> ColumnElement[bool]:
    """Keep what is due earlier."""
    found: ColumnElement[bool] = _COLUMNS.due_at < moment
    return found


def due_after(moment: datetime) -> ColumnElement[bool]:
    """Keep what is due later."""
    found: ColumnElement[bool] = _COLUMNS.due_at > moment
    return found


def execute(session: Session, job_id: UUID, *, actor: Actor) -> None:
    """Do it now, whenever it is due.  Raises NotFound, NotPermitted, and InvalidState with what goes wrong; then it stays as it was."""
    found = _taken(session, job_id, actor, to="execute a job of")
    try:
        if found.kind == _TIMER:
            with execution.running(session, found.instance_id, actor=actor) as run:
                run.process.fire(found.wait)
        else:
            continuations.execute(session, session.get_one(Continuation, job_id), actor=actor)
    except (InstanceError, Stuck) as error:
        raise InvalidState(f"Expected to execute job {job_id}, but {error}") from error


def set_retries(session: Session, job_id: UUID, retries: int, *, actor: Actor) -> None:
    """Allow so many attempts.  A timer that was put off is tried again at once: it is tried until it goes off."""
    found = _taken(session, job_id, actor, to="set the retries of a job of")
    if found.kind != _TIMER:
        continuations.set_retries(session, session.get_one(Continuation, job_id), retries)
    elif retries < 1:
        raise InvalidInput(f"Expected retries of 1 or more, because a timer is tried until it goes off, but got {retries}")
    elif found.error is not None:
        session.get_one(Timer, job_id).due_at = datetime.now(UTC)


def set_due(session: Session, job_id: UUID, due_at: datetime | None, *, actor: Actor) -> None:
    """Let it be due at another moment (None: now).  Raises InvalidState for a timer whose expression says when it is due."""
    found, moment = _taken(session, job_id, actor, to="reschedule a job of"), due_at or datetime.now(UTC)
    if found.kind != _TIMER:
        session.get_one(Continuation, job_id).due_at = moment
        return
    with execution.running(session, found.instance_id, actor=actor, even_suspended=True) as run:
        try:
            run.process.reschedule(found.wait, moment)
        except InstanceError as error:
            raise InvalidState(str(error)) from error
        journal.record(session, run.row, actor=actor, what="timer rescheduled", element=found.element, due_at=moment.isoformat())


def _taken(session: Session, job_id: UUID, actor: Actor, *, to: str) -> Any:
    """Take a piece of work of a process without a matter, with its instance; `to` completes “Expected to … a process”."""
    instance_id = get(session, job_id, actor=actor).instance_id
    processes.require_plain(session, instance_id, actor, to=to)
    instances.lock(session, instance_id)
    return get(session, job_id, actor=actor)  # it may be done by now
