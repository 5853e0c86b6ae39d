"""Terms (容缺约定): until when promised materials may come, in the words of a notice; of those that are alike it is told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from engine import periods
from engine.calendars import WorkingCalendar
from engine.case_models import Tolerance


def alike(calendar: WorkingCalendar, tolerances: Iterable[Tolerance]) -> Iterator[list[Tolerance]]:
    """Sort tolerances by their terms, as they hold now: a calendar may have moved two days to one since they were told."""

    def terms(tolerance: Tolerance) -> tuple[date, int]:
        return periods.last_day(calendar, tolerance.due_on), tolerance.grace_days

    for _terms, found in groupby(sorted(tolerances, key=terms), key=terms):
        yield list(found)


def particulars(calendar: WorkingCalendar, those: Sequence[Tolerance]) -> dict[str, Any]:
    """What a notice says of tolerances that are alike."""
    return {"material": names(those), **until(calendar, those), "grace_days": those[0].grace_days}


def until(calendar: WorkingCalendar, those: Sequence[Tolerance]) -> dict[str, Any]:
    """The last day on which they may come, of which they have one; `moved_from`: days that were told before, and are days off since."""
    last = periods.last_day(calendar, those[0].due_on)
    moved_from = sorted({each.due_on.isoformat() for each in those if each.due_on != last})
    return {"due_on": last.isoformat()} | ({"moved_from": moved_from} if moved_from else {})


def names(tolerances: Iterable[Tolerance]) -> str:
    """Name them in one text."""
    return "、".join(tolerance.name for tolerance in tolerances)
