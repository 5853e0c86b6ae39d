"""An item is decided by its own department."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules.unknown_group import OF_DEPARTMENT


def check(bundle: Bundle) -> Problems:
    """The decision of an item is a task of the department that the item names: officers of another one would decide what is not theirs."""
    for resource, process, element in bundle.elements():
        department = process.properties.get("onething.department", "")
        groups = [group.source.strip() for group in element.candidate_groups if group.dialect == "literal"]
        others = [group for group in groups if group.startswith(OF_DEPARTMENT) and group != OF_DEPARTMENT + department]
        decides = element.properties.get("onething.kind") == "decision" and process.properties.get("onething.kind") == "item"
        is_there = bundle.known.departments is None or department in bundle.known.departments  # else it is what must be corrected
        if department and is_there and decides and others == groups and len(groups) == len(element.candidate_groups) and groups:
            message = (
                f"Expected {element.label} to be decided by the item's department ({department}), but it is given to {', '.join(others)}: "
                f"write {OF_DEPARTMENT}{department}, or correct onething.department"
            )
            yield Problem(resource=resource, element=element, message=message)
