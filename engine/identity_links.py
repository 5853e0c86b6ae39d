"""Identity links, as Camunda calls them: whose task it is, and whose it may be; drawn on the diagram, and changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from engine import arranging, instances, journal, keys, moments, tasks
from engine.actors import Actor
from engine.errors import InvalidInput
from engine.models import Task, TaskGroup, TaskUser

#: Of users and groups.
LONGEST_NAME = 80


class LinkType(StrEnum):
    """What somebody is to a task."""

    ASSIGNEE = "assignee"  #: does it
    OWNER = "owner"  #: answers for it
    CANDIDATE = "candidate"  #: may claim it


@dataclass(frozen=True, kw_only=True)
class Link:
    """A user or a group, and what it is to a task."""

    type: LinkType
    user: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        """Refuse what links nobody, or a group that would do a task itself."""
        if (self.user is None) == (self.group is None):
            raise InvalidInput("Expected a user or a group, but got both or neither")
        if self.group is not None and self.type is not LinkType.CANDIDATE:
            raise InvalidInput(f"Expected a group to be a candidate, but got {self.type}")
        if len(self.user or self.group or "") not in range(1, LONGEST_NAME + 1):
            whose, length = ("user", len(self.user)) if self.user is not None else ("group", len(self.group or ""))
            raise InvalidInput(f"Expected the name of a {whose} to have 1 to {LONGEST_NAME} characters, but it has {length}")


def of(session: Session, task_id: UUID, *, actor: Actor) -> list[Link]:
    """Say whose task it is, and whose it may be; raises NotFound, also for what is not the actor's."""
    task = arranging.get(session, task_id, actor)
    named = {LinkType.ASSIGNEE: task.assignee, LinkType.OWNER: task.owner}
    return [
        *(Link(type=kind, user=user) for kind, user in named.items() if user is not None),
        *(Link(type=LinkType.CANDIDATE, user=user) for user in tasks.users(session, [task.id])[task.id]),
        *(Link(type=LinkType.CANDIDATE, group=group) for group in tasks.groups(session, [task])[task.id]),
    ]


def add(session: Session, task_id: UUID, link: Link, *, actor: Actor) -> None:
    """Make somebody a task's assignee, owner or candidate; repeating it does nothing.

    Raises NotFound, NotPermitted, and InvalidState for the task of a case: whose that is stands in the law, and on the diagram.
    """
    task = arranging.lock(session, task_id, actor, to="change whose task it is")
    if link.type is LinkType.CANDIDATE:
        candidate = _candidate(task, link)
        if keys.get(session, type(candidate), (task.id, candidate.name), task) is None:
            session.add(candidate)
            tasks.regroup(session, task)
    else:
        setattr(task, link.type, link.user)
    _note(session, task, link, "task linked", actor)


def remove(session: Session, task_id: UUID, link: Link, *, actor: Actor) -> None:
    """Take such a link away; one that is not there is no error.  Raises as `add` does."""
    task = arranging.lock(session, task_id, actor, to="change whose task it is")
    if link.type is LinkType.CANDIDATE:
        candidate = _candidate(task, link)
        found = keys.get(session, type(candidate), (task.id, candidate.name), task)
        if found is not None:
            session.delete(found)
            tasks.regroup(session, task)
    elif getattr(task, link.type) == link.user:
        setattr(task, link.type, None)
    _note(session, task, link, "task unlinked", actor)


def _candidate(task: Task, link: Link) -> TaskUser | TaskGroup:
    if link.user is not None:
        return TaskUser(**task.key, task_id=task.id, name=link.user)
    return TaskGroup(**task.key, task_id=task.id, name=link.group)


def _note(session: Session, task: Task, link: Link, what: str, actor: Actor) -> None:
    task.updated_at = moments.now()
    row = instances.lock(session, task.instance_id)
    journal.record(session, row, actor=actor, what=what, task=task.name, link=str(link.type), who=link.user or link.group)
