"""What is made from an element template says what it is."""

from __future__ import annotations

from collections.abc import Iterable

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules.unknown_property import KIND, meant


def check(bundle: Bundle) -> Problems:
    """What is made from an element template, or has the properties of a matter or an item, says what it is (`onething.kind`)."""
    words = bundle.known.words
    for resource, process in bundle.processes:
        ours = sorted(name for name in process.properties if name in words.of_processes)
        if ours and not process.properties.get(KIND):
            message = (
                f"Expected the process {process.key} to say what it is, since it has {ours[0]}, but it has no {KIND}: nobody could apply "
                f"for it; {_renamed(process.properties) or 'write matter or item, or choose the element template anew'}"
            )
            yield Problem(resource=resource, process=process, message=message)
    for resource, _process, element in bundle.elements():
        kind, has = words.templates.get(element.template or ""), element.properties.get(KIND)
        if kind and has != kind and (shapes.lacks_kind(element, words) or has in words.elements[KIND]):  # what is no word is told
            message = (
                f"Expected {element.label} to have {KIND} = {kind}, since it is made from the element template {element.template}, "
                f"but it has {has or 'none'}: completing it would do nothing; "
                f"{_renamed(element.properties) or 'choose the template anew'}"
            )
            yield Problem(resource=resource, element=element, message=message)


def _renamed(properties: Iterable[str]) -> str:
    """Say which property is called almost so."""
    found = next((name for name in properties if name != KIND and meant(name, [KIND], [KIND])), None)
    return f"rename the property {found[:60]!r} to {KIND}" if found else ""
