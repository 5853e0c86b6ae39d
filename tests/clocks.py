"""Short words for clocks in tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engine import calendars, clock, dials
from engine.clock import USUAL, DayUnit, Forewarning, Ledger, Light, LimitKind, Pause, PauseKind, TimeLimit

#: The shipped calendar, 2024 to 2026.
CALENDAR = calendars.load(Path(__file__).parents[1] / "workflows" / "calendars")


def working(days: int) -> TimeLimit:
    return TimeLimit(kind=LimitKind.PROMISED, days=days)


def natural(days: int) -> TimeLimit:
    return TimeLimit(kind=LimitKind.STATUTORY, days=days, unit=DayUnit.CALENDAR)


def pause(since: date, until: date | None = None) -> Pause:
    return Pause(since=since, until=until, kind=PauseKind.EXPERT_REVIEW, reason="专家评审", notice="T-1")


def due_date(ledger: Ledger, limit: TimeLimit) -> date | None:
    found = clock.due(ledger, limit, CALENDAR)
    return found and found.date


def light(ledger: Ledger, limit: TimeLimit, day: date, forewarning: Forewarning = USUAL) -> Light | None:
    """The light of a clock on a day, as lists show it."""
    return dials.light(clock.dial(ledger, limit, CALENDAR, forewarning), day)
