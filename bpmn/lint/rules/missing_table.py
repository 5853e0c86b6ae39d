"""A matter and an item lie beside their tables."""

from __future__ import annotations

from bpmn.lint import spelling
from bpmn.lint.bundle import LIMITS, TABLES, Bundle
from bpmn.lint.rule import ADD, Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A matter is deployed with its table of items, and an item with that of limits: without, nobody could apply for it."""
    tables = {decision.id for _, decision in bundle.decisions}
    if not bundle.known.words.tables or not bundle.lacks(TABLES):
        return
    for matter in bundle.matters:
        # One that is called almost so is told by unknown-column.
        if matter.is_bundle and "items" not in tables and not spelling.nearest("items", tables):
            message = (
                f"Expected the matter {matter.process.key} to be deployed with its tables (items, materials, situations), but no file has "
                f"the table items, so that nobody could apply for it: {ADD.format('.dmn')}"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)
    for resource, process in bundle.processes:
        if process.properties.get("onething.kind") == "item" and LIMITS not in tables:
            message = (
                f"Expected the item {process.key} to be deployed with the table {LIMITS}, but no file has it, so that it has no limit, "
                f"unless the table that was deployed last gives it one: {ADD.format('.dmn')}"
            )
            yield Problem(resource=resource, process=process, message=message)
