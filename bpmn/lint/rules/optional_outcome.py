"""What a task goes by is filled in."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """The field that says how an intake, a decision or the like comes out must be filled in: left empty, the task would decide nothing."""
    words = bundle.known.words
    for resource, _process, element in bundle.elements():
        form = bundle.form(element)
        needed = words.fields.get(element.properties.get("onething.kind", ""), {})
        for field in form.fields if form else ():
            # What is computed is never empty for want of an answer; that nobody can fill in what is read-only is told already.
            asked = field.expression is None and field.readonly is not True
            if asked and field.key in needed and field.required is False:
                message = (
                    f"Expected “{field.name}” ({field.key}) of the form of {element.label} to be required, since the task goes by it, "
                    "but it may be left empty: tick “Required” (必填) in the form"
                )
                yield Problem(resource=resource, element=element, message=message)
