"""Lists of tasks as Tasklist asks for them: with their instance, filtered and sorted as Camunda 7 does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from bpmn.definition import Element
from engine import accounts, arranging, definitions, keys
from engine.actors import Actor
from engine.definitions import Loaded
from engine.filters import (
    Filter,
    Filters,
    Kind,
    Listing,
    Order,
    Sortable,
    after,
    among,
    before,
    equal,
    least,
    like,
    located,
    most,
    ordered,
    when,
)
from engine.models import Definition, Instance, Task, TaskGroup, TaskUser
from engine.states import TaskStatus
from engine.variables import Comparison, fitting

SORTABLE: Sortable = {
    "name": Task.name,
    "dueDate": Task.due_at,
    "followUpDate": Task.follow_up_at,
    "created": Task.created_at,
    "priority": Task.priority,
    "assignee": Task.assignee,
    "id": Task.id,
    "taskId": Task.id,
    "taskName": Task.name,
    "description": Task.description,
    "startTime": Task.created_at,
    "endTime": Task.ended_at,
    "processInstanceId": Task.instance_id,
    "instanceId": Task.instance_id,
    "executionId": Task.instance_id,
}


def _in_groups(names: Collection[str]) -> ColumnElement[bool]:
    return Task.id.in_(select(TaskGroup.task_id).where(TaskGroup.name.in_(names)))


FILTERS: Filters = {
    "taskId": equal(Task.id, Kind.ID),
    "taskIdIn": among(Task.id, Kind.IDS),
    "processInstanceId": equal(Task.instance_id, Kind.ID),
    "processInstanceIdIn": among(Task.instance_id, Kind.IDS),
    "executionId": located(Task.instance_id, Task.wait),
    "processInstanceBusinessKey": equal(Instance.business_key),
    "processInstanceBusinessKeyIn": among(Instance.business_key),
    "processInstanceBusinessKeyLike": like(Instance.business_key),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
    "processDefinitionKeyIn": among(Definition.key),
    "processDefinitionName": equal(Definition.name),
    "processDefinitionNameLike": like(Definition.name),
    "taskDefinitionKey": equal(Task.element),
    "taskDefinitionKeyIn": among(Task.element),
    "taskDefinitionKeyLike": like(Task.element),
    "name": equal(Task.name),
    "nameLike": like(Task.name),
    "assignee": equal(Task.assignee),
    "assigneeLike": like(Task.assignee),
    "assigneeIn": among(Task.assignee),
    "owner": equal(Task.owner),
    "delegationState": Filter(kind=Kind.TEXT, condition=lambda state: Task.delegation == state.lower()),
    "assigned": when(lambda: Task.assignee.is_not(None)),
    "unassigned": when(lambda: Task.assignee.is_(None)),
    "candidateGroup": Filter(kind=Kind.TEXT, condition=lambda name: _in_groups([name])),
    "candidateGroups": Filter(kind=Kind.TEXTS, condition=_in_groups),
    "withCandidateGroups": when(lambda: Task.id.in_(select(TaskGroup.task_id))),
    "withoutCandidateGroups": when(lambda: Task.id.not_in(select(TaskGroup.task_id))),
    "withCandidateUsers": when(lambda: Task.id.in_(select(TaskUser.task_id))),
    "withoutCandidateUsers": when(lambda: Task.id.not_in(select(TaskUser.task_id))),
    "priority": equal(Task.priority, Kind.WHOLE),
    "minPriority": least(Task.priority),
    "maxPriority": most(Task.priority),
    "dueDate": equal(Task.due_at, Kind.MOMENT),
    "dueBefore": before(Task.due_at),
    "dueAfter": after(Task.due_at),
    "withoutDueDate": when(lambda: Task.due_at.is_(None)),
    "followUpDate": equal(Task.follow_up_at, Kind.MOMENT),
    "followUpBefore": before(Task.follow_up_at),
    "followUpAfter": after(Task.follow_up_at),
    "followUpBeforeOrNotExistent": Filter(
        kind=Kind.MOMENT, condition=lambda moment: or_(Task.follow_up_at.is_(None), Task.follow_up_at < moment)
    ),
    "active": when(lambda: ~Instance.suspended),
    "suspended": when(lambda: Instance.suspended.is_(True)),
    "createdOn": equal(Task.created_at, Kind.MOMENT),
    "createdBefore": before(Task.created_at),
    "createdAfter": after(Task.created_at),
}


#: Of tasks that are over, too, history asks by other names.
HISTORY: Filters = {
    "taskId": FILTERS["taskId"],
    "processInstanceId": FILTERS["processInstanceId"],
    "processInstanceBusinessKey": FILTERS["processInstanceBusinessKey"],
    "processInstanceBusinessKeyIn": FILTERS["processInstanceBusinessKeyIn"],
    "processInstanceBusinessKeyLike": FILTERS["processInstanceBusinessKeyLike"],
    "executionId": FILTERS["executionId"],
    "processDefinitionId": FILTERS["processDefinitionId"],
    "processDefinitionKey": FILTERS["processDefinitionKey"],
    "processDefinitionName": FILTERS["processDefinitionName"],
    "taskName": FILTERS["name"],
    "taskNameLike": FILTERS["nameLike"],
    "taskDescription": equal(Task.description),
    "taskDescriptionLike": like(Task.description),
    "taskDefinitionKey": FILTERS["taskDefinitionKey"],
    "taskDefinitionKeyIn": FILTERS["taskDefinitionKeyIn"],
    "taskAssignee": FILTERS["assignee"],
    "taskAssigneeLike": FILTERS["assigneeLike"],
    "taskOwner": FILTERS["owner"],
    "taskPriority": FILTERS["priority"],
    "assigned": FILTERS["assigned"],
    "unassigned": FILTERS["unassigned"],
    "taskInvolvedGroup": FILTERS["candidateGroup"],
    "taskDueDate": FILTERS["dueDate"],
    "taskDueDateBefore": FILTERS["dueBefore"],
    "taskDueDateAfter": FILTERS["dueAfter"],
    "withoutTaskDueDate": FILTERS["withoutDueDate"],
    "taskFollowUpDateBefore": FILTERS["followUpBefore"],
    "taskFollowUpDateAfter": FILTERS["followUpAfter"],
    "startedBefore": FILTERS["createdBefore"],
    "startedAfter": FILTERS["createdAfter"],
    "finishedBefore": before(Task.ended_at),
    "finishedAfter": after(Task.ended_at),
    "finished": when(lambda: Task.ended_at.is_not(None)),
    "unfinished": when(lambda: Task.ended_at.is_(None)),
    "processFinished": when(lambda: Instance.ended_at.is_not(None)),
    "processUnfinished": when(lambda: Instance.ended_at.is_(None)),
}


def for_candidate(session: Session, user: str) -> ColumnElement[bool]:
    """Keep what somebody may claim, by name or by group."""
    groups = accounts.load(session, user).groups() if accounts.find(session, user) is not None else frozenset[str]()
    return or_(Task.id.in_(select(TaskUser.task_id).where(TaskUser.name == user)), _in_groups(groups))


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A task, and what it belongs to."""

    task: Task
    instance: Instance
    definition: Definition


