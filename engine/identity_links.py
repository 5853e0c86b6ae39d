"""Identity links, as Camunda calls them: whose task it is, and whose it may be; drawn on the diagram, and changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine import instances, journal, processes, tasks
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.models import Instance, Task, TaskGroup, TaskUser
from engine.states import TaskStatus

#: Whoever runs processes without a matter arranges their tasks.
_ARRANGERS = (Role.DESIGNER, Role.ADMIN, Role.SYSTEM)
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
            raise InvalidInput(f"Expected a name of 1 to {LONGEST_NAME} characters, but got another")


def of(session: Session, task_id: UUID, *, actor: Actor) -> list[Link]:
    """Say whose task it is, and whose it may be; raises NotFound, also for what is not the actor's."""
    task = _get(session, task_id, actor)
    named = {LinkType.ASSIGNEE: task.assignee, LinkType.OWNER: task.owner}
    return [
        *(Link(type=kind, user=user) for kind, user in named.items() if user is not None),
        *(Link(type=LinkType.CANDIDATE, user=user) for user in tasks.users(session, [task.id])[task.id]),
        *(Link(type=LinkType.CANDIDATE, group=group) for group in tasks.groups(session, [task.id])[task.id]),
    ]


def add(session: Session, task_id: UUID, link: Link, *, actor: Actor) -> None:
    """Make somebody a task's assignee, owner or candidate; repeating it does nothing.

    Raises NotFound, NotPermitted, and InvalidState for the task of a case: whose that is stands in the law, and on the diagram.
    """
    task = _arranged(session, task_id, actor)
    if link.type is LinkType.CANDIDATE:
        session.merge(_candidate(task, link))
    else:
        setattr(task, link.type, link.user)
    _note(session, task, link, "task linked", actor)


def remove(session: Session, task_id: UUID, link: Link, *, actor: Actor) -> None:
    """Take such a link away; one that is not there is no error.  Raises as `add` does."""
    task = _arranged(session, task_id, actor)
    if link.type is LinkType.CANDIDATE:
        candidate = _candidate(task, link)
        found = session.get(type(candidate), (task.id, candidate.name))
        if found is not None:
            session.delete(found)
    elif getattr(task, link.type) == link.user:
        setattr(task, link.type, None)
    _note(session, task, link, "task unlinked", actor)


def _get(session: Session, task_id: UUID, actor: Actor) -> Task:
    seen = tasks.visible(actor)
    if actor.has(*_ARRANGERS):
        seen = or_(seen, Task.case_id.in_(select(Case.id).where(Case.entry == processes.ENTRY)))
    task = session.scalar(select(Task).where(Task.id == task_id, seen))
    if task is None:
        raise NotFound(f"No matching task with id {task_id}")
    return task


def _arranged(session: Session, task_id: UUID, actor: Actor) -> Task:
    task = _get(session, task_id, actor)
    case = session.get_one(Case, task.case_id)
    if case.entry != processes.ENTRY:
        raise InvalidState(f"Expected to change whose task {task.name} is, but it belongs to case {case.number}: its diagram says so")
    actor.require(*_ARRANGERS, to="change whose task it is")
    instances.lock(session, task.instance_id)
    session.refresh(task, with_for_update={"key_share": True})
    if task.status is not TaskStatus.OPEN:
        raise InvalidState(f"Expected to change whose task {task.name} is, but it is {task.status}", status=str(task.status))
    return task


def _candidate(task: Task, link: Link) -> TaskUser | TaskGroup:
    return TaskUser(task_id=task.id, name=link.user) if link.user is not None else TaskGroup(task_id=task.id, name=link.group)


def _note(session: Session, task: Task, link: Link, what: str, actor: Actor) -> None:
    row = session.get_one(Instance, task.instance_id)
    journal.record(session, row, actor=actor, what=what, task=task.name, link=str(link.type), who=link.user or link.group)
