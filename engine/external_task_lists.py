"""Lists of external tasks, filtered and sorted as Camunda 7 does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from engine import external_tasks, keys, moments
from engine.actors import Actor
from engine.external_tasks import Found
from engine.filters import Filters, Kind, Listing, Order, Sortable, after, among, before, equal, least, located, most, ordered, when
from engine.models import Definition, ExternalTask, Incident, Instance


def _spent() -> ColumnElement[bool]:
    """No attempts are left: an incident stands on it, of which there are few."""
    standing = exists().where(keys.same_case(Incident, ExternalTask), Incident.instance_id == ExternalTask.instance_id)
    return and_(ExternalTask.retries == 0, standing.where(Incident.wait == ExternalTask.wait, Incident.resolved_at.is_(None)))


def _held() -> ColumnElement[bool]:
    return ExternalTask.lock_expires_at > moments.now()


SORTABLE: Sortable = {
    "id": ExternalTask.id,
    "lockExpirationTime": ExternalTask.lock_expires_at,
    "processInstanceId": ExternalTask.instance_id,
    "processDefinitionId": Definition.id,
    "processDefinitionKey": Definition.key,
    "taskPriority": ExternalTask.priority,
    "createTime": ExternalTask.created_at,
}
FILTERS: Filters = {
    "externalTaskId": equal(ExternalTask.id, Kind.ID),
    "externalTaskIdIn": among(ExternalTask.id, Kind.IDS),
    "topicName": equal(ExternalTask.topic),
    "workerId": equal(ExternalTask.worker),
    "activityId": equal(ExternalTask.element),
    "activityIdIn": among(ExternalTask.element),
    "executionId": located(ExternalTask.instance_id, ExternalTask.wait),
    "processInstanceId": equal(ExternalTask.instance_id, Kind.ID),
    "processInstanceIdIn": among(ExternalTask.instance_id, Kind.IDS),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "locked": when(_held),
    "notLocked": when(lambda: or_(ExternalTask.lock_expires_at.is_(None), ~_held())),
    "lockExpirationBefore": before(ExternalTask.lock_expires_at),
    "lockExpirationAfter": after(ExternalTask.lock_expires_at),
    "withRetriesLeft": when(lambda: or_(ExternalTask.retries.is_(None), ExternalTask.retries > 0)),
    "noRetriesLeft": when(_spent),
    "active": when(lambda: ~Instance.suspended),
    "suspended": when(lambda: Instance.suspended.is_(True)),
    "priorityHigherThanOrEquals": least(ExternalTask.priority),
    "priorityLowerThanOrEquals": most(ExternalTask.priority),
}
#: What topics are asked for by.
TOPIC_FILTERS: Filters = {
    "withLockedTasks": FILTERS["locked"],
    "withUnlockedTasks": FILTERS["notLocked"],
    "withRetriesLeft": FILTERS["withRetriesLeft"],
}


def search(actor: Actor, *conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Tasks that an actor may work on, oldest first unless another order is asked for."""
    return Listing(query=ordered(external_tasks.search(actor).where(*conditions), SORTABLE, order, last=ExternalTask.id))


def topics(session: Session, actor: Actor, *conditions: ColumnElement[bool]) -> list[str]:
    """Name the topics of tasks that an actor may work on: the index is asked for the next topic, not for all of their tasks."""
    first = select(ExternalTask.topic).where(external_tasks.visible(actor), *conditions).order_by(ExternalTask.topic).limit(1)
    found = select(first.scalar_subquery().label("topic")).cte("topics", recursive=True)
    following = first.where(ExternalTask.topic > found.c.topic).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.topic.is_not(None)))
    return list(session.scalars(select(found.c.topic).where(found.c.topic.is_not(None))))


def get(session: Session, task_id: UUID, *, actor: Actor) -> Found:
    """One task, with what it belongs to; raises NotFound, also for what is not the actor's."""
    return found(search(actor, ExternalTask.id == task_id).one(session, f"External task with id {task_id} does not exist"))


def found(row: Any) -> Found:
    """Name what a row of a list holds."""
    return Found(task=row.ExternalTask, instance=row.Instance, definition=row.Definition)
