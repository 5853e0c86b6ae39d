"""Worklists (待办、台账): tasks and cases in pages, with the lights of today."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from engine import calendars, cases, clock, clocks, functions, holidays, tasks
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.clock import Light
from engine.models import Task

#: How many rows are looked at in one go when a light is asked for, which no column says.
BATCH = 200
Row = TypeVar("Row", Task, Case)
#: Gives the rows that follow one (None: from the beginning), so many at most.
Pages = Callable[[Row | None, int], Sequence[Row]]


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


def find_tasks(
    session: Session, actor: Actor, wanted: TaskFilter, *, after: tuple[datetime | None, UUID] | None, limit: int
) -> Sequence[Task]:
    """Open tasks of an actor, soonest due first, those without a due date last; from the one that follows `after`."""
    query = tasks.search(actor, group=wanted.group, assignee=wanted.assignee, matter=wanted.matter)
    if wanted.case is not None:
        query = query.where(Task.case_id.in_(select(Case.id).where(Case.number == wanted.case)))
    if wanted.due_before is not None:
        query = query.where(Task.due_at < wanted.due_before)

    def page(last: Task | None, size: int) -> Sequence[Task]:
        place = (last.due_at, last.id) if last is not None else after
        return session.scalars((query if place is None else query.where(_later(*place))).limit(size)).all()

    return _gather(page, limit, lambda rows: {entry.task.id: entry.light for entry in entries(session, rows)}, wanted.light)


def find_cases(session: Session, actor: Actor, wanted: CaseFilter, *, after: UUID | None, limit: int) -> Sequence[Case]:
    """Cases of an actor, newest first; from the one that follows `after`."""
    query = cases.search(actor, matter=wanted.matter, applicant_number=wanted.applicant_number)
    if wanted.open is not None:
        query = query.where(Case.ended_at.is_(None) if wanted.open else Case.ended_at.is_not(None))

    def page(last: Case | None, size: int) -> Sequence[Case]:
        place = last.id if last is not None else after
        return session.scalars((query if place is None else query.where(Case.id < place)).limit(size)).all()

    return _gather(page, limit, lambda rows: case_lights(session, rows), wanted.light)


def entries(session: Session, rows: Collection[Task]) -> list[WorkEntry]:
    """Tasks with what a worklist shows of them, in their order; three queries however many they are."""
    query = select(Task.id, Case, Item).join(Case, Task.case_id == Case.id).outerjoin(Item, Task.item_id == Item.id)
    around = {task_id: (case, item) for task_id, case, item in session.execute(query.where(Task.id.in_([row.id for row in rows])))}
    of_items = clocks.lights(session, [item for _, item in around.values() if item is not None])
    of_cases = case_lights(session, {case for case, item in around.values() if item is None})
    groups = tasks.groups(session, [row.id for row in rows])
    return [
        WorkEntry(
            task=row,
            case=around[row.id][0],
            item=around[row.id][1],
            groups=groups[row.id],
            light=of_items.get(row.item_id) if row.item_id else of_cases.get(row.case_id),
        )
        for row in rows
    ]


def case_lights(session: Session, rows: Collection[Case]) -> dict[UUID, Light]:
    """Colour of each bundle's own promise; cases whose clock has not started, or that have no promise, are left out."""
    today = calendars.local_date(datetime.now(UTC))
    started = {row.id: found for row in rows if (found := functions.bundle_ledger(row)) is not None}
    return {case_id: clock.light(*found, today, holidays.calendar(session)) for case_id, found in started.items()}


def live_items(session: Session, rows: Collection[Case]) -> dict[UUID, list[Item]]:
    """Items of many cases in one query, by case id; of two with one code only the later."""
    found: dict[UUID, dict[str, Item]] = {row.id: {} for row in rows}
    for item in session.scalars(select(Item).where(Item.case_id.in_(found)).order_by(Item.joined_at, Item.number)):
        found[item.case_id][item.code] = item
    return {case_id: list(items.values()) for case_id, items in found.items()}


def _gather(
    page: Pages[Row], limit: int, lights: Callable[[Sequence[Row]], Mapping[UUID, Light | None]], light: Light | None
) -> Sequence[Row]:
    """Take rows until there are enough of the colour that is asked for."""
    if light is None:
        return page(None, limit)
    kept: list[Row] = []
    last: Row | None = None
    while len(kept) < limit and (rows := page(last, BATCH)):
        colours = lights(rows)
        kept += [row for row in rows if colours.get(row.id) is light]
        last = rows[-1]
    return kept[:limit]


def _later(due_at: datetime | None, task_id: UUID) -> ColumnElement[bool]:
    """What follows a place in the order: due date, none last, then id."""
    if due_at is None:
        return and_(Task.due_at.is_(None), Task.id > task_id)
    return or_(Task.due_at > due_at, and_(Task.due_at == due_at, Task.id > task_id), Task.due_at.is_(None))
