"""Projection: what an instance waits for becomes rows — tasks, timers, subscriptions, external tasks, incidents.

Worklists, the scheduler and correlation read these rows only, never the token state.  This is the hottest path of the engine, so rows are
read only where something of their kind can have changed since the instance was woken, and written in bulk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from bpmn.definition import Element
from bpmn.instance import Instance as Process
from bpmn.waits import Wait, WaitKind
from engine import arrivals, database, dials, models, retries
from engine.case_models import Case, Item
from engine.columns import new_id
from engine.definitions import Loaded
from engine.models import ExternalTask, Incident, Subscription, Task, TaskGroup, TaskUser, Timer
from engine.schedule_models import Continuation
from engine.states import TaskStatus, move

Waits = dict[int, Wait]
_Projected = Timer | Subscription | ExternalTask | Continuation


def _table(model: type[models.Base]) -> Table:
    """The table itself: statements about it leave the objects of the session alone, which is what makes them fast."""
    return cast("Table", model.__table__)


@dataclass(kw_only=True)
class Change:
    """What an instance waits for now, against what it waited for when it was woken."""

    row: models.Instance
    #: Now, by kind and id.
    now: dict[WaitKind, Waits] = field(default_factory=lambda: defaultdict(dict))
    #: Then, by kind.
    before: dict[WaitKind, set[int]] = field(default_factory=lambda: defaultdict(set))
    #: What was taken away unfinished.
    canceled: frozenset[int]
    #: Timers that have failed too often to be tried again.
    exhausted: set[int] = field(default_factory=set)

    def new(self, kind: WaitKind) -> list[Wait]:
        """Waits that have come up."""
        return [wait for wait in self.now[kind].values() if wait.id not in self.before[kind]]

    def gone(self, kind: WaitKind) -> set[int]:
        """Ids of waits that are over."""
        return self.before[kind] - self.now[kind].keys()


def project(
    session: Session, row: models.Instance, loaded: Loaded, case: Case, process: Process, *, before: Mapping[int, WaitKind]
) -> None:
    """Make the rows equal the waits: end what is gone, move what is due at another time now, insert what is new."""
    change = Change(row=row, canceled=process.canceled())
    for wait in process.waits():
        change.now[wait.kind][wait.id] = wait
    for wait_id, kind in before.items():
        change.before[kind].add(wait_id)

    _project_tasks(session, change)
    _insert_tasks(session, row, loaded, case, change.new(WaitKind.USER_TASK))
    failed_before = _project_timers(session, change)
    if failed_before or any(change.now[kind] or change.before[kind] for kind in (WaitKind.INCIDENT, *_FAILING)):
        _project_incidents(session, change)
    for table, kind, particulars in _PLAIN:
        _delete(session, table, row, change.gone(kind))
        _insert(session, table, [_common(row, wait) | particulars(row, wait) for wait in change.new(kind)])
    if topics := {wait.name or "" for wait in change.new(WaitKind.EXTERNAL_TASK)}:
        database.after_commit(session, lambda _db: arrivals.announce(topics))


def _project_tasks(session: Session, change: Change) -> None:
    """Cancel what was taken away, and move due dates.  A task that somebody has completed is marked already."""
    waiting, before = change.now[WaitKind.USER_TASK], change.before[WaitKind.USER_TASK]
    if not before & (waiting.keys() | change.canceled):
        return
    open_tasks = select(Task).where(Task.instance_id == change.row.id, Task.status == TaskStatus.OPEN)
    for task in session.scalars(open_tasks):
        if task.wait in waiting:
            task.due_at = waiting[task.wait].task_due_at
        else:
            task.status, task.ended_at = move(task.status, TaskStatus.CANCELED, f"task {task.id}"), datetime.now(UTC)


def _insert_tasks(session: Session, row: models.Instance, loaded: Loaded, case: Case, waits: Iterable[Wait]) -> None:
    tasks, groups, users = [], [], []
    clock = session.get_one(Item, row.item_id) if row.item_id else case  # the item of an instance is in the session already
    for wait in waits:
        task = _common(row, wait) | _task(loaded.process.elements[wait.element], case, wait) | dials.lights(clock)
        task |= {"id": new_id(), "item_id": row.item_id}
        tasks.append(task)
        groups += [{"task_id": task["id"], "name": group} for group in dict.fromkeys(wait.groups)]
        users += [{"task_id": task["id"], "name": user} for user in dict.fromkeys(wait.users)]
    _insert(session, Task, tasks)
    _insert(session, TaskGroup, groups)
    _insert(session, TaskUser, users)


def _task(element: Element, case: Case, wait: Wait) -> dict[str, Any]:
    return {
        "name": wait.title,
        "description": wait.description,
        "kind": element.properties.get("onething.kind", "work"),
        "matter": case.matter,
        "hall": case.hall,
        "submitted_by": case.submitted_by,
        "sole_group": only(wait.groups),
        "assignee": wait.assignee,
        "priority": wait.priority,
        "due_at": wait.task_due_at,
        "follow_up_at": wait.follow_up_at,
        "created_at": datetime.now(UTC),
    }


def only(groups: Collection[str]) -> str | None:
    """The group of a task that has just one, by which lists find it at once."""
    found = set(groups)
    return found.pop() if len(found) == 1 else None


def _project_timers(session: Session, change: Change) -> bool:
    """Delete, move and set timers.  Tells whether an incident stood on one: it could not go off, or (it has no row) not be evaluated."""
    row, waiting, before = change.row, change.now[WaitKind.TIMER], change.before[WaitKind.TIMER]
    if not waiting:
        failed = _delete(session, Timer, row, before, _TIMERS.c.retries > 0) < len(before)
        if failed:
            _delete(session, Timer, row, before)
        return failed
    query = select(Timer.wait, Timer.due_at, Timer.retries).where(Timer.instance_id == row.id)
    found = session.execute(query).all() if before else ()
    due = {timer.wait: timer.due_at for timer in found}
    change.exhausted = {timer.wait for timer in found if not timer.retries}
    _delete(session, Timer, row, due.keys() - waiting.keys())
    moved = [wait for wait in waiting.values() if wait.id in due and wait.due_at != due[wait.id]]
    if moved:
        session.execute(_MOVE, [{"instance": row.id, "number": wait.id, "to": wait.due_at} for wait in moved])
    _insert(
        session,
        Timer,
        [_common(row, wait) | {"due_at": wait.due_at, "holder": wait.holder} for wait in waiting.values() if wait.id not in due],
    )
    return len(due) < len(before) or not change.exhausted <= waiting.keys()


_TIMERS = _table(Timer)
_MOVE = (
    update(_TIMERS)
    .where(_TIMERS.c.instance_id == bindparam("instance"), _TIMERS.c.wait == bindparam("number"))
    .values(due_at=bindparam("to"))
)


#: Waits on which an incident may stand while they go on waiting: a worker has failed, or the engine itself.
_FAILING = (WaitKind.EXTERNAL_TASK, WaitKind.JOB)


def _project_incidents(session: Session, change: Change) -> None:
    """Resolve what goes on again, and raise what fails now; a step that failed has its incident already."""
    row, failing = change.row, change.now[WaitKind.INCIDENT]
    query = select(Incident).where(Incident.instance_id == row.id, Incident.wait.is_not(None), Incident.resolved_at.is_(None))
    standing = {incident.wait: incident for incident in session.scalars(query)}
    for wait_id, incident in standing.items():
        stays = any(wait_id in change.now[kind] for kind in _FAILING) or wait_id in change.exhausted & change.now[WaitKind.TIMER].keys()
        if wait_id not in failing and not stays:
            incident.resolved_at = datetime.now(UTC)
    raised = [wait for wait in failing.values() if wait.id not in standing]
    _insert(session, Incident, [_common(row, wait) | {"message": wait.error or "", "raised_at": datetime.now(UTC)} for wait in raised])


def _subscription(_row: models.Instance, wait: Wait) -> dict[str, Any]:
    return {"kind": str(wait.kind), "name": wait.name or "", "holder": wait.holder}


def _topic(row: models.Instance, wait: Wait) -> dict[str, Any]:
    return {"topic": wait.name or "", "item_id": row.item_id, "priority": wait.priority, "created_at": datetime.now(UTC)}


def _continuation(_row: models.Instance, wait: Wait) -> dict[str, Any]:
    now = datetime.now(UTC)
    times = retries.read(wait.retry_cycle).times
    return {"priority": wait.priority, "retry_cycle": wait.retry_cycle, "retries": times, "created_at": now, "due_at": now}


#: Rows that come and go with their waits and never change in between.
_PLAIN = (
    (Subscription, WaitKind.MESSAGE, _subscription),
    (Subscription, WaitKind.SIGNAL, _subscription),
    (ExternalTask, WaitKind.EXTERNAL_TASK, _topic),
    (Continuation, WaitKind.JOB, _continuation),
)


def rename(session: Session, row: models.Instance, process: Process) -> None:
    """Let subscriptions follow what their waits are called now (a new version of the diagram says it otherwise)."""
    for table, kind, particulars in _PLAIN:
        for wait in process.waits(kind) if table is Subscription else ():
            mine = (_table(table).c.instance_id == row.id, _table(table).c.wait == wait.id)
            session.execute(update(_table(table)).where(*mine).values(particulars(row, wait)))


def _common(row: models.Instance, wait: Wait) -> dict[str, Any]:
    return {"case_id": row.case_id, "instance_id": row.id, "wait": wait.id, "element": wait.element}


def _insert(session: Session, table: type[models.Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(_table(table)), rows)


def _delete(session: Session, table: type[_Projected], row: models.Instance, waits: Collection[int], *more: ColumnElement[bool]) -> int:
    if not waits:
        return 0
    columns = _table(table).c
    gone = delete(_table(table)).where(columns.instance_id == row.id, columns.wait.in_(waits), *more)
    return cast("CursorResult[Any]", session.execute(gone)).rowcount
