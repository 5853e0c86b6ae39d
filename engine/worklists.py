"""Worklists (待办、台账): tasks and cases in pages, with the lights of today."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Select, String, and_, bindparam, case, cast, null, select, tuple_
from sqlalchemy.engine import result_tuple
from sqlalchemy.orm import Session

from bpmn.forms import Form
from engine import awaited, calendars, definitions, dials, earlier_items, keys, pages, postgresql, reads, tasks, visibility
from engine.actors import Actor
from engine.case_items import LiveItem
from engine.case_models import Case, Item
from engine.clock import Light
from engine.earlier_items import EarlierItem
from engine.errors import NotFound, Vanished
from engine.hindrances import Hindrance
from engine.models import Instance, Task
from engine.pages import Page, Some
from engine.reads import Read, Reading
from engine.states import TaskStatus
from engine.visibility import There

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which open tasks are asked for; None: all of them."""

    group: str | None = None
    assignee: str | None = None
    matter: str | None = None
    hall: str | None = None
    case: str | None = None
    due_before: datetime | None = None
    light: Light | None = None


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for; None: all of them."""

    matter: str | None = None
    hall: str | None = None
    applicant_number: str | None = None
    open: bool | None = None
    light: Light | None = None
    #: From the day of its submission to another one in Beijing, both included.
    since: date | None = None
    until: date | None = None


class WorkEntry(NamedTuple):
    """A task, as a worklist shows it."""

    id: UUID
    matter: str
    hall: str | None
    name: str
    element: str
    kind: str
    status: TaskStatus
    assignee: str | None
    priority: int
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    completed_by: str | None
    #: Numbers of its case, and of its item.
    case: str
    item: str | None
    item_name: str | None
    #: Name of who applies; None: a process without a matter.
    applicant: str | None
    groups: list[str]
    #: Of the item's clock, or of the bundle's when the task belongs to no item.
    light: Light | None
    #: Why nothing can be done about it, or not all: pauses, what the applicant owes, corrections.
    waits_for: list[Hindrance]


class WorkDetails(NamedTuple):
    """A task, and all that is shown of it."""

    entry: WorkEntry
    form: Form | None
    data: dict[str, Any] | None
    #: Of an open task of intake: what is applied for, and under way elsewhere already; None: of another one, or for whoever is not told.
    under_way: list[EarlierItem] | None


class _Start(NamedTuple):
    """Which tasks a part of a page is read from, and where it begins: first come all that have a due date, then the rest."""

    #: Tasks that have a due date; False: the rest.
    dated: bool
    #: It begins behind a task that was read before; False: with the first of them.
    goes_on: bool
    #: What is left is due after today, or has no due date.
    past: bool


#: What is read for an entry; its light is that of the item, or of the case where there is no item.
_OF_TASK = tuple(getattr(Task, name) for name in WorkEntry._fields if name in Task.__table__.c)
_LIGHTS = tuple(case((Task.item_id.is_(None), getattr(Case, name)), else_=getattr(Item, name)).label(name) for name in dials.LIGHTS)
#: What is read of a case in a list.
_NAMES = "id number matter hall entry applicant submitted_at submitted_by ended_at"
_OF_CASE = (*(getattr(Case, name) for name in (*_NAMES.split(), *dials.LIGHTS)), cast(Case.id, String).label("key"))
#: The first fields of an entry, in their order: a slice of the row, which takes a twentieth of the time of asking for each by its name.
_STORED = (*_OF_TASK, Case.number.label("case"), Item.number.label("item"), Item.name.label("item_name"))
_SHOWN = (*_STORED, Case.applicant, Task.sole_group, *_LIGHTS, *awaited.OF_TASK)
_DETAILS = (*_SHOWN, Task.data, Instance.definition_id)
#: Kinds of tasks that answer what was applied for.
_INTAKES = {"intake", "follow-on"}
_as_row = result_tuple([column.key for column in _DETAILS])


def find_tasks(
    session: Session, actor: Actor, wanted: TaskFilter, *, after: tuple[datetime | None, UUID] | None, limit: int
) -> list[WorkEntry]:
    """Open tasks of an actor, soonest due first, those without a due date last; from the one that follows `after`."""
    today = dials.today()
    *there, shown = session.execute(_glance(actor, wanted.light, today)).one()
    few = shown is not None and shown <= pages.RARE
    query = partial(_page, actor, wanted, today, limit, there=There._make(there), few=few)
    due_at, task_id = after or (None, None)
    found: list[Row[Any]] = []
    if after is None or due_at is not None:
        place = {"due_at": due_at, "id": task_id, "limit": limit}
        past = due_at is not None and due_at >= calendars.end_of(today)
        found += session.execute(query(_Start(dated=True, goes_on=due_at is not None, past=past)), place).all()
        task_id = None
    if len(found) < limit and wanted.due_before is None:
        found += session.execute(query(_Start(dated=False, goes_on=task_id is not None, past=True)), {"id": task_id, "limit": limit}).all()
    return _entries(session, found[:limit], today)


@functools.lru_cache(maxsize=256)
def _glance(actor: Actor, light: Light | None, today: date) -> Select[*tuple[Any, ...]]:
    """Build the query that tells which rare kinds of tasks there are (`There`), and how many have the wanted light (None: never few)."""
    some = _showing(light, today)
    shown = null() if some.since is None else pages.count(Task, some).scalar_subquery()
    return select(*visibility.what_is_there(actor), shown)


@functools.lru_cache(maxsize=256)
def _page(actor: Actor, wanted: TaskFilter, today: date, limit: int, start: _Start, *, there: There, few: bool) -> Select[Any]:
    """Build the query of a page.  To build it takes longer than to run it, and people ask for the same again and again."""
    last = {column: bindparam(column.key, type_=column.type) for column in (Task.due_at, Task.id)}
    if start.dated:
        place = tuple_(*last) > tuple_(*last.values()) if start.goes_on else Task.due_at.is_not(None)
    else:
        place = and_(Task.due_at.is_(None), Task.id > last[Task.id]) if start.goes_on else Task.due_at.is_(None)
    lights = _showing(wanted.light, today) if few else Some(dials.in_order(wanted.light, today, place, past=start.past))
    page = Page(
        table=Task,
        order=(Task.due_at, Task.id) if start.dated else (Task.id,),
        limit=pages.first(limit) if _is_steady(actor, wanted, there) else bindparam("limit", type_=Integer),
    )
    ways = visibility.ways_to_tasks(actor, wanted.group, there=there)
    where = [visibility.OPEN_TASK, *_conditions(wanted), *([place] if few else [])]
    return pages.narrow(_around(select(*_SHOWN)), page, ways, *where, some=lights)


def _is_steady(actor: Actor, wanted: TaskFilter, there: There) -> bool:
    """Whether each way is one value of an index in the order of the list: then one plan is best for all who ask for the same.

    With other filters it is not: a million tasks may be of a matter, or none, and the best way to find them depends on that.
    """
    sets = (actor.halls() or (), actor.groups())
    return wanted == TaskFilter(light=wanted.light) and not any(there) and all(len(names) < pages.FEW for names in sets)


def _showing(light: Light | None, today: date) -> Some:
    return Some([and_(visibility.OPEN_TASK, each) for each in dials.showing(Task, light, today)], dials.since(Task, light))


def _conditions(wanted: TaskFilter) -> Iterator[ColumnElement[bool]]:
    yield from reads.equal({Task.assignee: wanted.assignee, Task.matter: wanted.matter, Task.hall: wanted.hall})
    if wanted.case is not None:
        yield Task.case_id == select(Case.id).where(Case.number == wanted.case).scalar_subquery()
    if wanted.due_before is not None:
        yield Task.due_at < wanted.due_before


def find_cases(session: Session, actor: Actor, wanted: CaseFilter, *, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Cases of an actor, newest first; from the one that follows `after`.  A process without a matter is none."""
    today = dials.today()
    few = pages.are_few(session, Case, Some(dials.showing(Case, wanted.light, today), dials.since(Case, wanted.light)))
    # Whoever is looked for, what is asked is the same.
    alike = replace(wanted, applicant_number=None if wanted.applicant_number is None else "")
    query = _page_of_cases(actor, alike, today, few=few, goes_on=after is not None)
    given = {"id": after, "applicant_number": wanted.applicant_number, "limit": limit}
    # Not session.execute(), which prepares for objects: these are plain rows.
    return session.connection().execute(query, given).all()


