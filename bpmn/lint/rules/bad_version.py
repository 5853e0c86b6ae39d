"""A call of a version says its number."""

from __future__ import annotations

from bpmn.definition import Binding
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A call that is bound to a version says its number: versions count 1, 2, 3, and what else they are called is a version tag."""
    for resource, _process, element in bundle.elements():
        version = element.called_version
        if element.binding is not Binding.VERSION or version is None or version.dialect != "literal":
            continue
        written = version.source.strip()
        if not (written.isascii() and written.isdecimal() and int(written[:9])):
            message = (
                f"Expected {element.label} to call a version by its number (1, 2, 3), but it is {written[:60]!r}, so that the case would "
                "stop with an incident there: write the number, or choose the binding latest, or, if it is a tag, versionTag"
            )
            yield Problem(resource=resource, element=element, message=message)
