"""Deadlines (时限一览): what is due when, and in which light.  They are read in pages, the soonest due first."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Select, String, and_, bindparam, cast, exists, null, select, tuple_
from sqlalchemy.orm import Session

from engine import bundle_clock, dials, hindrances, holidays, item_clock, keys, matters, pages, reads, visibility
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.clock import DayUnit, DueDate, Ledger, Light, LimitKind
from engine.hindrances import Hindrance
from engine.pages import Page, Some
from engine.states import ClockStatus

#: A position in the list: the promised date (None: there is none; such deadlines come last), then the number of the item, or of the case.
Place = tuple[date | None, str]
#: The tables whose rows have a deadline.
Table = type[Item] | type[Case]


@dataclass(frozen=True, kw_only=True)
class DeadlineFilter:
    """Which deadlines are asked for; a field that is None leaves none out."""

    light: Light | None = None
    due_before: date | None = None
    department: str | None = None
    hall: str | None = None
    matter: str | None = None
    #: Whether the clock is paused; that of a bundle never is.
    paused: bool | None = None


class Deadline(NamedTuple):
    """One clock that runs, or is paused."""

    case: str
    #: None: the promise of the bundle itself.
    item: str | None
    name: str
    department: str | None
    clock: ClockStatus
    #: None while the clock is paused without a known end.
    promised: DueDate | None
    statutory: DueDate | None
    #: Days left after today of the promised limit; negative: overdue.
    remaining: int | None
    light: Light | None
    #: What holds it up.  Only lists fill this in: whoever looks at a case sees that elsewhere.
    waits_for: Sequence[Hindrance] = ()

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.promised.date if self.promised else None, self.item or self.case


_SHARED = ("number", "hall", "submitted_by", "promised_on", "promised_provisional")


def _columns(table: Table, *names: str) -> list[ColumnElement[Any]]:
    return [cast(table.id, String).label("id"), *(getattr(table, name) for name in (*names, *_SHARED, *dials.LIGHTS))]


#: Clocks that are shown without reading their ledger.
_BY_DIAL = {ClockStatus.RUNNING, ClockStatus.NOT_STARTED}
#: Which rows are still open.
_STILL: dict[Table, ColumnElement[bool]] = {Item: visibility.OPEN_ITEM, Case: Case.ended_at.is_(None)}
#: What is read of their clocks.
_READ: dict[Table, Select[Any]] = {
    Item: select(
        *_columns(Item, "code", "name", "department", "clock", "statutory_on", "statutory_provisional", "limits"),
        *(cast(Item.case_id, String).label("case_id"), Item.number.label("item"), Case.number.label("case")),
    ).join(Case, keys.same_case(Item, Case)),
    Case: select(*_columns(Case, "definition_id", "ended_at"), null().label("item"), Case.number.label("case")),
}


def open_ones(session: Session, actor: Actor, wanted: DeadlineFilter, *, after: Place | None, limit: int) -> list[Deadline]:
    """List the open clocks that the actor may see, the soonest due first: at most `limit`, beginning behind the position `after`."""
    due_on, number = after or (None, None)
    items, bundles = list[Row[Any]](), list[Row[Any]]()
    place = {"promised_on": due_on, "number": number, "limit": limit}
    if after is None or due_on is not None:
        items += _rows(session, actor, wanted, Item, place, dated=True)
        if wanted.department is None and not wanted.paused:
            bundles += _rows(session, actor, wanted, Case, place, dated=True)
        place["number"] = None
    if len(items) + len(bundles) < limit and wanted.due_before is None and wanted.light is not Light.RED:
        items += _rows(session, actor, wanted, Item, place, dated=False)
    return list(_shown(session, actor, sorted((*items, *bundles), key=_place)[:limit]))


def _shown(session: Session, actor: Actor, page: Sequence[Row[Any]]) -> Iterator[Deadline]:
    items, bundles = [row for row in page if row.item is not None], [row for row in page if row.item is None]
    ledgers = _ledgers(session, items)
    waits_for = hindrances.of_page(session, actor, items, bundles, ledgers)
    today = dials.today()
    for row in page:
        remaining, reasons = _left(session, row, ledgers.get(row.id), today), waits_for[row.id]
        if row.item is None:
            yield _of_case(session, row, remaining, today, reasons)
        else:
            yield _of_item(row, row.case, remaining, today, reasons)


def _ledgers(session: Session, items: Sequence[Row[Any]]) -> dict[str, Ledger]:
    """Read the ledgers of the items whose clock does not simply run; by the id that the list has, which is a text."""
    others = {UUID(item.id): item.id for item in items if item.clock not in _BY_DIAL}
    return {others[id_]: ledger for id_, ledger in item_clock.ledgers(session, others).items()} if others else {}


def _left(session: Session, row: Row[Any], ledger: Ledger | None, today: date) -> int | None:
    """Count the days that are left; None: the clock has no last day.

    A clock that runs needs no ledger.  Its last day is kept in the row, and is right as long as no new pause begins.
    """
    if ledger is None and row.promised_on is None:
        return None
    if ledger is not None:
        clock = item_clock.of(session, row, ledger)
        return clock.remaining(today) if clock else None
    promise, now = None if row.item is None else item_clock.limit(row, LimitKind.PROMISED), max(today, row.green_from)
    in_calendar_days = promise and promise.unit is DayUnit.CALENDAR
    return (row.promised_on - now).days if in_calendar_days else holidays.calendar(session).count(now, row.promised_on)


def _place(row: Row[Any]) -> tuple[bool, date, str]:
    return row.promised_on is None, row.promised_on or date.min, row.number


def _rows(
    session: Session, actor: Actor, wanted: DeadlineFilter, table: Table, place: dict[str, Any], *, dated: bool
) -> Sequence[Row[Any]]:
    """Read open items, or bundles, from a position on: those that have a date (`dated`), or those that have none."""
    today = dials.today()
    few = pages.are_few(session, table, _some(table, wanted, today, dated=dated))
    page = _page(actor, wanted, today, table, few=few, dated=dated, goes_on=place["number"] is not None)
    # Not session.execute(), which prepares for objects: these are plain rows.
    return session.connection().execute(page, place).all()


@functools.lru_cache(maxsize=256)
def _page(actor: Actor, wanted: DeadlineFilter, today: date, table: Table, *, few: bool, dated: bool, goes_on: bool) -> Select[Any]:
    """Build the query of a page.  It is kept, for to build it takes longer than to run it."""
    order = (table.promised_on, table.number) if dated else (table.number,)
    where = [_STILL[table], table.promised_on.is_not(None) if dated else table.promised_on.is_(None), *_conditions(table, wanted)]
    if dated and wanted.paused:
        where.append(table.promised_on < today)  # a pause before the last day takes that day away: what is paused and has one was overdue
    if goes_on:
        where.append(tuple_(*order) > tuple_(*(bindparam(column.key, type_=column.type) for column in order)))
    some = _some(table, wanted, today, dated=dated)
    ways = visibility.ways_to_items(actor) if table is Item else visibility.ways_to_cases(actor)
    page = Page(table=table, order=order, limit=bindparam("limit", type_=Integer))
    return pages.narrow(_READ[table], page, ways, *where, some=some if few else replace(some, since=None))


def _conditions(table: Table, wanted: DeadlineFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.due_before is not None:
        yield table.promised_on < wanted.due_before
    yield from reads.equal({Item.department: wanted.department, table.hall: wanted.hall})
    if wanted.paused is not None and table is Item:
        yield Item.clock == ClockStatus.PAUSED if wanted.paused else Item.clock != ClockStatus.PAUSED
    if wanted.matter is not None:
        yield Case.matter == wanted.matter if table is Case else exists().where(keys.same_case(Case, Item), Case.matter == wanted.matter)


def _some(table: Table, wanted: DeadlineFilter, today: date, *, dated: bool) -> Some:
    """Say which rows have the wanted light.

    The list is in the order of the last days: the red ones come before today, and the green ones after it.
    """
    lights, since = dials.showing(table, wanted.light, today), dials.since(table, wanted.light)
    if dated and wanted.light is Light.RED:
        lights = [and_(table.promised_on < today, light) for light in lights]
        since = None  # it stands at the beginning of the list
    if dated and wanted.light is Light.GREEN:
        still_to_come, for_good = lights
        lights = [and_(table.promised_on > today, still_to_come), for_good]
    return Some([and_(_STILL[table], light) for light in lights], since)


def of_case(session: Session, case: Case) -> Deadline | None:
    """Show the clock of the bundle's own promise; None when it has none."""
    clock, today = bundle_clock.of(session, case), dials.today()
    return None if clock is None else _of_case(session, case, clock.remaining(today), today)


def of_item(session: Session, item: Item, case_number: str, ledger: Ledger | None) -> Deadline:
    """Show the clock of an item; `ledger` is None when the clock has not started."""
    clock, today = item_clock.of(session, item, ledger), dials.today()
    return _of_item(item, case_number, clock.remaining(today) if clock else None, today)


def _of_case(session: Session, case: Case | Row[Any], remaining: int | None, today: date, waits_for: Sequence[Hindrance] = ()) -> Deadline:
    return Deadline(
        case=case.number,
        item=None,
        name=matters.of(session, case).name,
        department=None,
        clock=ClockStatus.STOPPED if case.ended_at else ClockStatus.RUNNING,
        promised=dials.promised(case),
        statutory=None,
        remaining=remaining,
        light=dials.light(case, today),
        waits_for=waits_for,
    )


def _of_item(item: Item | Row[Any], case: str, remaining: int | None, today: date, waits_for: Sequence[Hindrance] = ()) -> Deadline:
    return Deadline(
        case=case,
        item=item.number,
        name=item.name,
        department=item.department,
        clock=item.clock,
        promised=dials.promised(item),
        statutory=dials.statutory(item),
        remaining=remaining,
        light=dials.light(item, today),
        waits_for=waits_for,
    )