@functools.lru_cache(maxsize=256)
def _page_of_cases(actor: Actor, wanted: CaseFilter, today: date, *, few: bool, goes_on: bool) -> Select[Any]:
    where = [Case.hall.is_not(None), *reads.equal({Case.matter: wanted.matter, Case.hall: wanted.hall})]
    if wanted.applicant_number is not None:
        where.append(Case.applicant_number == bindparam("applicant_number"))
    if wanted.open is not None:
        where.append(Case.ended_at.is_(None) if wanted.open else Case.ended_at.is_not(None))
    if goes_on:
        where.append(Case.id < bindparam("id"))
    where += pages.within(Case.id, Case.submitted_at, wanted.since, wanted.until)
    page = Page(table=Case, order=(Case.id,), limit=bindparam("limit", type_=Integer), newest=True)
    some = Some(dials.showing(Case, wanted.light, today), dials.since(Case, wanted.light) if few else None)
    return pages.narrow(select(*_OF_CASE), page, visibility.ways_to_cases(actor), *where, some=some)


def of_case(session: Session, case: Case) -> list[WorkEntry]:
    """Open tasks of a case and its items, oldest first."""
    query = _around(select(*_SHOWN)).where(keys.same_case(Task, case), Task.status == TaskStatus.OPEN).order_by(Task.id)
    return _entries(session, session.execute(query).all(), dials.today())


