"""Telling values: of everything that a variable can be, the few values that a drawing tells apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bpmn.decisions import Decision
from bpmn.decisions.table import DecisionTable
from bpmn.definition import Definition, ElementType
from bpmn.expressions import Expression

#: Values by variable, in the order in which they were found.
Telling = Mapping[str, Sequence[Any]]
#: A text that nobody compares with.
OTHER = "其他"
_LITERAL = r"""("[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false|null)"""
_COMPARES = r"\s*(?:[=!<>]=?|\b(?:eq|ne|lt|gt|le|ge)\b)\s*"
_NAME = r"\b(?!\d)\w+\b"
#: Comparisons, and variables that stand by themselves.
_TOLD = re.compile(
    rf"(?:{_LITERAL}{_COMPARES}{_LITERAL}|{_NAME}{_COMPARES}{_LITERAL}|{_LITERAL}{_COMPARES}{_NAME}|{_NAME}|&&|\|\||[\s()!])*"
)


def values(process: Definition, decisions: Iterable[Decision] = ()) -> dict[str, list[Any]]:
    """Return the telling values of every variable that a condition of the process, or a table that it asks, reads."""
    found: dict[str, list[Any]] = {}
    for expression in _conditions(process):
        for name in sorted(expression.names):
            _add(found, name, compared(expression.source, name))
    for decision in decisions:
        for name, sources in _columns(decision):
            _add(found, name, [value for source in sources for value in written(source)])
    return {name: _completed(some) for name, some in found.items()}


def compared(source: str, name: str) -> list[Any]:
    """Literals that an expression compares a variable with; true where it stands by itself."""
    word = rf"(?<![\w.'\"]){re.escape(name)}(?![\w(])"
    pairs = re.findall(rf"{word}{_COMPARES}{_LITERAL}|{_LITERAL}{_COMPARES}{word}", source)
    return [_read(left or right) for left, right in pairs] or [True]


def is_told(condition: Expression) -> bool:
    """Tell whether a condition is true of some telling values if it is true of any: it compares with literals only."""
    source = condition.source.strip()
    inner = source[1:] if condition.dialect == "feel" else source[2:-1]
    return not condition.calls and all(map(str.isidentifier, condition.names)) and _TOLD.fullmatch(inner) is not None


def written(source: str) -> list[Any]:
    """Literals that a cell of a table, or any other text, is written with."""
    return [_read(literal) for literal in re.findall(_LITERAL, source)]


def _conditions(process: Definition) -> Iterator[Expression]:
    for flow in process.flows.values():
        if flow.condition is not None:
            yield flow.condition
    for element in process.elements.values():
        if element.event is not None and element.event.condition is not None:
            yield element.event.condition


def asked(process: Definition, decisions: Mapping[str, Decision]) -> list[Decision]:
    """Decisions that the process asks, with those that they require."""
    refs = [e.decision_ref.source for e in process.elements.values() if e.type is ElementType.BUSINESS_RULE_TASK and e.decision_ref]
    queue = [decisions[ref] for ref in refs if ref in decisions]
    found: dict[str, Decision] = {}
    while queue:
        decision = queue.pop(0)
        if decision.id not in found:
            found[decision.id] = decision
            queue.extend(decision.requires)
    return list(found.values())


def _columns(decision: Decision) -> Iterator[tuple[str, list[str]]]:
    table = decision.logic
    if isinstance(table, DecisionTable):
        for place, column in enumerate(table.inputs):
            yield column.expression.source.strip(), [_source(rule.cells[place]) for rule in table.rules]


def _source(cell: Any) -> str:
    cell = getattr(cell, "cell", cell)
    return str(getattr(cell, "source", "") or getattr(getattr(cell, "condition", None), "source", ""))


def _read(literal: str) -> Any:
    if literal[0] in "\"'":
        return literal[1:-1]
    if literal in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[literal]
    number = float(literal)
    return int(number) if number.is_integer() else number


def _add(found: dict[str, list[Any]], name: str, some: Iterable[Any]) -> None:
    known = found.setdefault(name, [])
    known.extend(value for value in some if not _among(value, known))


def _completed(some: list[Any]) -> list[Any]:
    """Add what lies beside the values: the other truth, another text, the next smaller and larger number."""
    found = [value for value in some if value is not None]
    for value in list(found):
        if isinstance(value, bool):
            beside: list[Any] = [not value]
        elif isinstance(value, str):
            beside = [OTHER]
        else:
            beside = [value + 1, value - 1]
        found.extend(each for each in beside if not _among(each, found))
    return found or [True, False]


def _among(value: Any, some: Iterable[Any]) -> bool:
    return any(type(each) is type(value) and each == value for each in some)
