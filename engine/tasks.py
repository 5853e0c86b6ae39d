"""Department tasks (部门任务): claim and complete them, which is how people advance a case.  Lists are in `worklists`."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from bpmn.forms import Form
from bpmn.waits import Wait
from engine import (
    database,
    definitions,
    effects,
    element_forms,
    escalations,
    execution,
    holdings,
    instances,
    journal,
    keys,
    meters,
    moments,
    projection,
    variables,
    visibility,
)
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.holdings import Held, HeldTask
from engine.models import Instance, Task, TaskGroup, TaskUser
from engine.reads import Read
from engine.runs import Run
from engine.states import TaskStatus, move
from engine.variables import NOTHING, Given
from engine.writes import OLD

_TASKS = Task.__table__
_FIELDS = tuple(field.name for field in fields(HeldTask))
_OF_WAIT = select(*(_TASKS.c[name] for name in _FIELDS)).where(
    *keys.asked(Task), Task.instance_id == bindparam("instance"), Task.wait == bindparam("wait"), Task.status == TaskStatus.OPEN
)
NOT_FOUND = "Expected to find task {}, but it does not exist or is not yours"


def get(session: Session, task_id: UUID, actor: Actor) -> Task:
    """Return a task; raises NotFound, also for what is not the actor's."""
    task = session.scalar(_visible_task(actor), {"task": task_id})
    if task is None:
        raise NotFound(NOT_FOUND.format(task_id))
    return task


@functools.lru_cache(maxsize=256)
def _visible_task(actor: Actor) -> Select[Task]:
    # Building the query takes as long as running it, and it is the same for all that one actor does.
    return select(Task).where(Task.id == bindparam("task"), visibility.sees_task(actor))


def of_case(session: Session, case_id: UUID) -> list[Task]:
    """Return the open tasks of a case and its items, oldest first."""
    return list(session.scalars(select(Task).where(Task.case_id == case_id, Task.status == TaskStatus.OPEN).order_by(Task.id)))


def groups(session: Session, rows: Collection[Task | Row[Any]]) -> dict[UUID, list[str]]:
    """Return the candidate groups of tasks, by the id of the task."""
    found = {row.id: [row.sole_group] if row.sole_group is not None else [] for row in rows}
    return found | _stored_groups(session, [task_id for task_id, known in found.items() if not known])