def _entries(session: Session, rows: Collection[Row[Any]], today: date) -> list[WorkEntry]:
    groups, entries, waiting = tasks.groups(session, rows), [], []
    for row in rows:  # a loop: a generator would be a call more for each
        name, light = row.applicant.get("name"), dials.light(row, today)
        entries.append(WorkEntry._make((*row[: len(_STORED)], name, groups[row.id], light, [])))
        if row.awaits:
            waiting.append(row)
    if not waiting:
        return entries
    waits = awaited.of_tasks(session, waiting)
    return [entry._replace(waits_for=waits.get(entry.id, [])) for entry in entries]


def details(session: Session, task_id: UUID, actor: Actor) -> WorkDetails:
    """One task with all that is shown of it, as it is now; raises NotFound, also for what is not the actor's."""
    session.flush()
    values = _detailed(actor).first(session.connection(), {"task": task_id})
    if values is None:
        raise NotFound(tasks.NOT_FOUND.format(task_id))
    found = _as_row(values)
    loaded = definitions.get(session, found.definition_id)
    form = definitions.form(session, loaded, loaded.definition.elements[found.element])
    (entry,) = _entries(session, [found], dials.today())
    asks = entry.kind in _INTAKES and entry.status is TaskStatus.OPEN
    under_way = earlier_items.under_way(session, actor, entry.case) if asks else None
    return WorkDetails(entry=entry, form=form, data=found.data, under_way=under_way)


@functools.lru_cache(maxsize=256)
def _detailed(actor: Actor) -> Read:
    query = _around(select(*_DETAILS)).join(Instance, keys.its(Task.instance_id, Instance))
    return Read(_DETAILS, query.where(Task.id == bindparam("task"), visibility.sees_task(actor)))


def _around(query: Select[*Columns]) -> Select[*Columns]:
    """Join what a worklist shows of the case and the item of a task."""
    return query.select_from(Task).join(Case, keys.same_case(Task, Case)).outerjoin(Item, keys.its(Task.item_id, Item))


def live_items(session: Session, rows: Collection[Row[Any]]) -> dict[str, list[LiveItem]]:
    """Items of many listed cases in one query, by their `key`; of two with one code only the later.

    Raises Vanished when one of the cases has just been archived: whoever begins anew finds it there.
    """
    arrays = postgresql.is_behind(session)
    found: dict[str, dict[str, LiveItem]] = {row.key: {} for row in rows}
    (listed,) = _items(arrays=arrays).all(session, {"cases": reads.ids(found, arrays=arrays)})
    for key, *item in listed:
        found[key][item[0]] = LiveItem._make(item)
    without = {row.id for row in rows if not found[row.key]}  # a bundle has taken its only item, or it is here no more
    if without and len(session.scalars(select(Case.id).where(Case.id.in_(without))).all()) < len(without):
        raise Vanished("Expected to list cases with their items, but one of them has just been archived; try again")
    return {key: list(items.values()) for key, items in found.items()}


@functools.cache
def _items(*, arrays: bool) -> Reading:
    query = select(*reads.texts(Item.case_id), Item.code, Item.status, Item.department)
    return Reading(query.where(reads.given(Item.case_id, "cases", arrays=arrays)).order_by(Item.joined_at, Item.number))
