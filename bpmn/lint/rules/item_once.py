"""Each item stands in a bundle once: two would take its case from one another."""

from __future__ import annotations

from bpmn.definition import Element
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Each item is called once in a bundle: two calls would take its case from each other."""
    for matter in bundle.matters:
        seen: dict[str, Element] = {}
        for call in matter.every_call:
            code, element = call.element.properties.get("onething.item"), call.element
            if call.is_mismatched:
                continue  # told by mismatched-item
            if code and code in seen:
                message = f"Expected the item {code} once, but both {seen[code].label} and {element.label} handle it: keep one"
                yield Problem(resource=matter.resource, element=element, message=message)
            elif code:
                seen[code] = element
