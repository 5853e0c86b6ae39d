"""Values that enter and leave expressions: their names for people, and their JSON form."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import limits
from bpmn.expressions.temporal import YearsMonths, write_duration, write_moment

#: Types by name, most special first (a boolean is an int to Python, a date-time a date).
_NAMES: tuple[tuple[Any, str], ...] = (
    (bool, "a boolean"),
    ((int, float, Decimal), "a number"),
    (str, "a text"),
    (dt.datetime, "a date and time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
    ((dt.timedelta, YearsMonths), "a duration"),
    ((list, tuple), "a list"),
    (Mapping, "a map"),
)


def describe(value: Any) -> str:
    """Name the type of a value, with the value itself when it is short."""
    if value is None:
        return "null"
    name = next((name for kind, name in _NAMES if isinstance(value, kind)), f"a {type(value).__name__.lower()}")
    shown = plain_text(value) if isinstance(value, (bool, int, float, Decimal, str, dt.date, dt.time)) else ""
    return f"{name} ({shown})" if shown and len(shown) <= 40 else name  # noqa: PLR2004 - longer ones would drown the message


def plain(value: Any, most: float = limits.MEMBERS) -> Any:
    """Turn a value into JSON: whole numbers of 64 bits into int, others into float, dates and durations into ISO 8601 text.

    Raises ExpressionError for what has no JSON form, or is too large: it has more than so many members.
    """
    return _Plain(most).convert(value, limits.LAYERS)


class _Plain:
    """One conversion; it counts members, because a value may hold the same list many times over."""

    def __init__(self, most: float) -> None:
        self._most = self._left = most

    def convert(self, value: Any, layers: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ExpressionError(f"Expected a value of at most {self._most} members, but it has more")
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, (int, float, Decimal)):
            return _number(value)
        if isinstance(value, (dict, list, tuple, Mapping)):  # abstract ones last: they cost three calls
            return self._convert_members(value, layers - 1)
        if isinstance(value, (dt.date, dt.time)):
            return value.isoformat() if isinstance(value, dt.date) else write_moment(value)
        if isinstance(value, (dt.timedelta, YearsMonths)):
            return write_duration(value)
        raise ExpressionError(f"Expected a value that JSON can hold, but it is {describe(value)}")

    def _convert_members(self, value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], layers: int) -> dict[str, Any] | list[Any]:
        if layers < 0:
            raise ExpressionError(f"Expected lists and maps at most {limits.LAYERS} deep in one another, but they are nested too deep")
        if isinstance(value, (list, tuple)):
            return [self.convert(member, layers) for member in value]
        return {str(key): self.convert(member, layers) for key, member in value.items()}


def _number(value: float | Decimal) -> int | float:
    if isinstance(value, int) and -limits.LONG - 1 <= value <= limits.LONG:
        return value
    if not math.isfinite(value):
        raise ExpressionError("Expected a finite number, but it is not one")
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) <= limits.LONG:
        return int(value)
    return float(value)  # a whole number of more than 64 bits is nothing that JSON is read with everywhere


def plain_text(value: Any) -> str:
    """Write a value as text: what is not text already, as JSON writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal):
        digits = format(value, "f")
        return (digits.rstrip("0").rstrip(".") if "." in digits else digits) if value else "0"
    converted = plain(value)
    return converted if isinstance(converted, str) else json.dumps(converted, ensure_ascii=False)
