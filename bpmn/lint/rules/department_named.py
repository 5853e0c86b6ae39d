"""An item says which department decides it."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import unknown_property

DEPARTMENT = "onething.department"


def check(bundle: Bundle) -> Problems:
    """An item says which department decides it."""
    for resource, process in bundle.processes:
        misnamed = any(unknown_property.meant(name, [DEPARTMENT], [DEPARTMENT]) for name in process.properties if name != DEPARTMENT)
        if process.properties.get("onething.kind") == "item" and not process.properties.get(DEPARTMENT) and not misnamed:
            message = f"Expected the item {process.key} to name its department, but it does not: fill in {DEPARTMENT}"
            yield Problem(resource=resource, process=process, message=message)
