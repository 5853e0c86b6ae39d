"""Built-in functions on numbers."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals
from bpmn.expressions.decimals import CONTEXT, Number
from bpmn.expressions.functions import arguments
from bpmn.expressions.functions.registry import builtin
from bpmn.expressions.temporal import YearsMonths

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


@builtin("number(from, grouping separator?, decimal separator?)", nulls=True)
def number(value: Any, grouping: Any = None, point: Any = None) -> Number | None:
    """Read a number."""
    if value is None or decimals.is_number(value):
        return None if value is None else decimals.number(value)
    if grouping is not None and grouping == (point or "."):
        raise ExpressionError(f"Expected two different separators, but both are {arguments.text(grouping)[:40]!r}")
    written = arguments.text(value).strip()
    if grouping is not None:
        written = written.replace(arguments.text(grouping), "")
    if point is not None:
        written = written.replace(arguments.text(point), ".")
    if not _NUMBER.fullmatch(written):
        raise ExpressionError(f"Expected a text that is a number, but it is {arguments.text(value)[:40]!r}")
    read = CONTEXT.create_decimal(written)
    return int(read) if re.fullmatch(r"[+-]?[0-9]{1,34}", written) else read


@builtin("decimal(n, scale)")
def to_scale(value: Any, scale: Any) -> Number:
    """Round to so many digits, halves to the even neighbour."""
    return decimals.round_to(value, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor(n, scale?)")
def floor(value: Any, scale: Any = 0) -> Number:
    """Round down."""
    return decimals.round_to(value, scale, decimal.ROUND_FLOOR)


@builtin("ceiling(n, scale?)")
def ceiling(value: Any, scale: Any = 0) -> Number:
    """Round up."""
    return decimals.round_to(value, scale, decimal.ROUND_CEILING)


@builtin("round up(n, scale)")
def round_up(value: Any, scale: Any) -> Number:
    """Round away from zero."""
    return decimals.round_to(value, scale, decimal.ROUND_UP)


@builtin("round down(n, scale)")
def round_down(value: Any, scale: Any) -> Number:
    """Round towards zero."""
    return decimals.round_to(value, scale, decimal.ROUND_DOWN)


@builtin("round half up(n, scale)")
def round_half_up(value: Any, scale: Any) -> Number:
    """Round to the nearest, halves away from zero."""
    return decimals.round_to(value, scale, decimal.ROUND_HALF_UP)


@builtin("round half down(n, scale)")
def round_half_down(value: Any, scale: Any) -> Number:
    """Round to the nearest, halves towards zero."""
    return decimals.round_to(value, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs(n)")
def absolute(value: Any) -> Any:
    """Drop the sign of a number or a duration."""
    if isinstance(value, dt.timedelta):
        return abs(value)
    if isinstance(value, YearsMonths):
        return YearsMonths(abs(value.months))
    taken = decimals.number(value)
    return -taken if taken < 0 else taken


@builtin("modulo(dividend, divisor)", cost=15)
def modulo(dividend: Any, divisor: Any) -> Number:
    """Remainder, with the sign of the divisor."""
    first, second = decimals.number(dividend), decimals.number(divisor)
    whole = decimals.round_to(decimals.divide(first, second), 0, decimal.ROUND_FLOOR)
    return decimals.subtract(first, decimals.multiply(second, whole))


@builtin("sqrt(number)", cost=15)
def sqrt(value: Any) -> Number:
    """Square root."""
    if (taken := decimals.number(value)) < 0:
        raise ExpressionError(f"Expected a number from 0 on, but it is {taken}")
    return CONTEXT.sqrt(Decimal(taken))


@builtin("log(number)", cost=60)
def log(value: Any) -> Number:
    """Natural logarithm."""
    if (taken := decimals.number(value)) <= 0:
        raise ExpressionError(f"Expected a number above 0, but it is {taken}")
    return CONTEXT.ln(Decimal(taken))


@builtin("exp(number)", cost=30)
def exp(value: Any) -> Number:
    """Raise e to a power."""
    return CONTEXT.exp(Decimal(decimals.number(value)))


@builtin("odd(number)")
def odd(value: Any) -> bool:
    """Tell whether a whole number is odd."""
    return decimals.integer(value) % 2 == 1


@builtin("even(number)")
def even(value: Any) -> bool:
    """Tell whether a whole number is even."""
    return decimals.integer(value) % 2 == 0
