"""What FEEL's operators mean (DMN 1.3, chapter 10), as closures.

Null spreads, as the standard has it.  Where the standard hides a mistake of type behind null, this raises: a table must not go wrong in
silence.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, limits
from bpmn.expressions.scope import Run, Scope
from bpmn.expressions.temporal import YearsMonths, add_days, add_months, instant
from bpmn.expressions.values import describe

Binary = Callable[[Any, Any], Any]
#: Steps that a power costs.
_POWER = 100
_DURATIONS = (dt.timedelta, YearsMonths)
_UNIT = dt.timedelta(microseconds=1)
_ORDERED = (str, dt.date, dt.time, dt.timedelta, YearsMonths)


@dataclass(frozen=True)
class Range:
    """`[1..5)`: values between two ends."""

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True

    def includes(self, value: Any) -> bool | None:
        """Tell whether a value lies within; null when it or an end is unknown."""
        above = compare(">=" if self.low_closed else ">", value, self.low)
        return conjunction(above, compare("<=" if self.high_closed else "<", value, self.high))


def conjunction(left: Any, right: Any) -> bool | None:
    """`and` of three values: false wins over null."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def truth(value: Any, what: str) -> bool | None:
    """Take true, false or null, and refuse everything else."""
    if value is None or value is True or value is False:
        return value
    raise ExpressionError(f"Expected true or false {what}, but it is {describe(value)}")


def compare(symbol: str, left: Any, right: Any) -> bool | None:
    """`< <= > >=` on numbers, texts, dates, times and durations."""
    if left is None or right is None:
        return None
    relation = _RELATIONS[symbol]
    if decimals.is_number(left) and decimals.is_number(right):
        return bool(relation(decimals.number(left), decimals.number(right)))
    left, right = _align(left, right)
    if type(left) is not type(right) or not isinstance(left, _ORDERED):
        raise ExpressionError(f"Expected two values of one kind to compare, but they are {describe(left)} and {describe(right)}")
    try:
        if isinstance(left, dt.datetime):
            return bool(relation(instant(left), instant(right)))
        return bool(relation(left, right))
    except TypeError:
        raise ExpressionError("Expected two times to compare, but only one of them has a time zone") from None


_RELATIONS: dict[str, Binary] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _align(left: Any, right: Any) -> tuple[Any, Any]:
    """Read a date as its midnight when the other side is a date and time."""
    if isinstance(left, dt.datetime) and type(right) is dt.date:
        return left, dt.datetime.combine(right, dt.time(), left.tzinfo)
    if isinstance(right, dt.datetime) and type(left) is dt.date:
        return dt.datetime.combine(left, dt.time(), right.tzinfo), right
    return left, right


def equal(left: Any, right: Any, scope: Scope) -> bool | None:
    """`=`: null for two kinds that cannot be equal; lists and contexts member by member."""
    scope.spend(2)
    if left is None or right is None:
        return left is right
    if decimals.is_number(left) and decimals.is_number(right):
        return decimals.number(left) == decimals.number(right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(equal(a, b, scope) is True for a, b in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key], scope) is True for key in left)
    left, right = _align(left, right)
    if type(left) is not type(right):
        return None
    return instant(left) == instant(right) if isinstance(left, dt.datetime) else bool(left == right)


def meets(value: Any, candidate: Any, scope: Scope) -> bool | None:
    """`value in candidate`: equal to it, or within the range or list that it is."""
    if isinstance(candidate, Range) and not isinstance(value, Range):
        return candidate.includes(value)
    if isinstance(candidate, (list, tuple)) and not isinstance(value, (list, tuple)):
        return any(meets(value, member, scope) is True for member in candidate)
    return equal(value, candidate, scope)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return YearsMonths(left.months + right.months)
    if isinstance(left, dt.timedelta) and isinstance(right, dt.timedelta):
        return left + right
    if isinstance(left, _DURATIONS):
        left, right = right, left
    return _move(left, right)


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(right, _DURATIONS):
        return _add(left, YearsMonths(-right.months) if isinstance(right, YearsMonths) else -right)
    left, right = _align(left, right)
    if isinstance(left, dt.datetime) and isinstance(right, dt.datetime):
        return instant(left) - instant(right)
    if type(left) is type(right) is dt.date:
        return left - right
    if type(left) is type(right) is dt.time:
        return _of_today(left) - _of_today(right)
    return NotImplemented


