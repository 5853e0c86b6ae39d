"""Figures in properties are whole numbers of days."""

from __future__ import annotations

from collections.abc import Mapping

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts

#: Properties that are numbers of days.
FIGURES = ("onething.promised", "onething.longest_wait", "onething.supplement_days", "onething.archive_days")


def check(bundle: Bundle) -> Problems:
    """Figures in properties are whole numbers of days."""
    for resource, process in bundle.processes:
        for name, text in _wrong(process.properties):
            message = f"Expected {name} of the process {process.key} to be a whole number of days, but it is {text!r}"
            yield Problem(resource=resource, process=process, message=message)
    for resource, _process, element in bundle.elements():
        for name, text in _wrong(element.properties):
            message = f"Expected {name} of {element.label} to be a whole number of days, but it is {text!r}"
            yield Problem(resource=resource, element=element, message=message)


def _wrong(properties: Mapping[str, str]) -> list[tuple[str, str]]:
    written = [(name, properties.get(name, "")) for name in FIGURES]
    return [(name, text) for name, text in written if text and facts.number(text) is None]
