"""Numbers of FEEL: decimals of 34 digits, so that 0.1 + 0.2 is 0.3; whole numbers stay int while they fit."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions.values import describe

Number = int | Decimal
CONTEXT = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_LARGEST = 10**34


def is_number(value: Any) -> bool:
    """Tell a number from everything else (a boolean is not one)."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def number(value: Any) -> Number:
    """Take a number as FEEL has it: a binary fraction becomes the decimal that it is written as."""
    if type(value) is int:
        return value if -_LARGEST < value < _LARGEST else CONTEXT.create_decimal(value)
    if not is_number(value):
        raise ExpressionError(f"Expected a number, but it is {describe(value)}")
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ExpressionError("Expected a finite number, but it is not one")
    return CONTEXT.create_decimal(repr(value) if isinstance(value, float) else value)


def integer(value: Any) -> int:
    """Take a whole number, for positions and lengths."""
    taken = number(value)
    if not -_LARGEST < taken < _LARGEST:
        raise ExpressionError(f"Expected a whole number of at most {CONTEXT.prec} digits, but it is larger")
    if taken != int(taken):
        raise ExpressionError(f"Expected a whole number, but it is {describe(value)}")
    return int(taken)


def _exact(
    operate: Callable[[int, int], int], decide: Callable[[Decimal | int, Decimal | int], Decimal]
) -> Callable[[Number, Number], Number]:
    """Calculate with int while both are, and the result fits; else with decimals."""

    def compute(left: Number, right: Number) -> Number:
        if isinstance(left, int) and isinstance(right, int):
            result = operate(left, right)
            if -_LARGEST < result < _LARGEST:
                return result
        return decide(left, right)

    return compute


add = _exact(lambda left, right: left + right, CONTEXT.add)
subtract = _exact(lambda left, right: left - right, CONTEXT.subtract)
multiply = _exact(lambda left, right: left * right, CONTEXT.multiply)


def divide(left: Number, right: Number) -> Number:
    """Divide; the divisor 0 is an error."""
    if right == 0:
        raise ExpressionError("Expected to divide, but the divisor is 0")
    return CONTEXT.divide(Decimal(left), Decimal(right))


def power(left: Number, right: Number) -> Number:
    """Raise to a power."""
    result = CONTEXT.power(Decimal(left), Decimal(right))
    if not result.is_finite():
        raise ExpressionError("Expected a power that is a number, but 0 has none below 0")
    return result


def round_to(value: Any, scale: Any, rounding: str) -> Number:
    """Round to so many digits after the point."""
    digits = integer(scale)
    if abs(digits) > CONTEXT.prec:
        raise ExpressionError(f"Expected to round to at most {CONTEXT.prec} digits, but it is {digits}")
    rounded = Decimal(number(value)).quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=CONTEXT)
    return int(rounded) if digits <= 0 else rounded
