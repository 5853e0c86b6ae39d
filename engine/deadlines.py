"""Deadlines (时限一览): what is due when, and in which light, as the clocks give it; read in pages, the soonest due first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.orm import Session

from engine import clock, clocks, dials, functions, holidays, pages, visibility
from engine.actors import Actor
from engine.case_models import Alert, Case, Item
from engine.clock import DueDate, Ledger, Light, LimitKind
from engine.states import UNSETTLED, ClockStatus

Row = TypeVar("Row", Item, Case)
#: Where a deadline stands in the list: its date (None: without one, at the end), then the number of its item, or of its case.
Place = tuple[date | None, str]


@dataclass(frozen=True, kw_only=True)
class DeadlineFilter:
    """Which deadlines are asked for; None: all of them."""

    light: Light | None = None
    due_before: date | None = None
    department: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deadline:
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

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.promised.date if self.promised else None, self.item or self.case


def open_ones(session: Session, actor: Actor, wanted: DeadlineFilter, *, after: Place | None, limit: int) -> list[Deadline]:
    """Running clocks that the actor may see, the soonest due first; so many at most, from the one that follows `after`."""
    due_on, number = after or (None, None)
    found: list[Item | Case] = []
    if after is None or due_on is not None:
        found += _dated(session, Item, visibility.ways_to_items(actor), wanted, after, limit)
        if wanted.department is None:
            bundles = _dated(session, Case, visibility.ways_to_cases(actor), wanted, after, limit)
            found += [row for row in bundles if functions.bundle_ledger(row) is not None]
        number = None
    if len(found) < limit and wanted.due_before is None:
        undated = and_(Item.promised_on.is_(None), *((Item.number > number,) if number is not None else ()))
        light, rare = dials.asked(Item, wanted.light, visibility.OPEN_ITEM)
        where = (visibility.OPEN_ITEM, undated, *_conditions(Item, wanted), *light)
        found += pages.first(session, Item, visibility.ways_to_items(actor), *where, order=(Item.number,), limit=limit, rare=rare)
    page = sorted(found, key=_place)[:limit]
    items = [row for row in page if isinstance(row, Item)]
    numbers = {row.id: row.number for row in session.execute(select(Case.id, Case.number).where(Case.id.in_({i.case_id for i in items})))}
    shown = [*of_items(session, [(item, numbers[item.case_id]) for item in items])]
    shown += [each for row in page if isinstance(row, Case) and (each := of_case(session, row))]
    return sorted(shown, key=lambda each: (each.promised is None, *each.place))


def _place(row: Item | Case) -> tuple[bool, date, str]:
    return row.promised_on is None, row.promised_on or date.min, row.number


def _dated(
    session: Session, table: type[Row], ways: visibility.Ways, wanted: DeadlineFilter, after: Place | None, limit: int
) -> Sequence[Row]:
    """Open items, or bundles, that have a date."""
    follow = tuple_(table.promised_on, table.number) > tuple_(*after) if after else table.promised_on.is_not(None)
    still: ColumnElement[bool] = visibility.OPEN_ITEM if table is Item else Case.ended_at.is_(None)
    asked: dials.Asked = dials.asked(table, wanted.light, still)
    where = [still, follow, *_conditions(table, wanted), *asked[0]]
    return pages.first(session, table, ways, *where, order=(table.promised_on, table.number), limit=limit, rare=asked[1])


def _conditions(table: type[Row], wanted: DeadlineFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.due_before is not None:
        yield table.promised_on < wanted.due_before
    if wanted.department is not None:
        yield Item.department == wanted.department


def of_items(session: Session, items: Sequence[tuple[Item, str]]) -> list[Deadline]:
    """The clocks of items, each given with the number of its case; one query however many they are."""
    ledgers = clocks.ledgers(session, [item.id for item, _ in items])
    return [_read(session, item, number, ledgers.get(item.id)) for item, number in items]


def of_case(session: Session, case: Case) -> Deadline | None:
    """The clock of the bundle's own promise; None when it has none."""
    found = functions.bundle_ledger(case)
    if found is None:
        return None
    return Deadline(
        case=case.number,
        item=None,
        name=case.matter,
        department=None,
        clock=ClockStatus.STOPPED if case.ended_at else ClockStatus.RUNNING,
        promised=dials.promised(case),
        statutory=None,
        remaining=clock.remaining(*found, dials.today(), holidays.calendar(session)),
        light=dials.light(case, dials.today()),
    )


def computed_due(session: Session, case: Case) -> DueDate | None:
    """When the bundle is due by its items: the latest of their promises (the published promise stands beside it)."""
    dues = [clocks.due(session, item) for item in functions.live_items(case) if item.status in UNSETTLED]
    known = [due for due in dues if due is not None]
    return max(known, key=lambda due: due.date) if known else None


def alerts_of(session: Session, case: Case) -> list[Alert]:
    """Supervision events of a case, oldest first."""
    return list(session.scalars(select(Alert).where(Alert.case_id == case.id).order_by(Alert.id)))


def _read(session: Session, item: Item, case_number: str, ledger: Ledger | None) -> Deadline:
    promise, today = clocks.limit(item, LimitKind.PROMISED), dials.today()
    return Deadline(
        case=case_number,
        item=item.number,
        name=item.name,
        department=item.department,
        clock=item.clock,
        promised=dials.promised(item),
        statutory=dials.statutory(item),
        remaining=clock.remaining(ledger, promise, today, holidays.calendar(session)) if ledger and promise else None,
        light=dials.light(item, today),
    )
