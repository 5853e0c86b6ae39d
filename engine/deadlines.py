"""Deadlines (时限一览): what is due when, and in which light; computed from the ledgers at the moment of the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine import calendars, cases, clock, clocks, functions, holidays
from engine.actors import Actor
from engine.case_models import Alert, Case, Item
from engine.clock import DueDate, Ledger, Light, LimitKind
from engine.states import UNSETTLED, ClockStatus

#: Items whose ledgers are read in one query.
CHUNK = 1000


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


def open_ones(session: Session, actor: Actor, *, light: Light | None = None, due_before: date | None = None) -> list[Deadline]:
    """Every running clock that the actor may see, the soonest due first."""
    query = select(Item, Case.number).join(Case, Item.case_id == Case.id).where(Item.status.in_(UNSETTLED), _mine(actor))
    found = of_items(session, [(item, number) for item, number in session.execute(query)])
    found += [
        d for case in session.scalars(select(Case).where(Case.ended_at.is_(None), cases.visible(actor))) if (d := of_case(session, case))
    ]
    kept = [
        d for d in found if (light is None or d.light == light) and (due_before is None or (d.promised and d.promised.date < due_before))
    ]
    return sorted(kept, key=lambda d: (d.promised is None, d.promised.date if d.promised else date.max, d.case, d.item or ""))


def of_items(session: Session, items: Sequence[tuple[Item, str]]) -> list[Deadline]:
    """The clocks of items, each given with the number of its case; one query for every so many of them."""
    found: list[Deadline] = []
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        ledgers = clocks.ledgers(session, [item.id for item, _ in chunk])
        found += [_read(session, item, number, ledgers.get(item.id)) for item, number in chunk]
    return found


def of_case(session: Session, case: Case) -> Deadline | None:
    """The clock of the bundle's own promise; None when it has none."""
    found = functions.bundle_ledger(case)
    if found is None:
        return None
    calendar, today = holidays.calendar(session), calendars.local_date(datetime.now(UTC))
    return Deadline(
        case=case.number,
        item=None,
        name=case.matter,
        department=None,
        clock=ClockStatus.STOPPED if case.ended_at else ClockStatus.RUNNING,
        promised=clock.due(*found, calendar),
        statutory=None,
        remaining=clock.remaining(*found, today, calendar),
        light=clock.light(*found, today, calendar),
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
    calendar, today = holidays.calendar(session), calendars.local_date(datetime.now(UTC))
    rules = {kind: rule for kind in LimitKind if (rule := clocks.limit(item, kind)) is not None}
    due = {kind: clock.due(ledger, rule, calendar) for kind, rule in rules.items()} if ledger else {}
    promise = rules.get(LimitKind.PROMISED)
    return Deadline(
        case=case_number,
        item=item.number,
        name=item.name,
        department=item.department,
        clock=item.clock,
        promised=due.get(LimitKind.PROMISED),
        statutory=due.get(LimitKind.STATUTORY),
        remaining=clock.remaining(ledger, promise, today, calendar) if ledger and promise else None,
        light=clock.light(ledger, promise, today, calendar) if ledger and promise else None,
    )


def _mine(actor: Actor) -> ColumnElement[bool]:
    departments = actor.departments()
    if departments is None:
        return cases.visible(actor)
    halls = actor.halls()
    in_hall = Case.hall.in_(halls) if halls is not None else Case.id.is_not(None)
    return or_(in_hall, Item.department.in_(departments), Case.submitted_by == actor.name)
