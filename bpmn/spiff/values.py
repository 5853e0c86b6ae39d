"""What elements expect of the values that their expressions give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bpmn import timers
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, plain
from bpmn.expressions.values import describe
from bpmn.parameters import HandedOn, Parameter, Value, VariableMapping

if TYPE_CHECKING:
    from bpmn.spiff.token import Token


#: Characters of what people are called, and of what things are told apart by: a topic, a message, a business key.
PERSON, NAME = 80, 255


def text(what: str, value: Any, longest: int | None = None) -> str:
    """Return a text that is not empty, not longer than it may be, and that every database keeps."""
    found = value.strip() if isinstance(value, str) else ""
    if not found:
        raise ExpressionError(f"Expected the {what} to be a text, but it is {describe(value)}")
    if "\0" in found:
        raise ExpressionError(f"Expected the {what} to be a text, but it has a NUL character")
    if longest is not None and len(found) > longest:
        raise ExpressionError(f"Expected the {what} to have at most {longest} characters, but it has {len(found)}")
    return found


def text_or_none(what: str, value: Any, longest: int | None = None) -> str | None:
    """Return a text, or None for null and the empty text."""
    return None if value is None or value == "" else text(what, value, longest)


def names(what: str, given: Iterable[Any]) -> list[str]:
    """Return candidate groups or users: each value is a name, several with commas between them, or a list of names."""
    parts: list[str] = []
    for value in given:
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            found = [part.strip() for part in text(what, entry).split(",") if part.strip()]
            parts += found if len(entry) <= PERSON else [text(what, part, PERSON) for part in found]
    return list(dict.fromkeys(parts))


def version(value: Any) -> str:
    """Return the number or the tag of a version."""
    return str(int(value)) if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else text("version", value)


def due_date(value: Any, since: datetime) -> str | None:
    """Return the due date of a user task, in ISO 8601."""
    return None if value is None else timers.due(value, since).isoformat()


def moment(written: str | None) -> datetime | None:
    """Read back a moment that was kept in a token."""
    return None if written is None else datetime.fromisoformat(written)


def priority(value: Any, bits: int = 64) -> int:
    """Return the priority of a task or a job."""
    number = whole("priority", value)
    if abs(number) >= 2 ** (bits - 1):
        raise ExpressionError(f"Expected the priority to be a whole number of at most {bits} bits, but it is {describe(value)}")
    return number


def whole(what: str, value: Any, least: float = -math.inf) -> int:
    """Return a whole number, however it is written: what was divided is a fraction (`2.0`) even where it divides."""
    try:
        if not isinstance(value, bool) and float(value) == int(float(value)) >= least:
            return int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    number = "a whole number" if least == -math.inf else f"a whole number of {least} or more"
    raise ExpressionError(f"Expected the {what} to be {number}, but it is {describe(value)}")


def passed(
    mappings: Iterable[VariableMapping],
    given: Mapping[str, Any],
    evaluate: Callable[[Expression], Any],
    *,
    local: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the variables that `camunda:in` or `camunda:out` hand over; `local` are those of the giving scope alone.

    What is only handed on may be more than an expression may make.
    """
    result: dict[str, Any] = {}
    for mapping in mappings:
        known = local if mapping.local else given
        if mapping.source is None or mapping.target is None:
            result.update((name, plain(value, math.inf)) for name, value in known.items())
        elif mapping.by_name and not mapping.source.names <= known.keys():
            result[mapping.target] = None
        else:
            value = evaluate(mapping.source)
            is_handed_on = (name := mapping.source.alone) is not None and name in given and value is given[name]
            result[mapping.target] = plain(value, math.inf) if is_handed_on else plain(value)
    return result


def map_in(token: Token, parameters: Iterable[Parameter]) -> None:
    """Set the input parameters as local variables; all of them see the variables around, none sees another.

    What only watches takes none: behind an event-based gateway an event is entered when it has happened, as in Camunda 7.
    """
    taken = (parameter for parameter in parameters if token.workflow.mappings and not token.watches)
    given: dict[str, Any] = {}
    for parameter in taken:
        given[parameter.name] = _built(token, parameter.value)
        note(token, parameter.value, token.id, parameter.name)
    if given:
        token.facts["local"] = token.facts.get("local", {}) | given


def map_out(token: Token, parameters: Iterable[Parameter]) -> None:
    """Set what the output parameters say in the variables around, one after the other."""
    for parameter in parameters if token.workflow.mappings else ():
        value = _built(token, parameter.value)
        note(token, parameter.value, token.scope.place_of(parameter.name), parameter.name)
        token.scope.set_variables({parameter.name: value})


def note(token: Token, value: Value, place: int | None, name: str) -> None:
    """Note that a variable is about to be set to what another one holds: it has its type, which is not known here."""
    if isinstance(value, Expression) and (source := value.alone) is not None:
        token.workflow.handed_on.append(HandedOn(place, name, token.place_of(source), source))


def _built(token: Token, value: Value) -> Any:
    """Return the value of a parameter: of an expression, of each in a list or a map, or nothing."""
    if isinstance(value, Expression):
        return plain(token.evaluate(value))
    if isinstance(value, tuple):
        return [_built(token, entry) for entry in value]
    return {name: _built(token, entry) for name, entry in value.items()} if value is not None else None


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
