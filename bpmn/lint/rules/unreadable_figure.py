"""Figures in properties and tables are whole numbers of days."""

from __future__ import annotations

from collections.abc import Mapping

from bpmn.decisions.table import DecisionTable
from bpmn.lint.bundle import LIMITS, Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts

#: Properties that are numbers of days.
FIGURES = ("onething.promised", "onething.longest_wait", "onething.supplement_days", "onething.archive_days")

#: Columns that are, by table.
COLUMNS = {
    LIMITS: ("promised", "statutory", "extension", "post_check", "special_days"),
    "materials": ("due_days", "grace_days"),
}


def check(bundle: Bundle) -> Problems:
    """Figures in properties and tables are whole numbers of days."""
    for resource, process in bundle.processes:
        for name, text in _wrong(process.properties):
            message = f"Expected {name} of the process {process.key} to be a whole number of days, but it is {text!r}"
            yield Problem(resource=resource, process=process, message=message)
    for resource, _process, element in bundle.elements():
        for name, text in _wrong(element.properties):
            message = f"Expected {name} of {element.label} to be a whole number of days, but it is {text!r}"
            yield Problem(resource=resource, element=element, message=message)
    for resource, decision in bundle.decisions:
        figures = COLUMNS.get(decision.id, ()) if isinstance(decision.logic, DecisionTable) else ()
        for rule, row in facts.rows(decision.logic) if figures and isinstance(decision.logic, DecisionTable) else ():
            for column in figures:
                if column in row and not _is_figure(row[column]):
                    message = (
                        f"Expected {column} in {rule} of the table {decision.id} to be a whole number of days, but it is {row[column]!r}"
                    )
                    yield Problem(resource=resource, line=rule.line, message=message)


def _is_figure(value: object) -> bool:
    """Tell whether a cell holds a number of days, as a number or as a text."""
    if isinstance(value, str):
        return facts.number(value.strip()) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and value == int(value)


def _wrong(properties: Mapping[str, str]) -> list[tuple[str, str]]:
    written = [(name, properties.get(name, "")) for name in FIGURES]
    return [(name, text) for name, text in written if text and facts.number(text) is None]
