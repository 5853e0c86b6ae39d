"""Types that FEEL's `instance of` knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from bpmn.expressions import decimals
from bpmn.expressions.temporal import YearsMonths


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


TYPES: dict[str, Callable[[Any], bool]] = {
    "Any": lambda value: value is not None,
    "boolean": _is(bool),
    "context": _is(Mapping),
    "date": lambda value: type(value) is dt.date,
    "date and time": _is(dt.datetime),
    "days and time duration": _is(dt.timedelta),
    "list": _is(list, tuple),
    "number": decimals.is_number,
    "string": _is(str),
    "time": _is(dt.time),
    "years and months duration": _is(YearsMonths),
}
