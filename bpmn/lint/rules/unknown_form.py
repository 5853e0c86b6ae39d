"""A task shows a form that is there."""

from __future__ import annotations

from bpmn.definition import Binding
from bpmn.lint import spelling
from bpmn.lint.bundle import FORMS, Bundle
from bpmn.lint.rule import ADD, Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A task shows a form of the same deployment, or, with the binding `latest`, one that is deployed."""
    own = {name for entry in bundle.forms for name in entry}
    for resource, _process, element in bundle.elements():
        newest = element.form_binding is Binding.LATEST
        known = own | bundle.known.forms if newest else own
        if element.form_ref and element.form_ref not in known and bundle.lacks(FORMS):
            where = "that is deployed" if newest else "that is deployed with it"
            instead = spelling.advice(element.form_ref, known) or f": {ADD.format('.form')}"
            message = f"Expected {element.label} to show a form {where}, but there is none with the id {element.form_ref!r}{instead}"
            yield Problem(resource=resource, element=element, message=message)
