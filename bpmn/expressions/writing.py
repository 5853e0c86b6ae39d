"""How FEEL writes values: what `string(…)` gives."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import limits, temporal
from bpmn.expressions.feel import Range
from bpmn.expressions.values import plain_text


def write(value: Any) -> str:
    """Write a value as text: a text as it is, everything else as FEEL would read it, dates and durations in ISO 8601."""
    return value if isinstance(value, str) else _Writer().write(value)


class _Writer:
    """One text; it counts members, because a value may hold the same list many times over."""

    def __init__(self) -> None:
        self._left = limits.ITEMS

    def write(self, value: Any) -> str:
        self._left -= 1
        if self._left < 0:
            raise ExpressionError(f"Expected to write at most {limits.ITEMS} members, but there are more")
        if value is None:
            return "null"
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(map(self.write, value))}]"
        if isinstance(value, Mapping):
            return f"{{{', '.join(f'{_key(key)}: {self.write(member)}' for key, member in value.items())}}}"
        if isinstance(value, Range):
            ends = f"{self.write(value.low)}..{self.write(value.high)}"
            return f"{'[' if value.low_closed else '('}{ends}{']' if value.high_closed else ')'}"
        return temporal.write_moment(value) if isinstance(value, (dt.date, dt.time)) else plain_text(value)


def _key(key: Any) -> str:
    return key if isinstance(key, str) and key.isidentifier() else json.dumps(str(key), ensure_ascii=False)