def _stored_groups(session: Session, task_ids: Collection[UUID], *here: ColumnElement[bool]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {task_id: [] for task_id in task_ids}
    if found:
        for row in session.scalars(select(TaskGroup).where(TaskGroup.task_id.in_(found), *here).order_by(TaskGroup.name)):
            found[row.task_id].append(row.name)
    return found


def regroup(session: Session, task: Task) -> None:
    """Write the only group of a task into its row, where lists look for it, after its groups have changed."""
    session.flush()
    task.sole_group = projection.only(_stored_groups(session, [task.id], keys.same_case(TaskGroup, task))[task.id])


def users(session: Session, task_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the candidate users of tasks, by the id of the task."""
    found: dict[UUID, list[str]] = {task_id: [] for task_id in task_ids}
    for row in session.scalars(select(TaskUser).where(TaskUser.task_id.in_(task_ids)).order_by(TaskUser.name)):
        found[row.task_id].append(row.name)
    return found


def claim(session: Session, task_id: UUID, *, actor: Actor) -> Task:
    """Take a task for oneself (认领).  Raises NotFound, NotPermitted, InvalidState (ended, suspended, somebody else has it)."""
    task = _lock(session, task_id, actor, to="claim")
    _require_candidate(session, task, task, actor, to="claim")
    if task.assignee not in {None, actor.name}:
        raise InvalidState(f"Expected to claim task {task.name}, but {task.assignee} has it", assignee=task.assignee)
    task.assignee = actor.name
    return task


def release(session: Session, task_id: UUID, *, actor: Actor) -> Task:
    """Give a claimed task back to its groups (退回); a supervisor may do so for somebody else.  Raises NotFound, InvalidState."""
    task = _lock(session, task_id, actor, to="release")
    if task.assignee != actor.name and not actor.has(Role.SUPERVISOR, hall=task.hall):
        raise InvalidState(f"Expected to release task {task.name}, but {task.assignee or 'nobody'} has it", assignee=task.assignee)
    task.assignee = None
    return task


def form(session: Session, task: Task) -> Form | None:
    """Return the form of a task, or None."""
    instance = keys.get_one(session, Instance, task.instance_id, task)
    loaded = definitions.get(session, instance.definition_id)
    return definitions.form(session, loaded, loaded.definition.elements[task.element])


def complete(
    session: Session, task_id: UUID, *, actor: Actor, data: dict[str, Any], given: Given = NOTHING, by_form: bool = True
) -> HeldTask:
    """Complete a task and let the case run on to where it next needs somebody.

    `data`: what the form was filled in with, by the names of its fields; it becomes variables of the process.  `given`: the types of those
    that JSON cannot tell.  `by_form=False`: in a process without a matter, `data` is not checked by the form.
    Raises NotFound, NotPermitted, InvalidState (completed already, claimed by somebody else, delegated, or refused by what the task means
    to the domain, as `effects` says) and InvalidInput (`errors` by field).
    """
    task, run = _take_up(session, task_id, actor, to="complete")
    with execution.awake(run):
        if task.delegation == "pending":
            raise InvalidState(f"Expected to complete task {task.name}, but it is delegated: resolve it, then its owner completes it")
        element = run.loaded.definition.elements[task.element]
        form = definitions.form(session, run.loaded, element) if by_form or task.hall is not None else None
        try:
            clean = element_forms.validate(form, data, run.process.variables_at(task.wait))
        except InvalidInput as wrong:
            effects.refuse(run, task, data, wrong)
        _complete(run, task, clean)
        variables.remember(run, given)
    database.after_commit(session, lambda _db: meters.COMPLETED.labels(run.row.matter).inc())
    return task


def complete_unasked(run: Run, wait: Wait, data: dict[str, Any]) -> None:
    """Complete a task because the law says so, whoever has claimed it, with `data` that no form has checked."""
    its = {**run.row.key, "instance": run.row.id, "wait": wait.id}
    _complete(run, HeldTask(**run.session.execute(_OF_WAIT, its).mappings().one()), data)


def _complete(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    effects.apply(run, task, data)
    _end(run, task, data)
    journal.record(run.session, run.row, actor=run.actor, what="task completed", task=task.name, element=task.element)
    run.process.complete(task.wait, data)


def _end(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Mark a task as completed.  Its row is written together with its instance."""
    task.status = move(task.status, TaskStatus.COMPLETED, f"task {task.name}")
    ended = {"status": task.status, "ended_at": moments.now(), "completed_by": run.actor.name, "data": data}
    holdings.of(run.session).writes.update(_TASKS, [{OLD + "id": task.id, **run.row.place, **ended}], by=("id", *keys.KEY), exact=True)


def raise_error(session: Session, task_id: UUID, code: str, message: str | None = None, *, actor: Actor, given: Given = NOTHING) -> None:
    """Raise a BPMN error out of a task; raises InvalidState for one that the law decides."""
    task, run = _take_up(session, task_id, actor, to="raise an error at")
    with execution.awake(run):
        _require_work(task, to="raise an error at")
        run.process.raise_error(task.wait, code, message, given.values)
        variables.remember(run, given)
        journal.record(session, run.row, actor=actor, what="task raised an error", task=task.name, code=code)


def raise_escalation(session: Session, task_id: UUID, code: str, *, actor: Actor, given: Given = NOTHING) -> None:
    """Raise an escalation out of a task, which stays open unless that interrupts it; raises InvalidState when nothing catches it."""
    task, run = _take_up(session, task_id, actor, to="escalate")
    with execution.awake(run):
        _require_work(task, to="escalate")
        if not escalations.raise_at(run, task.wait, code, given.values):
            raise InvalidState(f"Expected to escalate task {task.name}, but nothing in its diagram catches escalation {code!r}")
        variables.remember(run, given)
        journal.record(session, run.row, actor=actor, what="task escalated", task=task.name, code=code)


def _take_up(session: Session, task_id: UUID, actor: Actor, *, to: str) -> tuple[HeldTask, Run]:
    """Lock and read an open task that the actor may do, with its instance, in one statement.  `to` completes “Expected to …”."""
    session.flush()
    found = _read_held(actor).first(session.connection(), {"task": task_id})
    if found is None:
        raise NotFound(NOT_FOUND.format(task_id))
    task = HeldTask(**dict(zip(_FIELDS, found, strict=False)))
    row = holdings.of(session).take(found[len(_FIELDS) :])
    _require_candidate(session, task, row, actor, to=to)
    _require_open(task, to=to)
    _require_unclaimed(task, actor, to=to)
    return task, instances.take_up(session, row, actor=actor)


@functools.lru_cache(maxsize=256)
def _read_held(actor: Actor) -> Read:
    """Build the statement that reads and locks a task which the actor may see, with its instance; the instance first, as everywhere."""
    of = [holdings.INSTANCES, _TASKS]
    query = select(holdings.INSTANCES).join(_TASKS, keys.its(_TASKS.c.instance_id, holdings.INSTANCES))
    query = query.join(Case, keys.same_case(holdings.INSTANCES, Case)).where(_TASKS.c.id == bindparam("task"), visibility.sees_task(actor))
    return Read([*(_TASKS.c[name] for name in _FIELDS), *holdings.COLUMNS], query.with_for_update(key_share=True, of=of))


def hold(session: Session, task: Task) -> None:
    """Lock the row of a task, and read it anew; raises NotFound when it has just been archived or deleted."""
    task_id = task.id
    try:
        session.refresh(task, with_for_update={"key_share": True})
    except InvalidRequestError as error:  # its row is gone
        raise NotFound(NOT_FOUND.format(task_id)) from error


def at_work(session: Session, task_id: UUID, actor: Actor, *, to: str, lock: bool = False) -> Task:
    """Return an open task that the actor may complete; `lock` it, and it stays open until the transaction ends.

    Raises NotFound, NotPermitted, and InvalidState (it has ended, somebody else has claimed it).  `to` completes “Expected to …”.
    """
    task = get(session, task_id, actor)
    _require_candidate(session, task, task, actor, to=to)
    if lock:
        hold(session, task)
    _require_open(task, to=to)
    _require_unclaimed(task, actor, to=to)
    return task


def _require_unclaimed(task: Task | HeldTask, actor: Actor, *, to: str) -> None:
    if task.assignee not in {None, actor.name}:
        raise InvalidState(f"Expected to {to} task {task.name}, but {task.assignee} has claimed it", assignee=task.assignee)


def _require_work(task: Task | HeldTask, *, to: str) -> None:
    if task.kind != "work":
        raise InvalidState(f"Expected to {to} task {task.name}, but it is a {task.kind}, which is completed with its outcome")


def _lock(session: Session, task_id: UUID, actor: Actor, *, to: str) -> Task:
    task = get(session, task_id, actor)
    hold(session, task)
    _require_open(task, to=to)
    instances.require_active(keys.get_one(session, Instance, task.instance_id, task))
    return task


def _require_candidate(session: Session, task: Task | HeldTask, of: Task | Held, actor: Actor, *, to: str) -> None:
    """Raise NotPermitted for a supervisor or administrator who sees a task that is not his: at the window he stands in, nowhere else."""
    if not actor.has(Role.SUPERVISOR, Role.ADMIN):
        return  # all others see nothing but what they may do
    names = set(session.scalars(select(TaskGroup.name).where(TaskGroup.task_id == task.id, keys.same_case(TaskGroup, of))))
    people = set(session.scalars(select(TaskUser.name).where(TaskUser.task_id == task.id, keys.same_case(TaskUser, of))))
    stands_in = actor.has(Role.SUPERVISOR, hall=task.hall) and "window" in names
    mine = actor.name in people | {task.assignee} or bool(names & (actor.groups() | {"*"}))
    if names | people and not mine and not stands_in:
        raise NotPermitted(f"Expected to {to} task {task.name}, but it is for {', '.join(sorted(names | people))}")


def _require_open(task: Task | HeldTask, *, to: str) -> None:
    if task.status is not TaskStatus.OPEN:
        raise InvalidState(f"Expected to {to} task {task.name}, but it is {task.status}", status=str(task.status))
