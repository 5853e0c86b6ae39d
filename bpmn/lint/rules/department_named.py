"""An item says which department decides it."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """An item says which department decides it."""
    for resource, process in bundle.processes:
        if process.properties.get("onething.kind") == "item" and not process.properties.get("onething.department"):
            message = f"Expected the item {process.key} to name its department, but it does not: fill in onething.department"
            yield Problem(resource=resource, process=process, message=message)
