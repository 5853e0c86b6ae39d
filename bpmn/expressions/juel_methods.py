"""Methods of JUEL: what may be asked of a value (`name.startsWith('A')`, `now().plusDays(3)`).

Camunda 7 calls any method of a Java object.  Here those are known that read a value and change nothing, by the names that Java gives them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bpmn import patterns
from bpmn.errors import ExpressionError
from bpmn.expressions import juel, limits, temporal
from bpmn.expressions.functions.arguments import text
from bpmn.expressions.scope import UNKNOWN, Name, Run, Scope
from bpmn.expressions.values import describe

Method = Callable[..., Any]


def _whole(value: Any) -> int:
    found = juel.number(value)
    if isinstance(found, int):
        return found
    raise ExpressionError(f"Expected a whole number, but it is {describe(value)}")


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str):
        return temporal.read_moment(value)
    if isinstance(value, dt.datetime):
        return value
    raise ExpressionError(f"Expected a date and time, but it is {describe(value)}")


def _equals(value: Any, other: Any) -> bool:
    """Compare as Java does: values of two kinds are never equal."""
    return type(value) is type(other) and bool(value == other)


def _substring(value: str, start: Any, end: Any = None) -> str:
    first, last = _whole(start), len(value) if end is None else _whole(end)
    if 0 <= first <= last <= len(value):
        return value[first:last]
    raise ExpressionError(f"Expected a part of the text of {len(value)} characters, but it goes from {first} to {last}")


def _replace(value: str, old: Any, new: Any) -> str:
    old, new = text(old), text(new)
    if len(value) * (len(new) + 1) > 10 * limits.STRING:
        raise ExpressionError(f"Expected a shorter replacement for a text of {len(value)} characters, but it has {len(new)}")
    return value.replace(old, new)


def _get(value: Sequence[Any], index: Any) -> Any:
    place = _whole(index)
    if 0 <= place < len(value):
        return value[place]
    raise ExpressionError(f"Expected a place in the list of {len(value)}, but it is {place}")


def _index(value: Sequence[Any], member: Any) -> int:
    return next((place for place, each in enumerate(value) if _equals(each, member)), -1)


def _whole_pattern(pattern: Any) -> re.Pattern[str]:
    return patterns.compile_pattern(f"^(?:{text(pattern)})$")


_TEXTS: dict[str, Method] = {
    "length": len,
    "isEmpty": lambda value: not value,
    "contains": lambda value, other: text(other) in value,
    "startsWith": lambda value, other: value.startswith(text(other)),
    "endsWith": lambda value, other: value.endswith(text(other)),
    "equals": _equals,
    "equalsIgnoreCase": lambda value, other: isinstance(other, str) and value.lower() == other.lower(),
    "indexOf": lambda value, other: value.find(text(other)),
    "substring": _substring,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "concat": lambda value, other: value + text(other),
    "replace": _replace,
    "matches": lambda value, pattern: _whole_pattern(pattern).search(value) is not None,
    "toString": lambda value: value,
}
_LISTS: dict[str, Method] = {
    "size": len,
    "isEmpty": lambda value: not value,
    "contains": lambda value, member: _index(value, member) >= 0,
    "indexOf": _index,
    "get": _get,
}
_MAPS: dict[str, Method] = {
    "size": len,
    "isEmpty": lambda value: not value,
    "get": lambda value, key: value.get(text(key)),
    "containsKey": lambda value, key: text(key) in value,
    "keySet": list,
    "values": lambda value: list(value.values()),
}
_NUMBERS: dict[str, Method] = {
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "equals": _equals,
    "toString": juel.text,
}
_BOOLEANS: dict[str, Method] = {"booleanValue": lambda value: value, "equals": _equals, "toString": juel.text}


def _moved(sign: int, **unit: int) -> Method:
    """Move a moment by a number of units."""

    def move(value: dt.datetime, count: Any) -> dt.date:
        number = sign * _whole(count)
        if months := unit.get("months"):
            return temporal.add_months(value, number * months)
        return temporal.add_days(value, dt.timedelta(**{name: size * number for name, size in unit.items()}))

    return move


_UNITS: dict[str, dict[str, int]] = {
    "Years": {"months": 12},
    "Months": {"months": 1},
    "Weeks": {"weeks": 1},
    "Days": {"days": 1},
    "Hours": {"hours": 1},
    "Minutes": {"minutes": 1},
    "Seconds": {"seconds": 1},
}
_MOMENTS: dict[str, Method] = {
    **{f"plus{name}": _moved(1, **unit) for name, unit in _UNITS.items()},
    **{f"minus{name}": _moved(-1, **unit) for name, unit in _UNITS.items()},
    "toDate": lambda value: value,
    "toString": lambda value: value.isoformat(),
    "withTimeAtStartOfDay": lambda value: value.replace(hour=0, minute=0, second=0, microsecond=0),
    "isBefore": lambda value, other: temporal.instant(value) < temporal.instant(_moment(other)),
    "isAfter": lambda value, other: temporal.instant(value) > temporal.instant(_moment(other)),
    "equals": _equals,
    "getYear": lambda value: value.year,
    "getMonthOfYear": lambda value: value.month,
    "getDayOfMonth": lambda value: value.day,
    "getDayOfWeek": lambda value: value.isoweekday(),
    "getHourOfDay": lambda value: value.hour,
    "getMinuteOfHour": lambda value: value.minute,
}
#: Kinds of values with their methods; the first that fits counts (a boolean is an int to Python).
KINDS: tuple[tuple[str, Any, Mapping[str, Method]], ...] = (
    ("texts", str, _TEXTS),
    ("booleans", bool, _BOOLEANS),
    ("numbers", (int, float, Decimal), _NUMBERS),
    ("lists", (list, tuple), _LISTS),
    ("maps", Mapping, _MAPS),
    ("moments", dt.datetime, _MOMENTS),
)
NAMES = frozenset(name for _, _, methods in KINDS for name in methods)


#: How many arguments a method takes, save for those that take none.
_ONE = ("contains", "startsWith", "endsWith", "equals", "equalsIgnoreCase", "indexOf", "concat", "matches", "get", "containsKey")
_TAKES = {
    **dict.fromkeys((*_ONE, *(name for name in _MOMENTS if name.startswith(("plus", "minus", "is")))), (1, 1)),
    "substring": (1, 2),
    "replace": (2, 2),
}


def check(name: str, arguments: Sequence[Any]) -> None:
    """Refuse a call that fails whatever value is asked: too few or too many arguments, or one that is written and no good.

    Arguments that are not written are UNKNOWN, or a Name.  Raises ExpressionError.
    """
    least, most = _TAKES.get(name, (0, 0))
    if not least <= len(arguments) <= most:
        wanted = "nothing" if most == 0 else f"{least}" if least == most else f"{least} or {most}"
        raise ExpressionError(f"Expected {wanted} between the brackets of {name}(), but {len(arguments)} arguments are given")
    first = arguments[0] if arguments and not isinstance(arguments[0], Name) else UNKNOWN
    if first is not UNKNOWN and name.startswith(("plus", "minus")):
        _whole(first)
    if first is not UNKNOWN and name == "matches":
        _whole_pattern(first)


def _cost(name: str, value: Any, given: Sequence[Any]) -> int:
    """Steps that a call costs, about half a microsecond each."""
    if name == "matches" and given:
        return patterns.effort(_whole_pattern(given[0]), value) // 200
    return len(value) // (1_000 if isinstance(value, str) else 3) if isinstance(value, (str, list, tuple, Mapping)) else 1


def call(base: Run, name: str, arguments: Sequence[Run]) -> Run:
    """`value.name(arguments)`."""

    def run(scope: Scope) -> Any:
        value = base(scope)
        given = [argument(scope) for argument in arguments]
        methods: Mapping[str, Method] = next((methods for _, kind, methods in KINDS if isinstance(value, kind)), {})
        if name not in methods:
            raise ExpressionError(f"Expected a value that has {name}(), but it is {describe(value)}")
        try:
            scope.spend(_cost(name, value, given))
            result = methods[name](value, *given)
        except (TypeError, ValueError):
            raise ExpressionError(f"Expected to call {name}() with what it takes, but {len(given)} arguments do not fit") from None
        return limits.text(result) if isinstance(result, str) else result

    return run
