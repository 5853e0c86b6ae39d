"""Projection: what an instance waits for becomes rows — tasks, timers, subscriptions, external tasks, incidents.

Worklists, the scheduler and correlation read these rows only, never the token state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import Wait, WaitKind
from engine import models
from engine.case_models import Case
from engine.definitions import Loaded
from engine.states import TaskStatus, move


def project(session: Session, row: models.Instance, loaded: Loaded, case: Case, waits: Iterable[Wait], *, known: frozenset[int]) -> None:
    """Make the rows equal the waits: insert what is new, end what is gone, move timers whose due date moved."""
    current = {(w.id, w.kind): w for w in waits}
    _end_tasks(session, row, current)
    _project_timers(session, row, current)
    _project_incidents(session, row, current)
    _drop(session, models.Subscription, row, {w for w, kind in current if kind is WaitKind.MESSAGE})
    _drop(session, models.ExternalTask, row, {w for w, kind in current if kind is WaitKind.EXTERNAL_TASK})
    present = _present(session, row) if known else frozenset()
    for (wait_id, kind), wait in current.items():
        if (wait_id, kind) not in present and kind in _INSERT:
            _INSERT[kind](session, row, loaded, case, wait)


def _present(session: Session, row: models.Instance) -> frozenset[tuple[int, WaitKind]]:
    tables: tuple[tuple[Any, WaitKind], ...] = (
        (models.Task, WaitKind.USER_TASK),
        (models.Subscription, WaitKind.MESSAGE),
        (models.ExternalTask, WaitKind.EXTERNAL_TASK),
    )
    found: set[tuple[int, WaitKind]] = set()
    for table, kind in tables:
        found.update((wait, kind) for wait in session.scalars(select(table.wait).where(table.instance_id == row.id)))
    return frozenset(found)


def _end_tasks(session: Session, row: models.Instance, current: Mapping[tuple[int, WaitKind], Wait]) -> None:
    open_tasks = select(models.Task).where(models.Task.instance_id == row.id, models.Task.status == TaskStatus.OPEN)
    for task in session.scalars(open_tasks):
        if (task.wait, WaitKind.USER_TASK) not in current:
            task.status, task.ended_at = move(task.status, TaskStatus.CANCELED, f"task {task.id}"), datetime.now(UTC)


def _project_timers(session: Session, row: models.Instance, current: Mapping[tuple[int, WaitKind], Wait]) -> None:
    timers = {t.wait: t for t in session.scalars(select(models.Timer).where(models.Timer.instance_id == row.id))}
    waiting = {w: wait for (w, kind), wait in current.items() if kind is WaitKind.TIMER}
    for wait_id, timer in timers.items():
        if wait_id not in waiting:
            session.delete(timer)
        else:
            timer.due_at = waiting[wait_id].due_at
    for wait_id, wait in waiting.items():
        if wait_id not in timers:
            session.add(models.Timer(case_id=row.case_id, instance_id=row.id, wait=wait_id, element=wait.element, due_at=wait.due_at))


def _project_incidents(session: Session, row: models.Instance, current: Mapping[tuple[int, WaitKind], Wait]) -> None:
    query = select(models.Incident).where(
        models.Incident.instance_id == row.id, models.Incident.wait.is_not(None), models.Incident.resolved_at.is_(None)
    )
    standing = {i.wait: i for i in session.scalars(query)}
    failing = {w: wait for (w, kind), wait in current.items() if kind is WaitKind.INCIDENT}
    for wait_id, incident in standing.items():
        if wait_id not in failing and (wait_id, WaitKind.EXTERNAL_TASK) not in current:
            incident.resolved_at = datetime.now(UTC)
    for wait_id, wait in failing.items():
        if wait_id not in standing:
            session.add(
                models.Incident(
                    case_id=row.case_id,
                    instance_id=row.id,
                    wait=wait_id,
                    element=wait.element,
                    message=wait.error or "",
                    raised_at=datetime.now(UTC),
                )
            )


def _drop(session: Session, table: type[models.Subscription | models.ExternalTask], row: models.Instance, waiting: set[int]) -> None:
    rows: Any = session.scalars(select(table).where(table.instance_id == row.id))
    for found in rows:
        if found.wait not in waiting:
            session.delete(found)


def _insert_task(session: Session, row: models.Instance, loaded: Loaded, case: Case, wait: Wait) -> None:
    element = loaded.process.elements[wait.element]
    task = models.Task(
        case_id=row.case_id,
        item_id=row.item_id,
        instance_id=row.id,
        wait=wait.id,
        element=wait.element,
        name=element.name or element.id,
        kind=element.properties.get("onething.kind", "work"),
        matter=case.matter,
        hall=case.hall,
        assignee=wait.assignee,
        priority=wait.priority,
        due_at=wait.task_due_at,
        created_at=datetime.now(UTC),
    )
    session.add(task)
    session.flush()
    session.add_all(models.TaskGroup(task_id=task.id, name=group) for group in dict.fromkeys(wait.groups))


def _insert_subscription(session: Session, row: models.Instance, _loaded: Loaded, _case: Case, wait: Wait) -> None:
    session.add(models.Subscription(case_id=row.case_id, instance_id=row.id, wait=wait.id, element=wait.element, message=wait.name or ""))


def _insert_external(session: Session, row: models.Instance, _loaded: Loaded, _case: Case, wait: Wait) -> None:
    session.add(
        models.ExternalTask(
            case_id=row.case_id,
            instance_id=row.id,
            wait=wait.id,
            element=wait.element,
            topic=wait.name or "",
            created_at=datetime.now(UTC),
        )
    )


_INSERT = {
    WaitKind.USER_TASK: _insert_task,
    WaitKind.MESSAGE: _insert_subscription,
    WaitKind.EXTERNAL_TASK: _insert_external,
}