def _move(moment: Any, duration: Any) -> Any:
    if isinstance(moment, dt.date) and isinstance(duration, YearsMonths):
        return add_months(moment, duration.months)
    if isinstance(moment, dt.date) and isinstance(duration, dt.timedelta):
        return add_days(moment, duration)
    if isinstance(moment, dt.time) and isinstance(duration, dt.timedelta):
        return (_of_today(moment) + duration % dt.timedelta(days=1)).timetz()
    return NotImplemented


def _of_today(time: dt.time) -> dt.datetime:
    """Put a time on some day, to calculate with it."""
    return dt.datetime.combine(dt.date(2000, 1, 1), time)


def _multiply(left: Any, right: Any) -> Any:
    if isinstance(right, _DURATIONS):
        left, right = right, left
    if not isinstance(left, _DURATIONS) or not decimals.is_number(right):
        return NotImplemented
    return _scaled(left, decimals.multiply, right)


def _scaled(duration: dt.timedelta | YearsMonths, compute: Callable[[decimals.Number, decimals.Number], Any], by: Any) -> Any:
    """Multiply or divide a duration by a number: what is less than a month, or than a microsecond, is dropped."""
    number = decimals.number(by)
    if isinstance(duration, YearsMonths):
        return YearsMonths(int(compute(duration.months, number)))
    return dt.timedelta(microseconds=int(compute(duration // _UNIT, number)))


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, _DURATIONS) and decimals.is_number(right):
        return _scaled(left, decimals.divide, right)
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return decimals.divide(left.months, right.months)
    if isinstance(left, dt.timedelta) and isinstance(right, dt.timedelta):
        return decimals.divide(left // _UNIT, right // _UNIT)
    return NotImplemented


def _no_power(_left: Any, _right: Any) -> Any:
    return NotImplemented


_ARITHMETIC: dict[str, tuple[Binary, Binary]] = {
    "+": (decimals.add, _add),
    "-": (decimals.subtract, _subtract),
    "*": (decimals.multiply, _multiply),
    "/": (decimals.divide, _divide),
    "**": (decimals.power, _no_power),
}


def arithmetic(symbol: str, left: Run, right: Run) -> Run:
    """`+ - * / **` on numbers, and what of them dates, durations and texts know."""
    compute, otherwise = _ARITHMETIC[symbol]

    def run(scope: Scope) -> Any:
        first, second = left(scope), right(scope)
        if first is None or second is None:
            return None
        if decimals.is_number(first) and decimals.is_number(second):
            if symbol == "**":
                scope.spend(_POWER)
            return compute(decimals.number(first), decimals.number(second))
        result = _combine(symbol, otherwise, first, second)
        if isinstance(result, str):
            scope.spend(len(limits.text(result)) // 8)
        return result

    return run


def _combine(symbol: str, otherwise: Binary, left: Any, right: Any) -> Any:
    try:
        result = otherwise(left, right)
    except TypeError:
        raise ExpressionError("Expected two times to calculate with, but only one of them has a time zone") from None
    if result is NotImplemented:
        raise ExpressionError(f"Expected two values that {symbol} can combine, but they are {describe(left)} and {describe(right)}")
    return result


def minus(operand: Run) -> Run:
    """Negate a number or a duration."""

    def run(scope: Scope) -> Any:
        value = operand(scope)
        if value is None:
            return None
        if isinstance(value, YearsMonths):
            return YearsMonths(-value.months)
        return -value if isinstance(value, dt.timedelta) else -decimals.number(value)

    return run


def comparison(symbol: str, left: Run, right: Run) -> Run:
    """`= != < <= > >=`."""
    if symbol == "=":
        return lambda scope: equal(left(scope), right(scope), scope)
    if symbol == "!=":
        return lambda scope: None if (same := equal(left(scope), right(scope), scope)) is None else not same
    return lambda scope: compare(symbol, left(scope), right(scope))


def both(left: Run, right: Run) -> Run:
    """`and`: the right side is not asked when the left is false."""

    def run(scope: Scope) -> bool | None:
        first = truth(left(scope), "before and")
        return False if first is False else conjunction(first, truth(right(scope), "after and"))

    return run


def either(left: Run, right: Run) -> Run:
    """`or`: the right side is not asked when the left is true."""

    def run(scope: Scope) -> bool | None:
        first = truth(left(scope), "before or")
        if first is True:
            return True
        second = truth(right(scope), "after or")
        return True if second is True else False if first is False and second is False else None

    return run


def between(value: Run, low: Run, high: Run) -> Run:
    """`value between low and high`, both ends included."""
    return lambda scope: Range(low(scope), high(scope)).includes(value(scope))
