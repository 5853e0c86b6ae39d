"""External tasks (外部任务): fetched by workers (`fetches`) under a lock that runs out, completed, failed, given back.

The row belongs to whoever holds it; the instance to whoever completes it.  Locks are taken in this order: instance, task.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from engine import arrivals, database, definitions, execution, instances, journal, keys, moments, retries, steps, variables, worker_errors
from engine.actors import Actor, Role
from engine.case_models import Item
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.models import Definition, ExternalTask, Instance
from engine.runs import Run
from engine.variables import NOTHING, Given

#: Camunda keeps no more of an error message.
LONGEST_MESSAGE = 666
#: Who may work on them.
WORKERS = (Role.SYSTEM, Role.DESIGNER, Role.ADMIN)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A task, with what it belongs to."""

    task: ExternalTask
    instance: Instance
    definition: Definition


def get(session: Session, task_id: UUID, actor: Actor) -> ExternalTask:
    """Return a task; raises NotFound, also for what is not the actor's."""
    task = session.scalar(select(ExternalTask).where(ExternalTask.id == task_id, visible(actor)))
    if task is None:
        raise NotFound(f"External task with id {task_id} does not exist")
    return task


def search(actor: Actor, task: type[ExternalTask] = ExternalTask) -> Select[ExternalTask, Instance, Definition]:
    """Select the tasks that an actor may work on, of all or of some that were selected before (an alias)."""
    query = select(task, Instance, Definition).join(Instance, keys.its(task.instance_id, Instance))
    return query.join(Definition, Definition.id == Instance.definition_id).where(visible(actor, task))


def properties_of(session: Session, found: Found) -> Mapping[str, str]:
    """What is written on the element (`camunda:properties`)."""
    return definitions.get(session, found.definition.id).definition.elements[found.task.element].properties


def complete(session: Session, task_id: UUID, worker: str, *, actor: Actor, given: Given = NOTHING, local: Given = NOTHING) -> None:
    """Complete a task; a lock that has run out is enough, as long as nobody else has fetched it since.

    `local` variables are those of the task alone, for its outputs.  Raises InvalidInput when an error that is drawn on it cannot be told.
    """
    task = _held(session, task_id, worker, actor, to="complete")
    with execution.running(session, task.instance_id, actor=actor) as run:
        code = worker_errors.drawn(run, task, {**given.values, **local.values})
        if code is None:
            told = {"topic": task.topic, "element": task.element, "names": sorted(given.values)}  # whose a finding is (`findings`)
            journal.record(session, run.row, actor=actor, what="external task completed", **told)
            run.process.complete(task.wait, given.values, local=local.values)
            _remember(run, task, given, local)
        else:
            _raise_error(run, task, code, None, given, local)


def raise_error(
    session: Session, task_id: UUID, worker: str, code: str, *, message: str | None = None, actor: Actor, given: Given = NOTHING
) -> None:
    """Raise a BPMN error that the diagram may catch."""
    task = _held(session, task_id, worker, actor, to="raise an error at")
    with execution.running(session, task.instance_id, actor=actor) as run:
        _raise_error(run, task, code, message, given)


def _raise_error(run: Run, task: ExternalTask, code: str, message: str | None, given: Given, local: Given = NOTHING) -> None:
    told = {"code": code, "element": task.element, "names": sorted(given.values)}
    journal.record(run.session, run.row, actor=run.actor, what="external task raised an error", **told)
    run.process.raise_error(task.wait, code, message, given.values, local=local.values)
    _remember(run, task, given, local)