def search(
    actor: Actor,
    *conditions: ColumnElement[bool],
    order: Order = (),
    variables: Sequence[Comparison] = (),
    ended: bool = False,
) -> Listing:
    """Tasks that an actor may see; `ended`: those that are over, too."""
    query = select(Task, Instance, Definition).join(Instance, keys.its(Task.instance_id, Instance))
    query = query.join(Definition, Definition.id == Instance.definition_id).where(arranging.seen(actor), *conditions)
    if not ended:
        query = query.where(Task.status == TaskStatus.OPEN)
    return Listing(query=ordered(query, SORTABLE, order, last=Task.id), fits=fitting(variables))


def get(session: Session, task_id: UUID, *, actor: Actor) -> Listed:
    """One task; raises NotFound, also for what is not the actor's."""
    return listed(search(actor, Task.id == task_id).one(session, f"No matching task with id {task_id}"))


def listed(row: Any) -> Listed:
    """Name what a row of a list holds."""
    return Listed(task=row.Task, instance=row.Instance, definition=row.Definition)


def drawn(session: Session, listed: Listed) -> tuple[Loaded, Element]:
    """The diagram of a task, compiled, and the task in it."""
    loaded = definitions.get(session, listed.definition.id)
    return loaded, loaded.definition.elements[listed.task.element]
