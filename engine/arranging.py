"""Arranging tasks (安排): whoever runs processes without a matter says whose their tasks are, and what is known of them.

Whose the task of a case is, and until when, stands in the law and on the diagram.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from engine import execution, instances, journal, keys, moments, processes, variables, visibility
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.models import Task
from engine.states import TaskStatus
from engine.variables import NOTHING, Given

ARRANGERS = (Role.DESIGNER, Role.ADMIN, Role.SYSTEM)
#: The greatest priority that a column takes.
MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a task, whole: what is None is nothing."""

    name: str | None
    description: str | None
    priority: int | None
    assignee: str | None
    owner: str | None
    delegation: str | None
    due_at: datetime | None
    follow_up_at: datetime | None


def seen(actor: Actor) -> ColumnElement[bool]:
    """What an actor may look at: also tasks that it may not do."""
    if not actor.has(*ARRANGERS):
        return visibility.sees_task(actor)
    return or_(visibility.sees_task(actor), exists().where(keys.same_case(Task, Case), Case.entry == processes.ENTRY))


def get(session: Session, task_id: UUID, actor: Actor) -> Task:
    """Return a task; raises NotFound, also for what is not the actor's to see."""
    task = session.scalar(select(Task).where(Task.id == task_id, seen(actor)))
    if task is None:
        raise NotFound(f"No matching task with id {task_id}")
    return task


def lock(session: Session, task_id: UUID, actor: Actor, *, to: str, by_holder: bool = False) -> Task:
    """Lock an open task that may be arranged, `by_holder`: also by whoever has it.  `to` completes “Expected to …”.

    Raises NotFound, NotPermitted, Suspended, and InvalidState for a task that is over or belongs to a case.
    """
    task = get(session, task_id, actor)
    case = session.get_one(Case, task.case_id)
    if not case.is_plain:
        raise InvalidState(f"Expected to {to}, but task {task.name} belongs to case {case.number}: its diagram says so")
    if not (by_holder and task.assignee == actor.name):
        actor.require(*ARRANGERS, to=to)
    row = instances.lock(session, task.instance_id)
    instances.require_active(row)
    keys.read_anew(session, Task, task.id, row, lock=True)
    if task.status is not TaskStatus.OPEN:
        raise InvalidState(f"Expected to {to}, but task {task.name} is {task.status}", status=str(task.status))
    return task


def update(session: Session, task_id: UUID, facts: Facts, *, actor: Actor) -> Task:
    """Set everything that is known of a task; whoever has it may, too.  Raises as `lock` does."""
    if facts.priority is not None and not -MOST <= facts.priority <= MOST:
        raise InvalidInput(f"Expected a priority of {-MOST} to {MOST}, but got {facts.priority}")
    task = lock(session, task_id, actor, to="change a task", by_holder=True)
    if facts.due_at != task.due_at:
        with execution.running(session, task.instance_id, actor=actor) as run:
            run.process.reschedule(task.wait, facts.due_at)
    task.name, task.description = facts.name or task.element, facts.description
    task.priority = task.priority if facts.priority is None else facts.priority
    task.assignee, task.owner, task.delegation = facts.assignee, facts.owner, facts.delegation
    task.due_at, task.follow_up_at, task.updated_at = facts.due_at, facts.follow_up_at, moments.now()
    journal.record(session, instances.lock(session, task.instance_id), actor=actor, what="task changed", task=task.name)
    return task


def delegate(session: Session, task_id: UUID, user: str, *, actor: Actor) -> Task:
    """Let somebody else do a task (委派): whose it was owns it, and gets it back when it is resolved."""
    task = lock(session, task_id, actor, to="delegate a task", by_holder=True)
    task.owner, task.assignee, task.delegation = task.owner or task.assignee, user, "pending"
    return _noted(session, task, "task delegated", actor)


def resolve(session: Session, task_id: UUID, *, actor: Actor, given: Given = NOTHING) -> Task:
    """Give a delegated task back to its owner, with what was found out."""
    task = lock(session, task_id, actor, to="resolve a task", by_holder=True)
    with execution.running(session, task.instance_id, actor=actor) as run:
        variables.change(run, given)
    task.assignee, task.delegation = task.owner, "resolved"
    return _noted(session, task, "task resolved", actor)


def set_variables(session: Session, task_id: UUID, given: Given, *, local: bool = False, actor: Actor) -> Task:
    """Set and delete variables as a task sees them, or its own (`local`); whoever has it may, too.  Raises as `lock` does."""
    task = lock(session, task_id, actor, to="set variables of a task", by_holder=True)
    with execution.running(session, task.instance_id, actor=actor) as run:
        variables.change(run, given, at=task.wait, local=local)
        journal.record(session, run.row, actor=actor, what="variables set", task=task.name, names=given.names)
    return task


def _noted(session: Session, task: Task, what: str, actor: Actor) -> Task:
    task.updated_at = moments.now()
    row = instances.lock(session, task.instance_id)
    journal.record(session, row, actor=actor, what=what, task=task.name, assignee=task.assignee)
    return task