def _remember(run: Run, task: ExternalTask, given: Given, local: Given) -> None:
    variables.remember(run, given)
    run.row.types = run.row.types | variables.local_types(task.wait, local)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a worker could not do its task, and how often and when it may be tried again."""

    message: str
    details: str | None
    retries: int
    after: timedelta


def fail(
    session: Session, task_id: UUID, worker: str, failure: Failure, *, actor: Actor, given: Given = NOTHING, local: Given = NOTHING
) -> None:
    """Note a failure: the task is fetched again later, or stands as an incident when no retries are left.

    A failure that the diagram has drawn as an error (`camunda:errorEventDefinition`) is that error.
    """
    task = _held(session, task_id, worker, actor, to="fail")
    task.error_message, task.error_details = failure.message[:LONGEST_MESSAGE], failure.details
    with execution.running(session, task.instance_id, actor=actor) as run:
        try:
            code = worker_errors.drawn(run, task, {**given.values, **local.values})
        except InvalidInput:
            code = None  # what the worker has to say is not lost for that
        if code is not None:
            _raise_error(run, task, code, failure.message, given, local)
        else:
            task.lock_expires_at = moments.now() + failure.after
            retries.leave(session, task, failure.retries, task.error_message)
            variables.change(run, given, at=task.wait)
            if run.process.kind_of(task.wait):  # a condition may have taken it away
                variables.change(run, local, at=task.wait, local=True)
            variables.forget(run, given)


def extend(session: Session, task_id: UUID, worker: str, by: timedelta, *, actor: Actor) -> None:
    """Hold a task longer, counted from now; raises InvalidState when the lock has run out."""
    task = _held(session, task_id, worker, actor, to="extend the lock of")
    now = moments.now()
    if task.lock_expires_at is None or task.lock_expires_at <= now:
        raise InvalidState(f"Expected to extend the lock of external task {task_id}, but it has run out")
    task.lock_expires_at = now + by


def lock(session: Session, task_id: UUID, worker: str, duration: timedelta, *, actor: Actor) -> None:
    """Lock one task for a worker; raises InvalidState while another holds it."""
    task, now = _taken(session, task_id, actor), moments.now()
    instances.require_active(instances.lock(session, task.instance_id))
    if task.worker != worker and task.lock_expires_at is not None and task.lock_expires_at > now:
        raise InvalidState(f"Expected to lock external task {task_id} for {worker}, but {task.worker} holds it")
    task.worker, task.lock_expires_at = worker, now + duration


def unlock(session: Session, task_id: UUID, *, actor: Actor) -> None:
    """Give a task back at once."""
    task = _taken(session, task_id, actor)
    task.worker = task.lock_expires_at = None
    announce(session, task)


def set_retries(session: Session, task_id: UUID, left: int, *, actor: Actor) -> None:
    """Allow so many more attempts; above 0 the incident is over, at 0 it stands."""
    task = _taken(session, task_id, actor)
    retries.leave(session, task, left, task.error_message or "")
    if left:
        announce(session, task)


def set_all_retries(session: Session, task_ids: Collection[UUID], left: int, *, actor: Actor) -> None:
    """Allow so many more attempts at each of the tasks, in the order of their instances; raises NotFound when one is not there."""
    found = session.execute(select(ExternalTask.instance_id, ExternalTask.id).where(ExternalTask.id.in_(task_ids), visible(actor))).all()
    if missing := set(task_ids) - {row.id for row in found}:
        raise NotFound(f"External task with id {min(missing)} does not exist")
    for _instance, task_id in sorted(map(tuple, found)):
        set_retries(session, task_id, left, actor=actor)


def set_priority(session: Session, task_id: UUID, priority: int, *, actor: Actor) -> None:
    """Let a task be fetched before others, or after them."""
    _taken(session, task_id, actor).priority = priority


def visible(actor: Actor, task: type[ExternalTask] = ExternalTask) -> ColumnElement[bool]:
    """Tasks for workers: those of one's departments' items, and those of no item; never those that the engine does itself."""
    foreign = ~task.topic.startswith(steps.PREFIX, autoescape=True)
    if not actor.has(*WORKERS):
        return task.id.is_(None)
    departments = actor.departments()
    if departments is None or actor.has(Role.ADMIN):
        return foreign
    theirs = select(Item.id).where(Item.department.in_(departments))
    return foreign & or_(task.item_id.is_(None), task.item_id.in_(theirs))


def _taken(session: Session, task_id: UUID, actor: Actor) -> ExternalTask:
    """Take a task for this transaction; raises NotFound when it is over by now."""
    held = instances.lock(session, get(session, task_id, actor).instance_id)
    task = keys.read_anew(session, ExternalTask, task_id, held, lock=True)
    if task is None:
        raise NotFound(f"External task with id {task_id} does not exist")
    return task


def _held(session: Session, task_id: UUID, worker: str, actor: Actor, *, to: str) -> ExternalTask:
    task = _taken(session, task_id, actor)
    instances.require_active(instances.lock(session, task.instance_id))
    if task.worker != worker:
        raise InvalidState(f"Expected to {to} external task {task_id} as {worker}, but {task.worker or 'nobody'} holds it")
    return task


def announce(session: Session, task: ExternalTask) -> None:
    """Once this transaction is durable, wake the workers that wait for such a task."""
    topic = task.topic
    database.after_commit(session, lambda _db: arrivals.announce({topic}))
