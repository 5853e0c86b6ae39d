"""Types of columns (`typeRef`): what Camunda 7 makes of a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, temporal
from bpmn.expressions.functions import FUNCTIONS, arguments
from bpmn.expressions.scope import Scope
from bpmn.expressions.temporal import YearsMonths
from bpmn.expressions.values import describe, plain_text

#: Makes a value (never null) what a type says, or raises ExpressionError.
Type = Callable[[Any], Any]


def any_value(value: Any) -> Any:
    """Take whatever it is."""
    return value


def _text(value: Any) -> str:
    if isinstance(value, (bool, int, float, str)) or decimals.is_number(value):
        return plain_text(value)
    raise ExpressionError(f"Expected a text, but it is {describe(value)}")


def _boolean(value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if isinstance(value, bool):
        return value
    raise ExpressionError(f"Expected true or false, but it is {describe(value)}")


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return FUNCTIONS["number"].invoke([value], Scope({}, {}))
    return decimals.number(value)


def _integer(value: Any) -> int:
    return decimals.integer(_number(value))


def _date(value: Any) -> dt.date:
    """Take a date; Camunda 7 calls a date with a time so, too."""
    if isinstance(value, str):
        return temporal.read_moment(value) if "T" in value else temporal.read_date(value)
    if isinstance(value, dt.date):
        return value
    raise ExpressionError(f"Expected a date, but it is {describe(value)}")


def _moment(value: Any) -> dt.datetime:
    found = _date(value)
    return found if isinstance(found, dt.datetime) else dt.datetime.combine(found, dt.time())


def _time(value: Any) -> dt.time:
    if isinstance(value, dt.time):
        return value
    if isinstance(value, str):
        return temporal.read_time(value)
    raise ExpressionError(f"Expected a time, but it is {describe(value)}")


def _duration(kind: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        found = temporal.read_duration(value) if isinstance(value, str) else value
        if isinstance(found, kind):
            return found
        raise ExpressionError(f"Expected a duration in {_UNITS[kind]}, but it is {describe(value)}")

    return convert


_UNITS: dict[type, str] = {dt.timedelta: "days and hours", YearsMonths: "years and months"}
TYPES: dict[str, Type] = {
    "any": any_value,
    "boolean": _boolean,
    "context": arguments.context,
    "date": _date,
    "datetime": _moment,
    "daytimeduration": _duration(dt.timedelta),
    "double": _number,
    "integer": _integer,
    "list": arguments.listing,
    "long": _integer,
    "number": _number,
    "string": _text,
    "time": _time,
    "yearmonthduration": _duration(YearsMonths),
}


def key(type_ref: str) -> str:
    """Return the name of a type as the table above has it: `feel:dateTime`, `date and time` and `dateTime` are one."""
    name = type_ref.rpartition(":")[2].strip()
    words = name.replace(" and ", " ").replace("days", "day").replace("years", "year").replace("months", "month")
    return words.replace(" ", "").lower()


def convert(value: Any, kind: Type | None) -> Any:
    """Make a value what its place says it is; null stays null.  Raises ExpressionError."""
    return value if value is None or kind is None else kind(value)
