"""Elements are made from the newest version of their element template."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Elements are made from the newest version of their element template: an older one may write what is read no more."""
    for resource, _process, element in bundle.elements():
        newest = bundle.known.templates.get(element.template or "")
        if newest is not None and (element.template_version or "0") != str(newest):
            message = (
                f"Expected {element.label} to use version {newest} of the template {element.template}, but it uses "
                f"{element.template_version or 'none'}: update it in Camunda Modeler's properties panel"
            )
            yield Problem(resource=resource, element=element, message=message)
