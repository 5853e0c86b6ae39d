"""Incidents: what failed and waits, and how a person lets it try again."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import continuations, execution, external_tasks, jobs, journal, keys, moments, processes, start_timers, steps, timers
from engine.actors import Actor, Role
from engine.attempts import Row
from engine.case_models import Case
from engine.errors import NotFound
from engine.filters import Filter, Filters, Kind, Listing, Order, Sortable, after, among, before, equal, like, located, ordered
from engine.holdings import Held
from engine.models import Definition, ExternalTask, Incident, Instance, Job, Timer
from engine.schedule_models import Continuation, StartTimer


def search(actor: Actor) -> Select[Incident]:
    """Select the standing incidents of what the actor may see, oldest first; a designer mends diagrams wherever they fail."""
    standing = select(Incident).where(Incident.resolved_at.is_(None)).order_by(Incident.id)
    if actor.has(Role.DESIGNER, Role.ADMIN):
        return standing
    # What has not even begun is seen by nobody else.
    return standing.where(Incident.instance_id.in_(select(Instance.id).where(processes.visible(actor))))


def with_cases(session: Session, actor: Actor, limit: int) -> Sequence[Any]:
    """The same with the numbers of their cases (None: a process that could not begin), so many at most."""
    return session.connection().execute(_with_case(actor), {"limit": limit}).all()


@functools.lru_cache(maxsize=256)
def _with_case(actor: Actor) -> Select[Any]:
    shown: tuple[Any, ...] = (
        Incident.id,
        Incident.element,
        Incident.message,
        Incident.raised_at,
        Incident.resolved_at,
        Case.number.label("case"),
    )
    query = search(actor).with_only_columns(*shown, maintain_column_froms=True)
    return query.outerjoin(Case, and_(keys.same_case(Incident, Case), Incident.instance_id.is_not(None))).limit(
        bindparam("limit", type_=Integer)
    )


#: What was tried.
_TRIED = func.coalesce(ExternalTask.id, Continuation.id, Timer.id, StartTimer.id, Incident.job_id)
#: The timer on which an incident stands, and the activation in which it does: what only watches does so in another one.
TIMED = and_(keys.same_case(Incident, Timer), Timer.instance_id == Incident.instance_id, Timer.wait == Incident.wait)
HOLDER = case((Timer.id.is_not(None), Timer.holder), else_=Incident.wait)
SORTABLE: Sortable = {
    "incidentId": Incident.id,
    "incidentMessage": Incident.message,
    "incidentTimestamp": Incident.raised_at,
    "activityId": Incident.element,
    "processInstanceId": Incident.instance_id,
    "processDefinitionId": Definition.id,
}
_OF_WORKERS = "failedExternalTask"
FILTERS: Filters = {
    "incidentId": equal(Incident.id, Kind.ID),
    "incidentType": Filter(
        kind=Kind.TEXT, condition=lambda name: ExternalTask.id.is_not(None) if name == _OF_WORKERS else ExternalTask.id.is_(None)
    ),
    "incidentMessage": equal(Incident.message),
    "incidentMessageLike": like(Incident.message),
    "processInstanceId": equal(Incident.instance_id, Kind.ID),
    "executionId": located(Incident.instance_id, HOLDER),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKeyIn": among(Definition.key),
    "activityId": equal(Incident.element),
    "failedActivityId": equal(Incident.element),
    "incidentTimestampBefore": before(Incident.raised_at),
    "incidentTimestampAfter": after(Incident.raised_at),
    "configuration": Filter(kind=Kind.ID, condition=lambda id_: id_ == _TRIED),
}


def listing(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """The standing incidents that an actor may see, with where they stand, and what was tried there."""
    columns = Definition, ExternalTask.id.label("external_task_id"), _TRIED.label("tried_id"), HOLDER.label("holder")
    query = search(actor).order_by(None).add_columns(*columns).outerjoin(Instance, keys.its(Incident.instance_id, Instance))
    query = query.join(Definition, Definition.id == func.coalesce(Instance.definition_id, Incident.definition_id))
    for tried in (ExternalTask, Continuation):
        query = query.outerjoin(
            tried, and_(keys.same_case(Incident, tried), tried.instance_id == Incident.instance_id, tried.wait == Incident.wait)
        )
    to_start = and_(StartTimer.definition_id == Incident.definition_id, StartTimer.element == Incident.element)
    query = query.outerjoin(Timer, TIMED).outerjoin(StartTimer, to_start)
    return Listing(query=ordered(query.where(*conditions), SORTABLE, order, last=Incident.id))


def of_instance(session: Session, instance_id: UUID, *, actor: Actor) -> Sequence[Any]:
    """The standing incidents of an instance, as far as the actor may see them, as they are listed."""
    return listing(actor, Incident.instance_id == instance_id).rows(session)


def type_of(row: Any) -> str:
    """Name the type of a listed incident as Camunda does."""
    return _OF_WORKERS if row.external_task_id is not None else "failedJob"


def retry(session: Session, incident_id: UUID, *, actor: Actor) -> Incident:
    """Try again what failed.  Raises what fails again; the incident then stands as before."""
    incident = session.scalar(search(actor).where(Incident.id == incident_id))
    if incident is None:
        raise NotFound(f"Expected to find a standing incident {incident_id}, but there is none for you")
    if not actor.has(Role.DESIGNER, Role.SUPERVISOR, Role.ADMIN):
        processes.require_mender(session, incident.instance_id, actor, to="retry an incident of")
    if incident.job_id is not None:
        job = session.get_one(Job, incident.job_id, with_for_update={"key_share": True})
        incident.job_id = None  # a job that is done is deleted
        if incident.wait is None:  # else it stands until the diagram has gone on
            incident.resolved_at = moments.now()
        session.flush()
        jobs.retry(session, job)
        return incident
    if incident.definition_id is not None:
        _retry_start(session, incident, incident.definition_id)
    elif incident.instance_id is not None and incident.wait is not None:
        _retry_wait(session, incident, incident.instance_id, incident.wait, actor=actor)
    return incident


def _retry_wait(session: Session, incident: Incident, instance_id: UUID, wait_id: int, *, actor: Actor) -> None:
    with execution.running(session, instance_id, actor=actor) as run:
        _require_standing(session, incident, run.row)
        kind = run.process.kind_of(wait_id)
        journal.record(session, run.row, actor=actor, what="incident retried", element=incident.element)
        if kind is WaitKind.INCIDENT:
            run.process.retry(wait_id)
    if kind is WaitKind.JOB:
        continuations.set_retries(session, _tried(session, Continuation, incident), 1)
    if kind is WaitKind.TIMER:
        timers.set_retries(session, _tried(session, Timer, incident), 1)
    if kind is WaitKind.EXTERNAL_TASK and not _give_to_workers(session, incident, wait_id):
        execution.perform_step(session, instance_id, wait_id, actor=actor)


def _retry_start(session: Session, incident: Incident, definition_id: UUID) -> None:
    timer = start_timers.hold(session, definition_id, incident.element)
    # By its id: while older nodes serve, one of no case has no key.
    standing = select(Incident.id).where(Incident.id == incident.id, Incident.resolved_at.is_(None))
    if timer is None or session.scalar(standing) is None:
        raise _resolved(incident)  # the attempts that are left now may be those of the next occasion
    start_timers.set_retries(session, timer, 1)


def _require_standing(session: Session, incident: Incident, held: Held) -> None:
    """Refuse what somebody else has retried before the instance was had: a worker may hold it by now, and it is told once."""
    found = keys.read_anew(session, Incident, incident.id, held)
    if found is None or found.resolved_at is not None:
        raise _resolved(incident)


def _resolved(incident: Incident) -> NotFound:
    return NotFound(f"Expected to find a standing incident {incident.id}, but it has just been resolved")


def _tried(session: Session, table: type[Row], incident: Incident) -> Row:
    query = select(table).where(table.instance_id == incident.instance_id, keys.same_case(table, incident), table.wait == incident.wait)
    return session.scalars(query).one()


def _give_to_workers(session: Session, incident: Incident, wait_id: int) -> bool:
    """Allow one more attempt at a task that a worker failed; false when it is a step of the engine's own."""
    query = select(ExternalTask).where(
        ExternalTask.instance_id == incident.instance_id, keys.same_case(ExternalTask, incident), ExternalTask.wait == wait_id
    )
    task = session.scalars(query.with_for_update(key_share=True)).one()
    if steps.is_ours(task.topic):
        return False
    task.retries, task.lock_expires_at, incident.resolved_at = 1, None, moments.now()
    external_tasks.announce(session, task)
    return True
