"""Incidents: what failed and waits, and how a person lets it try again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import arrivals, cases, continuations, database, execution, jobs, journal, steps
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.errors import InvalidState, NotFound
from engine.filters import Filter, Filters, Kind, Listing, Order, Sortable, after, among, before, equal, like, located, ordered
from engine.models import Definition, ExternalTask, Incident, Instance, Job
from engine.schedule_models import Continuation


def search(actor: Actor) -> Select[Incident]:
    """Select the standing incidents of cases that the actor may see, oldest first; a designer mends diagrams wherever they fail."""
    mine = select(Case.id) if actor.has(Role.DESIGNER) else select(Case.id).where(cases.visible(actor))
    return select(Incident).where(Incident.resolved_at.is_(None), Incident.case_id.in_(mine)).order_by(Incident.id)


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
    "executionId": located(Incident.instance_id, Incident.wait),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKeyIn": among(Definition.key),
    "activityId": equal(Incident.element),
    "failedActivityId": equal(Incident.element),
    "incidentTimestampBefore": before(Incident.raised_at),
    "incidentTimestampAfter": after(Incident.raised_at),
    "configuration": Filter(
        kind=Kind.ID, condition=lambda id_: or_(ExternalTask.id == id_, Continuation.id == id_, Incident.job_id == id_)
    ),
}


def listing(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """The standing incidents that an actor may see, with where they stand: definition, and the task that a worker failed."""
    at = and_(ExternalTask.instance_id == Incident.instance_id, ExternalTask.wait == Incident.wait)
    carried = and_(Continuation.instance_id == Incident.instance_id, Continuation.wait == Incident.wait)
    columns = Definition, ExternalTask.id.label("external_task_id"), Continuation.id.label("continuation_id")
    query = search(actor).order_by(None).add_columns(*columns).outerjoin(Continuation, carried)
    query = query.join(Instance, Instance.id == Incident.instance_id).join(Definition, Definition.id == Instance.definition_id)
    return Listing(query=ordered(query.outerjoin(ExternalTask, at).where(*conditions), SORTABLE, order, last=Incident.id))


def of_instance(session: Session, instance_id: UUID, *, actor: Actor) -> Sequence[Incident]:
    """The standing incidents of an instance, as far as the actor may see them."""
    return session.scalars(search(actor).where(Incident.instance_id == instance_id)).all()


def type_of(row: Any) -> str:
    """Name the type of a listed incident as Camunda does."""
    return _OF_WORKERS if row.external_task_id is not None else "failedJob"


def retry(session: Session, incident_id: UUID, *, actor: Actor) -> Incident:
    """Try again what failed.  Raises what fails again; the incident then stands as before."""
    incident = session.scalar(search(actor).where(Incident.id == incident_id))
    if incident is None:
        raise NotFound(f"Expected to find a standing incident {incident_id}, but there is none for you")
    actor.require(Role.DESIGNER, Role.SUPERVISOR, Role.ADMIN, to="retry an incident")
    if incident.job_id is not None:
        job = session.get_one(Job, incident.job_id, with_for_update={"key_share": True})
        incident.job_id = None  # a job that is done is deleted
        if incident.wait is None:  # else it stands until the diagram has gone on
            incident.resolved_at = datetime.now(UTC)
        session.flush()
        jobs.retry(session, job)
        return incident
    if incident.wait is None:
        raise InvalidState(f"Expected something to retry at {incident.element}, but its timer tries by itself")
    _retry_wait(session, incident, incident.wait, actor=actor)
    return incident


def _retry_wait(session: Session, incident: Incident, wait_id: int, *, actor: Actor) -> None:
    with execution.running(session, incident.instance_id, actor=actor) as run:
        kind = run.process.standing().get(wait_id)
        journal.record(session, run.row, actor=actor, what="incident retried", element=incident.element)
        if kind is WaitKind.INCIDENT:
            run.process.retry(wait_id)
    if kind is WaitKind.JOB:
        continuations.set_retries(session, _continuation(session, incident), 1)
    if kind is WaitKind.EXTERNAL_TASK and not _give_to_workers(session, incident, wait_id):
        execution.perform_step(session, incident.instance_id, wait_id, actor=actor)


def _continuation(session: Session, incident: Incident) -> Continuation:
    query = select(Continuation).where(Continuation.instance_id == incident.instance_id, Continuation.wait == incident.wait)
    return session.scalars(query).one()


def _give_to_workers(session: Session, incident: Incident, wait_id: int) -> bool:
    """Allow one more attempt at a task that a worker failed; false when it is a step of the engine's own."""
    query = select(ExternalTask).where(ExternalTask.instance_id == incident.instance_id, ExternalTask.wait == wait_id)
    task = session.scalars(query.with_for_update(key_share=True)).one()
    if steps.is_ours(task.topic):
        return False
    task.retries, task.lock_expires_at, incident.resolved_at = 1, None, datetime.now(UTC)
    topic = task.topic
    database.after_commit(session, lambda _db: arrivals.announce({topic}))
    return True
