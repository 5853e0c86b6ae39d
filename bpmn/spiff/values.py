"""What elements expect of the values that their expressions give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bpmn import timers
from bpmn.definition import VariableMapping
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, plain
from bpmn.expressions.values import describe


def text(what: str, value: Any) -> str:
    """Return a text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ExpressionError(f"Expected the {what} to be a text, but it is {describe(value)}")


def text_or_none(what: str, value: Any) -> str | None:
    """Return a text, or None for null and the empty text."""
    return None if value is None or value == "" else text(what, value)


def groups(found: Iterable[Any]) -> list[str]:
    """Return candidate groups: each value is a group, several with commas between them, or a list of groups."""
    names: list[str] = []
    for value in found:
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            names += [part.strip() for part in text("candidate group", entry).split(",") if part.strip()]
    return list(dict.fromkeys(names))


def due_date(value: Any, since: datetime) -> str | None:
    """Return the due date of a user task, in ISO 8601."""
    return None if value is None else timers.due(value, since).isoformat()


def moment(written: str | None) -> datetime | None:
    """Read back a moment that was kept in a token."""
    return None if written is None else datetime.fromisoformat(written)


def priority(value: Any) -> int:
    """Return the priority of a user task."""
    try:
        if not isinstance(value, bool) and float(value) == int(float(value)):
            return int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise ExpressionError(f"Expected the priority to be a whole number, but it is {describe(value)}")


def passed(mappings: Iterable[VariableMapping], given: Mapping[str, Any], evaluate: Callable[[Expression], Any]) -> dict[str, Any]:
    """Return the variables that `camunda:in` or `camunda:out` hand over."""
    result: dict[str, Any] = {}
    for mapping in mappings:
        if mapping.source is None or mapping.target is None:
            result.update(given)
        elif mapping.by_name and not mapping.source.names <= given.keys():
            result[mapping.target] = None
        else:
            result[mapping.target] = evaluate(mapping.source)
    return {name: plain(value) for name, value in result.items()}


def decision_result(rows: list[dict[str, Any]], mapping: str) -> Any:
    """Return what Camunda's `mapDecisionResult` makes of the rows of a decision."""
    if mapping == "resultList":
        return rows
    if mapping == "collectEntries":
        return [_entry(row) for row in rows]
    if len(rows) > 1:
        raise ExpressionError(f"Expected the decision to give one row at most, but it gives {len(rows)}")
    if not rows:
        return None
    return rows[0] if mapping == "singleResult" else _entry(rows[0])


def _entry(row: Mapping[str, Any]) -> Any:
    if len(row) > 1:
        raise ExpressionError(f"Expected each row of the decision to have one output, but it has {', '.join(row)}")
    return next(iter(row.values()), None)
