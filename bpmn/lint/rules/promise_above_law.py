"""Nobody promises more time than the law gives."""

from __future__ import annotations

from bpmn.lint.bundle import LIMITS, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """The promised limit of an item (承诺时限) is not longer than its statutory one (法定时限)."""
    for resource, process in bundle.processes:
        item = bundle.items.get(process.key)
        figures = (item.figures if item and item.process is process else None) or {}
        promised, statutory = figures.get("promised"), figures.get("statutory")
        if isinstance(promised, int | float) and isinstance(statutory, int | float) and promised > statutory:
            message = (
                f"Expected the item {process.key} to be promised within the {statutory} days that the law gives, "
                f"but {LIMITS} promises {promised}: correct one of the two, they may have been swapped"
            )
            yield Problem(resource=resource, process=process, message=message)
