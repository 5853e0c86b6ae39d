"""Timers: from what a diagram says (ISO 8601) to the moment that a timer is due.

Only exact moments count: a date without a time, or a time without an offset, is refused rather than guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions.temporal import YearsMonths, add_months
from bpmn.expressions.values import describe

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_CYCLE = re.compile(r"R(?P<times>\d{1,9})?/(?:(?P<start>[^/P]+)/)?(?P<period>P[^/]*)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A length of time: calendar months first, then an exact span."""

    months: int
    span: timedelta

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """Return the moment that is so many lengths later; months are calendar arithmetic."""
        try:
            return add_months(moment, self.months * times) + self.span * times  # type: ignore[return-value]  # a datetime stays one
        except OverflowError as error:
            raise ExpressionError("Expected a date before the year 10000, but the duration leads beyond it") from error


def read_duration(text: str) -> Duration:
    """Read `P1Y2M3DT4H5M6S` (any part may be missing, but not all)."""
    match = _DURATION.fullmatch(text)
    parts = {name: float(value) for name, value in match.groupdict().items() if value} if match else {}
    if not parts or text.endswith("T"):
        raise ExpressionError(f"Expected a duration such as PT1H or P3D, but it is {text[:40]!r}")
    months = int(parts.pop("years", 0)) * 12 + int(parts.pop("months", 0))
    try:
        return Duration(months=months, span=timedelta(**parts))
    except OverflowError as error:
        raise ExpressionError(f"Expected a duration within the calendar, but {text[:40]!r} is longer") from error


def read_moment(text: str) -> datetime:
    """Read `2026-11-25T08:30:00+08:00`; the offset is required."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ExpressionError(f"Expected a date and time with an offset such as 2026-11-25T08:30:00+08:00, but it is {text[:40]!r}")


def due(value: Any, since: datetime) -> datetime:
    """Return when a timer is due: its expression gives a date and time, a duration (which counts from `since`), or either as ISO text."""
    if isinstance(value, str):
        text = value.strip()
        return read_duration(text).after(since) if text.startswith("P") else read_moment(text)
    if isinstance(value, datetime) and value.utcoffset() is not None:
        try:
            return value.astimezone(UTC)
        except OverflowError as error:
            raise ExpressionError(f"Expected a date between the years 1 and 9999, but it is {describe(value)}") from error
    if isinstance(value, timedelta):
        return Duration(months=0, span=value).after(since)
    if isinstance(value, YearsMonths):
        return Duration(months=value.months, span=timedelta()).after(since)
    what = f"{describe(value)} without an offset" if isinstance(value, datetime) else describe(value)
    expected = "an exact date and time" if isinstance(value, date) else "a date and time or a duration"
    raise ExpressionError(f"Expected {expected}, but it is {what}")


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """A repeating timer and how far it has come."""

    #: Where counting starts; each occurrence is counted from here, so that a late one delays none.
    anchor: datetime
    #: ISO 8601 text of the time between two occurrences.
    period: str
    #: How many periods after the anchor the next occurrence is due.
    index: int
    #: Occurrences that are left, with the next; None: without end.
    left: int | None

    @property
    def due_at(self) -> datetime:
        """When the next occurrence is due."""
        return read_duration(self.period).after(self.anchor, self.index)

    def following(self, now: datetime) -> Cycle | None:
        """Return the cycle after one occurrence, or None after the last (the end of the calendar is one too).

        Occurrences that were missed while nobody looked are one, not many.
        """
        left = None if self.left is None else self.left - 1
        index = self._later(now, self.index + 1)
        return None if left == 0 or index is None else replace(self, index=index, left=left)

    def after(self, moment: datetime) -> datetime | None:
        """Return when the first occurrence is due that is later than a moment; None: there is none."""
        index = self._later(moment, self.index)
        if index is None or (self.left is not None and index >= self.index + self.left):
            return None
        return replace(self, index=index).due_at

    def _later(self, moment: datetime, index: int) -> int | None:
        """Return which occurrence is later than a moment, the first from an index on; None: it lies beyond the calendar."""
        period = read_duration(self.period)
        if not period.months:
            index = max(index, (moment - self.anchor) // period.span + 1)
        try:
            while period.after(self.anchor, index) <= moment:
                index += 1
        except ExpressionError:
            return None
        return index


def cycle(value: Any, since: datetime) -> Cycle:
    """Read `R3/PT1H`, `R/P1D` or `R3/2026-11-25T08:30:00Z/PT1H`."""
    match = _CYCLE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match["times"] == "0":
        raise ExpressionError(f"Expected a cycle such as R3/PT1H or R/P1D, but it is {describe(value)}")
    anchor = read_moment(match["start"]) if match["start"] else since
    period = read_duration(match["period"])
    if period.after(anchor) <= anchor:
        raise ExpressionError(f"Expected a cycle with time between its occurrences, but it is {value!r}")
    left = int(match["times"]) if match["times"] else None
    return Cycle(anchor=anchor, period=match["period"], index=0 if match["start"] else 1, left=left)
