"""Terms (容缺约定): until when promised materials may come, in the words of a notice; those with the same terms are told in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from engine import calendars, case_items, columns, periods
from engine.calendars import WorkingCalendar
from engine.case_models import Item, Tolerance

_RETURNED = "逾期未补交的，暂停计算办理时限；宽限期满仍未补交的，可以退回申请或者终止办理。"
_RECTIFIED = "出件后补交的材料逾期未补交的，责令限期整改。"


def alike(calendar: WorkingCalendar, tolerances: Iterable[Tolerance]) -> Iterator[list[Tolerance]]:
    """Group tolerances by their terms, as they hold now: a calendar may have moved two days to one since they were told."""

    def terms(tolerance: Tolerance) -> tuple[date, int]:
        return periods.last_day(calendar, tolerance.due_on), tolerance.grace_days

    for _terms, found in groupby(sorted(tolerances, key=terms), key=terms):
        yield list(found)


def particulars(calendar: WorkingCalendar, those: Sequence[Tolerance]) -> dict[str, Any]:
    """Return what a notice says of tolerances with the same terms: material, due_on, moved_from, grace_days, and the last day of these."""
    days = those[0].grace_days
    grace = {"grace_days": days, "grace_until": periods.grace_end(calendar, those[0]).isoformat()} if days else {"grace_days": days}
    return {"material": names(those), **until(calendar, those), **grace}


def until(calendar: WorkingCalendar, those: Sequence[Tolerance]) -> dict[str, Any]:
    """Return `due_on`, the last day on which they may come (all have the same), and `moved_from`: days told that are off now."""
    last = periods.last_day(calendar, those[0].due_on)
    moved_from = sorted({each.due_on.isoformat() for each in those if each.due_on != last})
    return {"due_on": last.isoformat()} | ({"moved_from": moved_from} if moved_from else {})


def accounts_for(tolerance: Tolerance, item: Item, last: date) -> bool:
    """Whether the promise of an item, when it is over, was not broken by its department: nobody may decide without what was due by `last`.

    What is owed again since a department has rejected it may have been due before that: this accounts for nothing.
    """
    if tolerance.until not in case_items.BEFORE_DECISION or tolerance.id >= columns.first_id(calendars.end_of(last), timedelta(0)):
        return False
    return item.promised_on is not None and last <= item.promised_on


def names(tolerances: Iterable[Tolerance]) -> str:
    """Name them in one text."""
    return "、".join(tolerance.name for tolerance in tolerances)


def consequence(materials: Iterable[Mapping[str, Any]]) -> str:
    """Say what follows when promised materials do not come (容缺受理通知书: 材料、形式、期限、后果; 民政, 台州)."""
    after = {material["until"] == "AFTER_ISSUE" for material in materials}
    return (_RETURNED if False in after else "") + (_RECTIFIED if True in after else "")
