"""What is made from an element template says what it is."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """What is made from an element template, or has the properties of a matter or an item, says what it is (`onething.kind`)."""
    words = bundle.known.words
    for resource, process in bundle.processes:
        ours = sorted(name for name in process.properties if name in words.of_processes)
        if ours and not process.properties.get("onething.kind"):
            message = (
                f"Expected the process {process.key} to say what it is, since it has {ours[0]}, but it has no onething.kind: "
                "nobody could apply for it; write matter or item, or choose the element template anew"
            )
            yield Problem(resource=resource, process=process, message=message)
    for resource, _process, element in bundle.elements():
        kind = words.templates.get(element.template or "")
        if kind and element.properties.get("onething.kind") != kind:
            message = (
                f"Expected {element.label} to have onething.kind = {kind}, since it is made from the element template {element.template}, "
                f"but it has {element.properties.get('onething.kind') or 'none'}: completing it would do nothing; choose the template anew"
            )
            yield Problem(resource=resource, element=element, message=message)
