"""What functions take: each of these passes a value of its kind on and refuses all others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions.closures import Closure
from bpmn.expressions.values import describe


def text(value: Any) -> str:
    """Take a text."""
    if isinstance(value, str):
        return value
    raise ExpressionError(f"Expected a text, but it is {describe(value)}")


def listing(value: Any) -> list[Any]:
    """Take a list; anything else is a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def context(value: Any) -> Mapping[str, Any]:
    """Take a context."""
    if isinstance(value, Mapping):
        return value
    raise ExpressionError(f"Expected a context, but it is {describe(value)}")


def date(value: Any) -> dt.date:
    """Take a date, or the date of a date and time."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    raise ExpressionError(f"Expected a date, but it is {describe(value)}")


def function(value: Any) -> Closure:
    """Take a function."""
    if isinstance(value, Closure):
        return value
    raise ExpressionError(f"Expected a function, but it is {describe(value)}")
