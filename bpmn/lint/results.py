"""What decisions leave in variables, as far as the files say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.decisions.table import LISTING, DecisionTable
from bpmn.definition import Definition, Element
from bpmn.errors import ExpressionError
from bpmn.lint.bundle import Bundle

#: How the result of a decision becomes one value.
SINGLE = "singleEntry"


def decided(bundle: Bundle, process: Definition) -> Mapping[str, frozenset[Any]]:
    """Return what variables can be that take the single entry of tables, and nothing else of the process: their values by name."""
    found: dict[str, set[Any]] = {}
    unknown: set[str] = set()
    for element in process.elements.values():
        if element.decision_ref is None or element.result_variable is None:
            continue
        values = _entries(bundle, element)
        if values is None:
            unknown.add(element.result_variable)
        else:
            found.setdefault(element.result_variable, set()).update(values)
    return {name: frozenset(values) for name, values in found.items() if name not in unknown}


def _entries(bundle: Bundle, element: Element) -> set[Any] | None:
    """Return what the only output of a table says; None where it computes it, or where it is not known."""
    table = next((found.logic for _, found in bundle.decisions if element.decision_ref and found.id == element.decision_ref.source), None)
    if element.map_decision_result != SINGLE or not isinstance(table, DecisionTable) or len(table.outputs) != 1:
        return None
    if table.hit_policy in LISTING or table.aggregation:
        return None
    cells = [rule.outputs[0] for rule in table.rules] + [table.outputs[0].default]
    if any(cell is not None and (cell.names or cell.calls) for cell in cells):
        return None
    try:
        values = [cell.evaluate({}) for cell in cells if cell is not None]
    except ExpressionError:
        return None
    return set(values) if values and all(isinstance(value, (str, bool)) for value in values) else None
