"""Worklists (待办、台账): tasks and cases in pages, with the lights of today."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, select, true, tuple_
from sqlalchemy.orm import Session, load_only

from bpmn.forms import Form
from engine import definitions, dials, pages, tasks, visibility
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.clock import Light
from engine.errors import NotFound
from engine.models import Instance, Task

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which open tasks are asked for; None: all of them."""

    group: str | None = None
    assignee: str | None = None
    matter: str | None = None
    case: str | None = None
    due_before: datetime | None = None
    light: Light | None = None


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for; None: all of them."""

    matter: str | None = None
    applicant_number: str | None = None
    open: bool | None = None
    light: Light | None = None


@dataclass(frozen=True, kw_only=True)
class WorkEntry:
    """A task, and what a worklist shows of it."""

    task: Task
    case: Case
    item: Item | None
    groups: list[str]
    #: Of the item's clock, or of the bundle's when the task belongs to no item.
    light: Light | None


@dataclass(frozen=True, kw_only=True)
class WorkDetails(WorkEntry):
    """A task, and all that is shown of it."""

    form: Form | None


def find_tasks(
    session: Session, actor: Actor, wanted: TaskFilter, *, after: tuple[datetime | None, UUID] | None, limit: int
) -> Sequence[Task]:
    """Open tasks of an actor, soonest due first, those without a due date last; from the one that follows `after`."""
    ways = visibility.ways_to_tasks(session, actor, wanted.group)
    light, rare = dials.asked(Task, wanted.light, visibility.OPEN_TASK)
    where = (visibility.OPEN_TASK, *_conditions(wanted), *light)
    due_at, task_id = after or (None, None)
    found: list[Task] = []
    if after is None or due_at is not None:
        dated = Task.due_at.is_not(None) if due_at is None else tuple_(Task.due_at, Task.id) > tuple_(due_at, task_id)
        found += pages.first(session, Task, ways, *where, dated, order=(Task.due_at, Task.id), limit=limit, rare=rare)
        task_id = None
    if len(found) < limit and wanted.due_before is None:
        undated = Task.due_at.is_(None) if task_id is None else and_(Task.due_at.is_(None), Task.id > task_id)
        found += pages.first(session, Task, ways, *where, undated, order=(Task.id,), limit=limit - len(found), rare=rare)
    return found


def _conditions(wanted: TaskFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.assignee is not None:
        yield Task.assignee == wanted.assignee
    if wanted.matter is not None:
        yield Task.matter == wanted.matter
    if wanted.case is not None:
        yield Task.case_id == select(Case.id).where(Case.number == wanted.case).scalar_subquery()
    if wanted.due_before is not None:
        yield Task.due_at < wanted.due_before


def find_cases(session: Session, actor: Actor, wanted: CaseFilter, *, after: UUID | None, limit: int) -> Sequence[Case]:
    """Cases of an actor, newest first; from the one that follows `after`.  A process without a matter is none."""
    light, rare = dials.asked(Case, wanted.light, true())
    where: list[ColumnElement[bool]] = [Case.hall.is_not(None), *light]
    if wanted.matter is not None:
        where.append(Case.matter == wanted.matter)
    if wanted.applicant_number is not None:
        where.append(Case.applicant_number == wanted.applicant_number)
    if wanted.open is not None:
        where.append(Case.ended_at.is_(None) if wanted.open else Case.ended_at.is_not(None))
    if after is not None:
        where.append(Case.id < after)
    return pages.first(session, Case, visibility.ways_to_cases(actor), *where, order=(Case.id,), limit=limit, newest=True, rare=rare)


def entries(session: Session, rows: Collection[Task]) -> list[WorkEntry]:
    """Tasks with what a worklist shows of them, in their order; two queries however many they are."""
    query = _around(select(Task.id, Case, Item)).where(Task.id.in_([row.id for row in rows]))
    around = {task_id: (case, item) for task_id, case, item in session.execute(query)}
    groups, today = tasks.groups(session, rows), dials.today()
    return [
        WorkEntry(task=row, case=case, item=item, groups=groups[row.id], light=dials.light(item or case, today))
        for row in rows
        for case, item in [around[row.id]]
    ]


def details(session: Session, task_id: UUID, actor: Actor) -> WorkDetails:
    """One task with all that is shown of it, as it is now; raises NotFound, also for what is not the actor's."""
    found = session.execute(_detailed(actor), {"task": task_id}, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(tasks.NOT_FOUND.format(task_id))
    task, case, item, definition = found
    loaded = definitions.get(session, definition)
    return WorkDetails(
        task=task,
        case=case,
        item=item,
        groups=tasks.groups(session, [task])[task_id],
        light=dials.light(item or case, dials.today()),
        form=definitions.form(session, loaded, loaded.process.elements[task.element]),
    )


@functools.lru_cache(maxsize=256)
def _detailed(actor: Actor) -> Select[Task, Case, Item, UUID]:
    query = _around(select(Task, Case, Item, Instance.definition_id)).join(Instance, Task.instance_id == Instance.id)
    return query.where(Task.id == bindparam("task"), visibility.sees_task(actor))


def _around(query: Select[*Columns]) -> Select[*Columns]:
    """Join what a worklist shows of the case and the item of a task."""
    lights = [[getattr(table, name) for name in dials.LIGHTS] for table in (Case, Item)]
    shown = load_only(Case.number, Case.applicant, *lights[0]), load_only(Item.number, *lights[1])
    return query.join(Case, Task.case_id == Case.id).outerjoin(Item, Task.item_id == Item.id).options(*shown)


def case_lights(rows: Collection[Case]) -> dict[UUID, Light | None]:
    """Colour of each bundle's own promise; None when its clock has not started, or it has no promise."""
    today = dials.today()
    return {row.id: dials.light(row, today) for row in rows}


def live_items(session: Session, rows: Collection[Case]) -> dict[UUID, list[Item]]:
    """Items of many cases in one query, by case id; of two with one code only the later."""
    found: dict[UUID, dict[str, Item]] = {row.id: {} for row in rows}
    for item in session.scalars(select(Item).where(Item.case_id.in_(found)).order_by(Item.joined_at, Item.number)):
        found[item.case_id][item.code] = item
    return {case_id: list(items.values()) for case_id, items in found.items()}
