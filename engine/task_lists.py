"""Lists of tasks as Tasklist asks for them: with their instance, filtered and sorted as Camunda 7 does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import definitions, tasks
from engine.actors import Actor
from engine.definitions import Loaded
from engine.models import Definition, Instance, Resource, Task, TaskGroup, TaskUser
from engine.states import TaskStatus

#: By which a list may be sorted, under Camunda's names.
SORTABLE = {
    "name": Task.name,
    "dueDate": Task.due_at,
    "followUpDate": Task.follow_up_at,
    "created": Task.created_at,
    "priority": Task.priority,
    "assignee": Task.assignee,
    "id": Task.id,
    "instanceId": Task.instance_id,
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which tasks are meant; what is None does not matter."""

    ids: frozenset[UUID] | None = None
    instance_id: UUID | None = None
    element: str | None = None
    name: str | None = None
    definition_key: str | None = None
    business_key: str | None = None
    assignee: str | None = None
    assigned: bool | None = None
    #: Candidates: a group of these, or a user.
    groups: Collection[str] | None = None
    user: str | None = None
    owner: str | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    follow_up_before: datetime | None = None
    follow_up_after: datetime | None = None
    #: Those that are over, too.
    ended: bool = False


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A task, and what it belongs to."""

    task: Task
    instance: Instance
    definition: Definition


def search(session: Session, wanted: Wanted, *, actor: Actor, sort: Collection[tuple[str, bool]] = ()) -> list[Listed]:
    """Tasks that an actor may see; `sort` names columns of `SORTABLE`, each with whether it descends."""
    query = select(Task, Instance, Definition).join(Instance, Instance.id == Task.instance_id)
    query = query.join(Definition, Definition.id == Instance.definition_id).where(tasks.visible(actor), *_conditions(wanted))
    for name, descending in sort:
        query = query.order_by(SORTABLE[name].desc() if descending else SORTABLE[name])
    return [Listed(task=row[0], instance=row[1], definition=row[2]) for row in session.execute(query.order_by(Task.id))]


def drawn(session: Session, listed: Listed) -> Loaded:
    """The diagram of a task, compiled."""
    return definitions.get(session, listed.definition.id)


def form_file(session: Session, listed: Listed) -> bytes | None:
    """The Camunda Form of a task as it was deployed; None when it has none."""
    loaded = drawn(session, listed)
    ref = loaded.process.elements[listed.task.element].form_ref
    if ref is None:
        return None
    key = loaded.forms[ref].key if ref in loaded.forms else ref
    query = select(Resource.content).where(
        Resource.deployment_id == loaded.deployment_id, Resource.name.in_([ref, f"{key}.form", f"{ref}.form"])
    )
    return session.scalar(query.limit(1))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    equal = {
        Task.instance_id: wanted.instance_id,
        Task.element: wanted.element,
        Task.name: wanted.name,
        Definition.key: wanted.definition_key,
        Instance.business_key: wanted.business_key,
        Task.assignee: wanted.assignee,
        Task.owner: wanted.owner,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if not wanted.ended:
        found.append(Task.status == TaskStatus.OPEN)
    if wanted.ids is not None:
        found.append(Task.id.in_(wanted.ids))
    if wanted.assigned is not None:
        found.append(Task.assignee.is_not(None) if wanted.assigned else Task.assignee.is_(None))
    if wanted.groups is not None:
        found.append(Task.id.in_(select(TaskGroup.task_id).where(TaskGroup.name.in_(wanted.groups))))
    if wanted.user is not None:
        found.append(Task.id.in_(select(TaskUser.task_id).where(TaskUser.name == wanted.user)))
    for column, before, after in (
        (Task.due_at, wanted.due_before, wanted.due_after),
        (Task.follow_up_at, wanted.follow_up_before, wanted.follow_up_after),
    ):
        if before is not None:
            found.append(column < before)
        if after is not None:
            found.append(column > after)
    return found
