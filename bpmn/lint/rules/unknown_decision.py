"""A business rule task asks a table that is there."""

from __future__ import annotations

from bpmn.lint import spelling
from bpmn.lint.bundle import TABLES, Bundle
from bpmn.lint.rule import ADD, Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A business rule task asks a table that is there."""
    keys = bundle.known.decisions | {decision.id for _, decision in bundle.decisions}
    for resource, _process, element in bundle.elements():
        ref = element.decision_ref
        if ref and ref.dialect == "literal" and ref.source not in keys and bundle.lacks(TABLES):
            instead = spelling.advice(ref.source, keys) or f": {ADD.format('.dmn')}"
            message = f"Expected {element.label} to ask a decision that is deployed, but there is none with the id {ref.source!r}{instead}"
            yield Problem(resource=resource, element=element, message=message)
