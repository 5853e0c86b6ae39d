"""Each item stands in a bundle once: two would take its case from one another."""

from __future__ import annotations

from bpmn.definition import Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Each item stands in a bundle once: two would take its case from one another."""
    for matter in bundle.matters:
        seen: dict[str, Element] = {}
        for element in matter.process.elements.values():
            code = element.properties.get("onething.item") if element.type is ElementType.CALL_ACTIVITY else None
            if code and code in seen:
                message = f"Expected the item {code} once, but both {seen[code].label} and {element.label} handle it: keep one"
                yield Problem(resource=matter.resource, element=element, message=message)
            elif code:
                seen[code] = element
