"""A task shows a form of the same deployment."""

from __future__ import annotations

from bpmn.lint.bundle import FORMS, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A task shows a form of the same deployment."""
    keys = {name for entry in bundle.forms for name in entry}
    for resource, _process, element in bundle.elements():
        if element.form_ref and element.form_ref not in keys and bundle.lacks(FORMS):
            message = (
                f"Expected {element.label} to show a form that is deployed with it, but there is none with the id {element.form_ref!r}"
            )
            yield Problem(resource=resource, element=element, message=message)
