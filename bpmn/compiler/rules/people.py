"""Rules about user tasks and forms."""

from __future__ import annotations

from bpmn.compiler.particulars.people import FORM_KEY
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, camunda, extensions
from bpmn.definition import ElementType


def unknown_form(drawing: Drawing) -> Problems:
    """Forms are Camunda Forms or generated; HTML of other applications cannot be shown."""
    for element in drawing.of_type(ElementType.USER_TASK, ElementType.START_EVENT):
        node = drawing.node(element.id)
        key = camunda(node, "formKey")
        given = [key, camunda(node, "formRef"), next(extensions(node, "formData"), None)]
        if key is not None and not FORM_KEY.fullmatch(key):
            message = (
                f"Expected the form of {drawing.label(element.id)} to be a Camunda Form, but it is {key[:60]!r}: choose “Camunda Form”"
            )
            yield element.id, message
        elif sum(form is not None for form in given) > 1:
            message = (
                f"Expected {drawing.label(element.id)} to have one form, but it has several: keep one of form key, form reference, fields"
            )
            yield element.id, message


def several_assignees(drawing: Drawing) -> Problems:
    """A task is one person's."""
    for element in drawing.of_type(ElementType.USER_TASK):
        node = drawing.node(element.id)
        named = [*node.iterchildren(f"{MODEL}humanPerformer")]
        if len(named) + (camunda(node, "assignee") is not None) > 1:
            message = f"Expected {drawing.label(element.id)} to have one assignee, but it has several: keep one"
            yield element.id, message
