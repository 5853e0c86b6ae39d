"""Forks out of activities become gateways, loose ends become end events.

The executor then meets three shapes only: a gateway, an end of a way, and everything else with exactly one flow out.
"""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.rewriting.names import fresh
from bpmn.definition import Element, ElementType, EventDefinition, EventType, Flow

GATEWAYS = frozenset(
    {
        ElementType.EXCLUSIVE_GATEWAY,
        ElementType.PARALLEL_GATEWAY,
        ElementType.INCLUSIVE_GATEWAY,
        ElementType.EVENT_BASED_GATEWAY,
    }
)


def draw(elements: dict[str, Element], flows: dict[str, Flow]) -> None:
    """Draw every implicit gateway and end."""
    for element in list(elements.values()):
        if _is_left_otherwise(element, elements):
            continue
        if not element.outgoing:
            _close(element, elements, flows)
        elif element.type not in GATEWAYS:
            if _forks(element, flows):
                _split(element, elements, flows)
            elif element.default:  # the only flow is taken anyway
                elements[element.id] = replace(element, default=None)


def _is_left_otherwise(element: Element, elements: dict[str, Element]) -> bool:
    """Tell whether no token leaves an element by a flow: it ends, undoes something, starts by itself, or stands in a body."""
    around = elements.get(element.parent or "")
    return (
        element.type in (ElementType.END_EVENT, ElementType.EVENT_SUBPROCESS)
        or element.for_compensation
        or (element.event_type is EventType.COMPENSATION and element.type is ElementType.BOUNDARY_EVENT)
        or (around is not None and around.type is ElementType.MULTI_INSTANCE_BODY)
    )


def _forks(element: Element, flows: dict[str, Flow]) -> bool:
    return len(element.outgoing) > 1 or flows[element.outgoing[0]].condition is not None


def _split(element: Element, elements: dict[str, Element], flows: dict[str, Flow]) -> None:
    """Put a gateway behind an activity with several or conditional flows: all that hold are taken, the default flow when none does."""
    chosen = element.default or any(flows[key].condition for key in element.outgoing)
    kind = ElementType.INCLUSIVE_GATEWAY if chosen else ElementType.PARALLEL_GATEWAY
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
    key = fresh(f"{element.id}.{suffix}", elements, flows)
    arrow = fresh(f"{element.id}.to.{suffix}", elements, flows)
    flows[arrow] = Flow(id=arrow, name="", source=element.id, target=key)
    elements[element.id] = replace(element, outgoing=(arrow,), default=None)
    elements[key] = Element(id=key, name="", type=kind, line=element.line, parent=element.parent, incoming=(arrow,), drawn=False)
    return key
