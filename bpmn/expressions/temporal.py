"""Dates, times and durations in ISO 8601: what FEEL calculates with."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from bpmn.errors import ExpressionError

Duration = "dt.timedelta | YearsMonths"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<years>[0-9]{1,9})Y)?(?:(?P<months>[0-9]{1,9})M)?(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
#: A duration beyond this many months leaves every calendar.
_MONTHS = 12 * 9999


@dataclass(frozen=True, order=True)
class YearsMonths:
    """A duration in years and months, which has no fixed number of days."""

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) > _MONTHS:
            raise ExpressionError("Expected a duration of less than 10000 years, but it is longer")


def read_date(text: str) -> dt.date:
    """Read `2026-11-25`."""
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise ExpressionError(f"Expected a date such as 2026-11-25, but it is {text[:40]!r}")


def read_time(text: str) -> dt.time:
    """Read `08:30`, `08:30:00` or `08:30:00+08:00`."""
    try:
        if _TIME.fullmatch(text):
            return dt.time.fromisoformat(text)
    except ValueError:
        pass
    raise ExpressionError(f"Expected a time such as 08:30:00, but it is {text[:40]!r}")


def read_moment(text: str) -> dt.datetime:
    """Read `2026-11-25T08:30:00+08:00`; a date alone is its midnight."""
    date, separator, time = text.partition("T")
    return dt.datetime.combine(read_date(date), read_time(time) if separator else dt.time())


def read_duration(text: str) -> dt.timedelta | YearsMonths:
    """Read `P1Y6M`, or `P3DT4H`; years and months do not mix with days, because a month has no fixed number of them."""
    match = _DURATION.fullmatch(text)
    parts = {name: value for name, value in match.groupdict().items() if value and name != "sign"} if match else {}
    if match is None or not parts or text.endswith("T"):
        raise ExpressionError(f"Expected a duration such as P3DT4H or P1Y6M, but it is {text[:40]!r}")
    sign = -1 if match["sign"] else 1
    months = int(parts.pop("years", 0)) * 12 + int(parts.pop("months", 0))
    if not parts:
        return YearsMonths(sign * months)
    if months:
        raise ExpressionError(f"Expected a duration in years and months or in days and hours, but {text[:40]!r} mixes them")
    return sign * dt.timedelta(**{name: float(value) if name == "seconds" else int(value) for name, value in parts.items()})


def read_any(text: str) -> dt.date | dt.time | dt.timedelta | YearsMonths:
    """Read what an `@"…"` literal holds."""
    if text.lstrip("-").startswith("P"):
        return read_duration(text)
    if "T" in text:
        return read_moment(text)
    return read_time(text) if ":" in text else read_date(text)


def write_duration(value: dt.timedelta | YearsMonths) -> str:
    """Write a duration in ISO 8601, largest units first."""
    if isinstance(value, YearsMonths):
        years, months = divmod(abs(value.months), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-" if value.months < 0 else "") + "P" + body
    size = abs(value)
    minutes, seconds = divmod(size.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{size.microseconds:06d}".rstrip("0") if size.microseconds else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{seconds}{fraction}S" if seconds or fraction else "")
    days = f"{size.days}D" if size.days or not time else ""
    return ("-" if value < dt.timedelta() else "") + "P" + days + (f"T{time}" if time else "")


def add_months(moment: dt.date, months: int) -> dt.date:
    """Move a date or a date-time by months; a day that the month lacks becomes its last."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise ExpressionError("Expected a date between the years 1 and 9999, but the result is outside")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
