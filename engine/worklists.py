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

    return _gather(page, limit, lambda rows: task_lights(session, rows), wanted.light)


def find_cases(session: Session, actor: Actor, wanted: CaseFilter, *, after: UUID | None, limit: int) -> Sequence[Case]:
    """Cases of an actor, newest first; from the one that follows `after`."""
    query = cases.search(actor, matter=wanted.matter, applicant_number=wanted.applicant_number)
    if wanted.open is not None:
        query = query.where(Case.ended_at.is_(None) if wanted.open else Case.ended_at.is_not(None))

    def page(last: Case | None, size: int) -> Sequence[Case]:
        place = last.id if last is not None else after
        return session.scalars((query if place is None else query.where(Case.id < place)).limit(size)).all()

    return _gather(page, limit, lambda rows: case_lights(session, rows), wanted.light)


def task_lights(session: Session, rows: Collection[Task]) -> dict[UUID, Light]:
    """Colour of each task: of its item's clock, or of the bundle's when it belongs to no item."""
    items = session.scalars(select(Item).where(Item.id.in_({row.item_id for row in rows if row.item_id}))).all()
    of_items = {**clocks.lights(session, items), **{item.id: Light.RED for item in items if item.accepted_by == "deemed"}}
    of_cases = case_lights(session, cases_of(session, rows).values())
    found = {row.id: of_items.get(row.item_id) if row.item_id else of_cases.get(row.case_id) for row in rows}
    return {task_id: light for task_id, light in found.items() if light is not None}


def case_lights(session: Session, rows: Collection[Case]) -> dict[UUID, Light]:
    """Colour of each bundle's own promise; cases whose clock has not started, or that have no promise, are left out."""
    today = calendars.local_date(datetime.now(UTC))
    started = {row.id: found for row in rows if (found := functions.bundle_ledger(row)) is not None}
    return {case_id: clock.light(*found, today, holidays.calendar(session)) for case_id, found in started.items()}


def cases_of(session: Session, rows: Collection[Task]) -> dict[UUID, Case]:
    """Cases of many tasks in one query, by id."""
    return {case.id: case for case in session.scalars(select(Case).where(Case.id.in_({row.case_id for row in rows})))}


def items_of(session: Session, rows: Collection[Task]) -> dict[UUID, Item]:
    """Items of many tasks in one query, by id."""
    query = select(Item).where(Item.id.in_({row.item_id for row in rows if row.item_id}))
    return {item.id: item for item in session.scalars(query)}


def live_items(session: Session, rows: Collection[Case]) -> dict[UUID, list[Item]]:
    """Items of many cases in one query, by case id; of two with one code only the later."""
    found: dict[UUID, dict[str, Item]] = {row.id: {} for row in rows}
    for item in session.scalars(select(Item).where(Item.case_id.in_(found)).order_by(Item.joined_at, Item.number)):
        found[item.case_id][item.code] = item
    return {case_id: list(items.values()) for case_id, items in found.items()}


def _gather(page: Pages[Row], limit: int, lights: Callable[[Sequence[Row]], Mapping[UUID, Light]], light: Light | None) -> Sequence[Row]:
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
