"""A task shows what is to be filled in."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A user task shows a form: without, whatever is sent is taken unchecked."""
    for resource, _process, element in bundle.elements():
        if element.type is ElementType.USER_TASK and not element.form_ref and element.form_data is None:
            message = f"Expected {element.label} to have a form, but it has none: link a form or add generated fields"
            yield Problem(resource=resource, element=element, message=message)
