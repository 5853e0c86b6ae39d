"""Short words for clocks in tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from engine import calendars, dials, item_clock
from engine.case_models import Item
from engine.clock import USUAL, Clock, DayUnit, DueDate, Forewarning, Ledger, Light, LimitKind, Pause, PauseKind, TimeLimit

#: The shipped calendar, 2024 to 2026.
CALENDAR = calendars.load(Path(__file__).parents[1] / "workflows" / "calendars")


def working(days: int) -> TimeLimit:
    return TimeLimit(kind=LimitKind.PROMISED, days=days)


def natural(days: int) -> TimeLimit:
    return TimeLimit(kind=LimitKind.STATUTORY, days=days, unit=DayUnit.CALENDAR)


def pause(since: date, until: date | None = None) -> Pause:
    return Pause(since=since, until=until, kind=PauseKind.EXPERT_REVIEW, reason="专家评审", notice="T-1")


def clock(ledger: Ledger, limit: TimeLimit) -> Clock:
    return Clock(ledger=ledger, limit=limit, calendar=CALENDAR)


def due_date(ledger: Ledger, limit: TimeLimit) -> date | None:
    found = clock(ledger, limit).due()
    return found and found.date


def due_of(session: Session, item: Item, kind: LimitKind = LimitKind.PROMISED) -> DueDate | None:
    """The last day of a limit of an item, by its ledger."""
    found = item_clock.of(session, item, item_clock.ledger(session, item), kind)
    return found and found.due()


def light(ledger: Ledger, limit: TimeLimit, day: date, forewarning: Forewarning = USUAL) -> Light | None:
    """The light of a clock on a day, as lists show it."""
    return dials.light(clock(ledger, limit).dial(forewarning), day)
