"""What JUEL's operators mean: Camunda 7's coercions, as closures."""

from __future__ import annotations

import datetime as dt
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import limits, temporal
from bpmn.expressions.scope import Run, Scope
from bpmn.expressions.values import describe, plain_text

Number = int | float | Decimal
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_NUMBERS = (int, float, Decimal)
_MOMENTS = (dt.date, dt.time, dt.timedelta)


def number(value: Any) -> Number:
    """Coerce to a number: null and the empty text are 0."""
    if value is None or value == "":
        return 0
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _FLOAT.fullmatch(value):
        return float(value)
    raise ExpressionError(f"Expected a number, but it is {describe(value)}")


def boolean(value: Any) -> bool:
    """Coerce to a boolean: null and the empty text are false, a text is true when it says so."""
    if value is True or value is False:
        return bool(value)
    if value is None:
        return False
    if isinstance(value, str):
        return value.lower() == "true"
    raise ExpressionError(f"Expected true or false, but it is {describe(value)}")


def text(value: Any) -> str:
    """Coerce to a text, as where `${…}` stands within other text."""
    return "" if value is None else limits.text(plain_text(value))


def _pair(left: Any, right: Any) -> tuple[Any, Any]:
    """Bring two values to one kind of number."""
    first, second = number(left), number(right)
    if isinstance(first, Decimal) or isinstance(second, Decimal):
        return Decimal(str(first)), Decimal(str(second))
    return first, second


def _finite(value: Any) -> Any:
    if isinstance(value, int):
        return limits.long(value)
    if not math.isfinite(value):
        raise ExpressionError("Expected a finite number, but the result is too large")
    return value


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise ExpressionError("Expected to divide, but the divisor is 0")
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """Keep the sign of the dividend, as Java does."""
    if right == 0:
        raise ExpressionError("Expected to divide, but the divisor is 0")
    if isinstance(left, float) or isinstance(right, float):
        return math.fmod(left, right)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "div": _divide,
    "%": _remainder,
    "mod": _remainder,
}
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "lt": operator.lt,
    "<=": operator.le,
    "le": operator.le,
    ">": operator.gt,
    "gt": operator.gt,
    ">=": operator.ge,
    "ge": operator.ge,
}


def arithmetic(symbol: str, left: Run, right: Run) -> Run:
    """`+ - * / %`: numbers only, also for `+`."""
    compute = _ARITHMETIC[symbol]

    def run(scope: Scope) -> Any:
        first, second = _pair(left(scope), right(scope))
        if isinstance(first, int) and isinstance(second, int):
            limits.long(first), limits.long(second)
        return _finite(compute(first, second))

    return run


def order(symbol: str, left: Run, right: Run) -> Run:
    """`< <= > >=`: null is neither less nor greater than anything, but not less than null."""
    compare = _ORDER[symbol]

    def run(scope: Scope) -> bool:
        first = left(scope)
        second = right(scope)
        if type(first) is int and type(second) is int:
            return bool(compare(first, second))
        return _ordered(compare, first, second)

    return run


def _beside(value: Any, other: Any) -> Any:
    """Read a text beside a date as one: variables hold dates as texts."""
    if not isinstance(value, str) or not isinstance(other, dt.date):
        return value
    return temporal.read_moment(value) if isinstance(other, dt.datetime) else temporal.read_date(value)


def _ordered(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right and bool(compare(0, 0))
    left, right = _beside(left, right), _beside(right, left)
    if isinstance(left, _NUMBERS) or isinstance(right, _NUMBERS):
        left, right = _pair(left, right)
    elif not (isinstance(left, str) and isinstance(right, str)) and not (isinstance(left, _MOMENTS) and type(left) is type(right)):
        raise ExpressionError(f"Expected two numbers, texts or dates to compare, but they are {describe(left)} and {describe(right)}")
    try:
        return bool(compare(left, right))
    except TypeError:
        raise ExpressionError("Expected two dates to compare, but only one of them has a time zone") from None


def equality(symbol: str, left: Run, right: Run) -> Run:
    """`==` and `!=`: numbers by value, null equals only null."""
    wanted = symbol in ("==", "eq")

    def run(scope: Scope) -> bool:
        first = left(scope)
        second = right(scope)
        if type(first) is str and type(second) is str:
            return (first == second) is wanted
        return _equal(first, second) is wanted

    return run


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return boolean(left) is boolean(right)
    if isinstance(left, _NUMBERS) or isinstance(right, _NUMBERS):
        first, second = _pair(left, right)
        return bool(first == second)
    try:
        return bool(_beside(left, right) == _beside(right, left))
    except ExpressionError:
        return False


def logic(symbol: str, left: Run, right: Run) -> Run:
    """`&&` and `||`, which stop as soon as the answer is known."""
    if symbol in ("&&", "and"):
        return lambda scope: boolean(left(scope)) and boolean(right(scope))
    return lambda scope: boolean(left(scope)) or boolean(right(scope))


def negation(operand: Run) -> Run:
    """`!` and `not`."""
    return lambda scope: not boolean(operand(scope))


def minus(operand: Run) -> Run:
    """Negate a number."""
    return lambda scope: _finite(-number(operand(scope)))


def empty(operand: Run) -> Run:
    """`empty`: null, the empty text, the empty list and the empty map."""
    return lambda scope: (value := operand(scope)) is None or (isinstance(value, (str, list, tuple, Mapping)) and not value)


def choice(condition: Run, yes: Run, no: Run) -> Run:
    """`condition ? yes : no`."""
    return lambda scope: yes(scope) if boolean(condition(scope)) else no(scope)


def variable(name: str) -> Run:
    """Read a variable; an unknown one is an error, not null."""

    def run(scope: Scope) -> Any:
        try:
            return scope.variables[name]
        except KeyError:
            raise ExpressionError(f"Expected a known variable, but there is no {name}") from None

    return run


def member(base: Run, key: Run) -> Run:
    """`a.b` and `a['b']` on maps and lists; a missing member is null."""
    return lambda scope: _member(base(scope), key(scope))


def _member(base: Any, key: Any) -> Any:
    if base is None or key is None:
        return None
    if isinstance(base, Mapping):
        return base.get(key) if isinstance(key, (str, int)) else None
    if isinstance(base, (list, tuple)):
        index = int(number(key))  # as in Java, a fraction is dropped
        return base[index] if 0 <= index < len(base) else None
    raise ExpressionError(f"Expected a map or a list to take {plain_text(key)} from, but it is {describe(base)}")
