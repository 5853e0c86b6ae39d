"""Dates, times and durations in ISO 8601, and time zones by name: what FEEL calculates with."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass

from bpmn.errors import ExpressionError

Duration = "dt.timedelta | YearsMonths"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?)?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}")
#: What need not be written of a fraction.
_ZEROS = re.compile(r"(?<=[1-9])0+$(?<=\.[0-9]{6})")
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
    """Read `08:30`, `08:30:00`, `08:30:00+08:00` or `08:30:00@Asia/Shanghai`."""
    clock, separator, name = text.partition("@")
    try:
        if _TIME.fullmatch(clock):
            time = dt.time.fromisoformat(clock)
            if not separator:
                return time
            if time.tzinfo is None:
                return time.replace(tzinfo=zone(name))
    except ValueError:
        pass
    raise ExpressionError(f"Expected a time such as 08:30:00, but it is {text[:40]!r}")


def zone(name: str) -> dt.tzinfo:
    """Find a time zone by its name, such as `Asia/Shanghai`."""
    try:
        if _ZONE.fullmatch(name):
            return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        pass
    raise ExpressionError(f"Expected a time zone such as Asia/Shanghai, but it is {name[:40]!r}")


def zone_name(value: dt.time | dt.datetime) -> str | None:
    """Name the time zone of a value; null when it has only an offset, or none."""
    return value.tzinfo.key if isinstance(value.tzinfo, zoneinfo.ZoneInfo) else None


def read_moment(text: str) -> dt.datetime:
    """Read `2026-11-25T08:30:00+08:00`; a date alone is its midnight."""
    date, separator, time = text.partition("T")
    return dt.datetime.combine(read_date(date), read_time(time) if separator else dt.time())


def write_moment(value: dt.date | dt.time) -> str:
    """Write a date, a time or both in ISO 8601, with the name of the time zone where there is one (`…@Asia/Shanghai`)."""
    if not isinstance(value, (dt.datetime, dt.time)):
        return value.isoformat()
    bare = _ZEROS.sub("", value.replace(tzinfo=None).isoformat())
    if name := zone_name(value):
        return f"{bare}@{name}"
    offset = value.replace(microsecond=0).isoformat().removeprefix(value.replace(microsecond=0, tzinfo=None).isoformat())
    return bare + ("Z" if offset == "+00:00" else offset)


def instant(value: dt.datetime) -> dt.datetime:
    """Bring a moment with a time zone to UTC, so that a change to summer time does not bend what is calculated."""
    return value if value.tzinfo is None else value.astimezone(dt.UTC)


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
    if "T" in text.partition("@")[0]:
        return read_moment(text)
    return read_time(text) if ":" in text else read_date(text)


def add_days(moment: dt.date, duration: dt.timedelta) -> dt.date:
    """Move a date or a date-time by days, hours and seconds as they pass everywhere, whatever the clocks of its zone do."""
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        return (instant(moment) + duration).astimezone(moment.tzinfo)
    return moment + duration


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
