"""Built-in functions on dates, times and durations.  `now()` and `today()` come from the caller: time is passed in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, feel, temporal
from bpmn.expressions.functions import arguments
from bpmn.expressions.functions.registry import builtin
from bpmn.expressions.scope import Scope
from bpmn.expressions.temporal import YearsMonths
from bpmn.expressions.values import describe

# In English whatever the locale of the machine: tables compare with these names.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def _numbers(*values: Any) -> list[int]:
    return [decimals.integer(value) for value in values]


@builtin("date(from)", "date(year, month, day)")
def date(value: Any, month: Any = None, day: Any = None) -> dt.date:
    """Read a date, take that of a date and time, or make one of year, month and day."""
    if month is None and day is None:
        return temporal.read_date(value) if isinstance(value, str) else arguments.date(value)
    try:
        return dt.date(*_numbers(value, month, day))
    except (ValueError, OverflowError):
        raise ExpressionError("Expected a year, a month and a day of the calendar, but they are not") from None


@builtin("date and time(from)", "date and time(date, time)")
def date_and_time(value: Any, time: Any = None) -> dt.datetime:
    """Read a date and time, or make one of a date and a time."""
    if time is not None:
        if not isinstance(time, dt.time):
            raise ExpressionError(f"Expected a time, but it is {describe(time)}")
        return dt.datetime.combine(arguments.date(value), time)
    if isinstance(value, dt.datetime):
        return value
    return temporal.read_moment(value) if isinstance(value, str) else dt.datetime.combine(arguments.date(value), dt.time())


@builtin("time(from)", "time(hour, minute, second, offset?)")
def time(value: Any, minute: Any = None, second: Any = None, offset: Any = None) -> dt.time:
    """Read a time, take that of a date and time, or make one of hour, minute, second and offset."""
    if minute is None:
        if isinstance(value, dt.datetime):
            return value.timetz()
        return value if isinstance(value, dt.time) else temporal.read_time(arguments.text(value))
    zone = dt.timezone(offset) if isinstance(offset, dt.timedelta) and abs(offset) < dt.timedelta(days=1) else None
    try:
        hours, minutes = _numbers(value, minute)
        seconds, fraction = divmod(Decimal(decimals.number(second or 0)), 1)
        return dt.time(hours, minutes, int(seconds), int(fraction * 1_000_000), tzinfo=zone)
    except (ValueError, OverflowError):
        raise ExpressionError("Expected an hour, a minute and a second of the day, but they are not") from None


@builtin("is(value1, value2)", nulls=True, scoped=True)
def same(scope: Scope, first: Any, second: Any) -> bool:
    """Tell whether two values are the same in type and value, the time zone included."""
    if isinstance(first, (dt.datetime, dt.time)) and type(first) is type(second):
        return first.replace(tzinfo=None) == second.replace(tzinfo=None) and _zone(first) == _zone(second)
    kind, other = (decimals.Number if decimals.is_number(each) else type(each) for each in (first, second))
    return kind == other and feel.equal(first, second, scope) is True


def _zone(value: dt.datetime | dt.time) -> Any:
    return temporal.zone_name(value) or value.utcoffset()


@builtin("duration(from)")
def duration(value: Any) -> dt.timedelta | YearsMonths:
    """Read a duration such as P3DT4H or P1Y6M."""
    return value if isinstance(value, (dt.timedelta, YearsMonths)) else temporal.read_duration(arguments.text(value))


@builtin("years and months duration(from, to)")
def years_and_months_duration(start: Any, end: Any) -> YearsMonths:
    """Count the whole months between two dates."""
    first, last = arguments.date(start), arguments.date(end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return YearsMonths(months)


@builtin("day of week(date)")
def day_of_week(value: Any) -> str:
    """Name the day of the week in English."""
    return _DAYS[arguments.date(value).weekday()]


@builtin("day of year(date)")
def day_of_year(value: Any) -> int:
    """Count the days since the year began."""
    return arguments.date(value).timetuple().tm_yday


@builtin("month of year(date)")
def month_of_year(value: Any) -> str:
    """Name the month in English."""
    return _MONTHS[arguments.date(value).month - 1]


@builtin("week of year(date)")
def week_of_year(value: Any) -> int:
    """Number the week, as ISO 8601 does."""
    return arguments.date(value).isocalendar().week
