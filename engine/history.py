"""History: what instances went through, activation by activation, for those who look back; filtered and sorted as Camunda 7 does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from bpmn import waits
from engine import instances, keys, processes
from engine.actors import Actor
from engine.filters import Filters, Kind, Listing, Order, Sortable, after, among, before, equal, like, located, ordered, when
from engine.models import Activity, Definition, Instance, Task
from engine.schedule_models import Continuation

#: No alias of the mapper's: that makes its columns at first use, and when two threads do so at once some stay wrong for ever.
_CALLED = Instance.__table__.alias()
_OF_CALLED = _CALLED.c

SORTABLE: Sortable = {
    "activityId": Activity.element,
    "activityName": Activity.name,
    "activityType": Activity.type,
    "startTime": Activity.started_at,
    "endTime": Activity.ended_at,
    "occurrence": Activity.rev,
    "instanceId": Activity.instance_id,
    "definitionId": Definition.id,
    "definitionKey": Definition.key,
}
FILTERS: Filters = {
    "processInstanceId": equal(Activity.instance_id, Kind.ID),
    "processInstanceIdIn": among(Activity.instance_id, Kind.IDS),
    "executionId": located(Activity.instance_id, Activity.number),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
    "activityId": equal(Activity.element),
    "activityIdIn": among(Activity.element),
    "activityName": equal(Activity.name),
    "activityNameLike": like(Activity.name),
    "taskAssignee": equal(Task.assignee),
    "startedBefore": before(Activity.started_at),
    "startedAfter": after(Activity.started_at),
    "finishedBefore": before(Activity.ended_at),
    "finishedAfter": after(Activity.ended_at),
    "finished": when(lambda: Activity.ended_at.is_not(None)),
    "unfinished": when(lambda: Activity.ended_at.is_(None)),
    "canceled": when(lambda: Activity.outcome == "canceled"),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """One activation, and what it belongs to."""

    activity: Activity
    instance: Instance
    definition: Definition
    #: Of a user task.
    task_id: UUID | None
    assignee: str | None
    #: The instance that a call activity has called.
    called_id: UUID | None


def search(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Activities of instances that an actor may see, in the order in which they began unless another one is asked for."""
    query = (
        select(Activity, Instance, Definition, Task.id.label("task_id"), Task.assignee, _OF_CALLED.id.label("called_id"))
        .join_from(Activity, Instance, keys.its(Activity.instance_id, Instance))
        .join(Definition, Definition.id == Instance.definition_id)
        .outerjoin(Task, and_(keys.same_case(Activity, Task), Task.instance_id == Activity.instance_id, Task.wait == Activity.number))
        .outerjoin(
            _CALLED,
            and_(
                keys.same_case(Activity, _CALLED),
                _OF_CALLED.parent_id == Activity.instance_id,
                _OF_CALLED.parent_wait == Activity.number,
            ),
        )
        .where(processes.visible(actor), *conditions)
    )
    query = ordered(query, SORTABLE, order, last=Activity.started_at)
    return Listing(query=query.order_by(Activity.instance_id, Activity.rev, Activity.place))


def living(session: Session, instance_id: UUID, *, actor: Actor) -> list[Told]:
    """Activations of an instance that have not ended, in the order in which they began."""
    return [told(row) for row in search(actor, Activity.instance_id == instance_id, Activity.ended_at.is_(None)).rows(session)]


def carried_on(session: Session, row: Instance) -> list[waits.Activity]:
    """Tokens of an instance that wait for a job: behind `camunda:asyncBefore`, or before what follows `asyncAfter`."""
    if session.scalar(select(Continuation.id).where(keys.its(Continuation.instance_id, row)).limit(1)) is None:
        return []
    process = instances.look(session, row)
    standing = process.glance(None).kinds
    return [token for token in process.tokens() if standing.get(token.id) is waits.WaitKind.JOB]


def scope(session: Session, activity: Activity) -> Activity | None:
    """The activation around an activation; None: the process itself."""
    return session.get(Activity, (activity.instance_id, activity.scope)) if activity.scope is not None else None


def told(row: Any) -> Told:
    """Name what a row of a list holds."""
    return Told(
        activity=row.Activity,
        instance=row.Instance,
        definition=row.Definition,
        task_id=row.task_id,
        assignee=row.assignee,
        called_id=row.called_id,
    )
