"""What a drawing leaves unsaid is said: forks out of activities become gateways, loose ends become end events.

The executor then meets three shapes only: a gateway, an end event, and everything else with exactly one flow out.  What is inserted has
`drawn=False`; it has no shape in the diagram.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from bpmn.definition import Definition, Element, ElementType, EventDefinition, EventType, Flow

GATEWAYS = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})


def rewrite(drawn: Definition) -> Definition:
    """Return the same process with every implicit gateway and end drawn."""
    elements, flows = dict(drawn.elements), dict(drawn.flows)
    for element in drawn.elements.values():
        if element.type is ElementType.END_EVENT:
            continue
        if not element.outgoing:
            _close(element, elements, flows)
        elif element.type not in GATEWAYS:
            if _forks(element, flows):
                _split(element, elements, flows)
            elif element.default:  # the only flow is taken anyway
                elements[element.id] = replace(element, default=None)
    return replace(drawn, elements=MappingProxyType(elements), flows=MappingProxyType(flows))


def _forks(element: Element, flows: dict[str, Flow]) -> bool:
    return len(element.outgoing) > 1 or flows[element.outgoing[0]].condition is not None


def _split(element: Element, elements: dict[str, Element], flows: dict[str, Flow]) -> None:
    """Put a gateway behind an activity with several or conditional flows: all that hold are taken, as out of an inclusive one."""
    conditional = any(flows[key].condition for key in element.outgoing)
    kind = ElementType.INCLUSIVE_GATEWAY if conditional else ElementType.PARALLEL_GATEWAY
    split = _insert(element, "split", kind, elements, flows)
    elements[split] = replace(elements[split], outgoing=element.outgoing, default=element.default)
    for key in element.outgoing:
        flows[key] = replace(flows[key], source=split)


def _close(element: Element, elements: dict[str, Element], flows: dict[str, Flow]) -> None:
    """Put an end event where an element has no flow out: the token ends there."""
    end = _insert(element, "end", ElementType.END_EVENT, elements, flows)
    elements[end] = replace(elements[end], event=EventDefinition(type=EventType.NONE))


def _insert(element: Element, suffix: str, kind: ElementType, elements: dict[str, Element], flows: dict[str, Flow]) -> str:
    """Put a new element behind the given one; returns its id."""
    key = _fresh(f"{element.id}.{suffix}", elements, flows)
    arrow = _fresh(f"{element.id}.to.{suffix}", elements, flows)
    flows[arrow] = Flow(id=arrow, name="", source=element.id, target=key)
    elements[element.id] = replace(element, outgoing=(arrow,), default=None)
    elements[key] = Element(id=key, name="", type=kind, line=element.line, parent=element.parent, incoming=(arrow,), drawn=False)
    return key


def _fresh(wanted: str, elements: dict[str, Element], flows: dict[str, Flow]) -> str:
    while wanted in elements or wanted in flows:
        wanted += "_"
    return wanted
