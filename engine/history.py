"""History: what instances went through, activation by activation, for those who look back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from engine import processes
from engine.actors import Actor
from engine.models import Activity, Definition, Instance, Task


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which activities are meant; what is None does not matter."""

    instance_id: UUID | None = None
    definition_id: UUID | None = None
    definition_key: str | None = None
    element: str | None = None
    name: str | None = None
    type: str | None = None
    #: Whether they are over.
    ended: bool | None = None
    #: Whether they were interrupted.
    canceled: bool | None = None
    assignee: str | None = None


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


def search(session: Session, wanted: Wanted, *, actor: Actor) -> list[Told]:
    """Activities of instances that an actor may see, in the order in which they began."""
    called = aliased(Instance)
    query = (
        select(Activity, Instance, Definition, Task.id, Task.assignee, called.id)
        .join_from(Activity, Instance, Instance.id == Activity.instance_id)
        .join(Definition, Definition.id == Instance.definition_id)
        .outerjoin(Task, and_(Task.instance_id == Activity.instance_id, Task.wait == Activity.number))
        .outerjoin(called, and_(called.parent_id == Activity.instance_id, called.parent_wait == Activity.number))
        .where(processes.visible(actor))
        .order_by(Activity.started_at, Activity.instance_id, Activity.rev, Activity.place)
    )
    asked = {
        Activity.instance_id: wanted.instance_id,
        Definition.id: wanted.definition_id,
        Definition.key: wanted.definition_key,
        Activity.element: wanted.element,
        Activity.name: wanted.name,
        Activity.type: wanted.type,
        Task.assignee: wanted.assignee,
    }
    query = query.where(*(column == value for column, value in asked.items() if value is not None))
    if wanted.ended is not None:
        query = query.where(Activity.ended_at.is_not(None) if wanted.ended else Activity.ended_at.is_(None))
    if wanted.canceled is not None:
        query = query.where((Activity.outcome == "canceled") == wanted.canceled)
    return [
        Told(activity=row[0], instance=row[1], definition=row[2], task_id=row[3], assignee=row[4], called_id=row[5])
        for row in session.execute(query)
    ]
