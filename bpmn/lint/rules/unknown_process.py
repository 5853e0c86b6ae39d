"""A call activity calls a process that is there."""

from __future__ import annotations

from bpmn.lint.bundle import DIAGRAMS, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A call activity calls a process that is there."""
    keys = bundle.known.processes | {process.key for _, process in bundle.processes}
    for resource, _process, element in bundle.elements():
        if element.called and element.called.dialect == "literal" and element.called.source not in keys and bundle.lacks(DIAGRAMS):
            message = (
                f"Expected {element.label} to call a process that is deployed, but there is none with the key {element.called.source!r}"
            )
            yield Problem(resource=resource, element=element, message=message)
