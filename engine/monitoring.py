"""Monitoring: where one instance stands, for the designer who has just started it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import definitions, keys, processes, versions
from engine.actors import Actor
from engine.models import Definition, ExternalTask, Incident, Instance, Subscription, Task, Timer
from engine.states import TaskStatus


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One thing that an instance waits for."""

    #: task, external task, timer, message or incident.
    kind: str
    #: The element as messages call it.
    element: str
    #: Name of the topic or message, words of the incident, moment of the timer.
    about: str | datetime | None


@dataclass(frozen=True, kw_only=True)
class View:
    """An instance, and what it waits for."""

    instance: Instance
    definition: Definition
    standing: list[Standing]


def look(session: Session, instance_id: UUID, *, actor: Actor) -> View:
    """Look at an instance, also when it has ended; raises NotFound, also for what is not the actor's."""
    row = processes.get(session, instance_id, actor)
    of = versions.get(session, row.definition_id)
    elements = definitions.get(session, of.id).definition.elements
    standing = [
        Standing(kind=kind, element=elements[element].label if element in elements else element, about=about)
        for kind, query in _STANDING
        for element, about in session.execute(query.where(keys.its(query.column_descriptions[0]["entity"].instance_id, row)))
    ]
    return View(instance=row, definition=of, standing=standing)


_STANDING = (
    (
        "task",
        select(Task.element, Task.assignee.label("about")).where(Task.status == TaskStatus.OPEN).order_by(Task.id),
    ),
    ("external task", select(ExternalTask.element, ExternalTask.topic.label("about")).order_by(ExternalTask.id)),
    ("timer", select(Timer.element, Timer.due_at.label("about")).order_by(Timer.id)),
    ("message", select(Subscription.element, Subscription.name.label("about")).order_by(Subscription.id)),
    (
        "incident",
        select(Incident.element, Incident.message.label("about")).where(Incident.resolved_at.is_(None)).order_by(Incident.id),
    ),
)
