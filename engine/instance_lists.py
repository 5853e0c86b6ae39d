"""Lists of process instances, running and ended ones, with their definitions, filtered and sorted as Camunda 7 does."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, select

from engine import keys, processes
from engine.actors import Actor
from engine.case_models import Case
from engine.filters import Filter, Filters, Kind, Listing, Order, Sortable, after, among, before, equal, like, ordered, when
from engine.models import Activity, Definition, Incident, Instance
from engine.states import InstanceStatus
from engine.variables import Comparison, fitting

_CHILD = Instance.__table__.alias().c  # not the mapper's, which would make its columns at first use (`history`)
#: What failed in a release that ended all of an instance by an error that nothing caught.
_TERMINATED = and_(Instance.status == InstanceStatus.FAILED, Instance.error.is_(None))


def _with_incident() -> ColumnElement[bool]:
    return Instance.id.in_(select(Incident.instance_id).where(Incident.resolved_at.is_(None)))


def _at(elements: Collection[str]) -> ColumnElement[bool]:
    return Instance.id.in_(select(Activity.instance_id).where(Activity.element.in_(elements), Activity.ended_at.is_(None)))


SORTABLE: Sortable = {
    "instanceId": Instance.id,
    "definitionId": Definition.id,
    "definitionKey": Definition.key,
    "definitionName": Definition.name,
    "definitionVersion": Definition.version,
    "businessKey": Instance.business_key,
    "startTime": Instance.started_at,
    "endTime": Instance.ended_at,
}
#: What running and ended ones can be asked for alike.
_BOTH: Filters = {
    "processInstanceIds": among(Instance.id, Kind.IDS),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
    "processDefinitionKeyIn": among(Definition.key),
    "processDefinitionKeyNotIn": Filter(kind=Kind.TEXTS, condition=Definition.key.not_in),
    "active": when(lambda: and_(Instance.status == InstanceStatus.RUNNING, ~Instance.suspended)),
    "suspended": when(lambda: Instance.suspended.is_(True)),
    "rootProcessInstances": when(lambda: Instance.parent_id.is_(None)),
}
FILTERS: Filters = {
    **_BOTH,
    "businessKey": equal(Instance.business_key),
    "businessKeyLike": like(Instance.business_key),
    "deploymentId": equal(Definition.deployment_id, Kind.ID),
    "superProcessInstance": equal(Instance.parent_id, Kind.ID),
    "subProcessInstance": Filter(kind=Kind.ID, condition=lambda child: Instance.id.in_(select(_CHILD.parent_id).where(_CHILD.id == child))),
    "leafProcessInstances": when(lambda: Instance.id.not_in(select(_CHILD.parent_id).where(_CHILD.parent_id.is_not(None)))),
    "activityIdIn": Filter(kind=Kind.TEXTS, condition=_at),
    "withIncident": when(_with_incident),
    "incidentId": Filter(kind=Kind.ID, condition=lambda found: Instance.id.in_(select(Incident.instance_id).where(Incident.id == found))),
}
HISTORY: Filters = {
    **_BOTH,
    "processInstanceId": equal(Instance.id, Kind.ID),
    "processInstanceBusinessKey": equal(Instance.business_key),
    "processInstanceBusinessKeyIn": among(Instance.business_key),
    "processInstanceBusinessKeyLike": like(Instance.business_key),
    "processDefinitionName": equal(Definition.name),
    "processDefinitionNameLike": like(Definition.name),
    "superProcessInstanceId": FILTERS["superProcessInstance"],
    "subProcessInstanceId": FILTERS["subProcessInstance"],
    "startedBy": equal(Case.submitted_by),
    "startedBefore": before(Instance.started_at),
    "startedAfter": after(Instance.started_at),
    "finishedBefore": before(Instance.ended_at),
    "finishedAfter": after(Instance.ended_at),
    "finished": when(lambda: Instance.ended_at.is_not(None)),
    "unfinished": when(lambda: Instance.ended_at.is_(None)),
    "withIncidents": when(lambda: Instance.id.in_(select(Incident.instance_id))),  # also what is mended by now
    "completed": when(lambda: and_(Instance.status.in_((InstanceStatus.COMPLETED, InstanceStatus.FAILED)), ~_TERMINATED)),
    "externallyTerminated": when(lambda: Instance.status == InstanceStatus.CANCELED),
    "internallyTerminated": when(lambda: _TERMINATED),
    "executedActivityIdIn": Filter(
        kind=Kind.TEXTS, condition=lambda ids: Instance.id.in_(select(Activity.instance_id).where(Activity.element.in_(ids)))
    ),
    "activeActivityIdIn": FILTERS["activityIdIn"],
}


def search(
    actor: Actor, *conditions: ColumnElement[bool], order: Order = (), variables: Sequence[Comparison] = (), ended: bool = False
) -> Listing:
    """Instances that an actor may see; `ended`: those that have ended, too."""
    begun = select(Activity.element).where(keys.its(Activity.instance_id, Instance)).order_by(Activity.rev, Activity.place).limit(1)
    columns = Instance, Definition, Case, begun.scalar_subquery().label("start_element")
    query = select(*columns).join(Definition, Definition.id == Instance.definition_id)
    query = query.join(Case, keys.same_case(Instance, Case)).where(processes.visible(actor), *conditions)
    if not ended:
        query = query.where(Instance.status == InstanceStatus.RUNNING)
    return Listing(query=ordered(query, SORTABLE, order, last=Instance.id), fits=fitting(variables))
