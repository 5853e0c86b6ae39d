"""A matter bundles items (单事项)."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A matter bundles items (单事项)."""
    for matter in bundle.matters:
        if not matter.calls:
            message = f"Expected the matter {matter.process.key} to call items, but it calls none: draw a call activity for each"
            yield Problem(resource=matter.resource, process=matter.process, message=message)
