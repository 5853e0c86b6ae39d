"""Every item has its row in the table `item_limits`."""

from __future__ import annotations

from bpmn.lint.bundle import LIMITS, TABLES, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Every item has its row in the table `item_limits`, so that its clock can run."""
    for resource, process in bundle.processes:
        item = bundle.items.get(process.key)
        # A table that is deployed elsewhere has been checked there.
        if item and item.process is process and item.limits and item.figures is None and bundle.lacks(TABLES):
            message = f"Expected one row for the item {process.key} in the table {LIMITS}, but there is none, or more than one"
            yield Problem(resource=resource, process=process, message=message)
