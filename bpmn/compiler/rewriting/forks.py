"""Forks out of activities become gateways, loose ends become end events.

The executor then meets three shapes only: a gateway, an end of a way, and everything else with exactly one flow out.
"""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.rewriting.sketch import Sketch
from bpmn.definition import Element, ElementType, EventDefinition, EventType

GATEWAYS = frozenset(
    {
        ElementType.EXCLUSIVE_GATEWAY,
        ElementType.PARALLEL_GATEWAY,
        ElementType.INCLUSIVE_GATEWAY,
        ElementType.EVENT_BASED_GATEWAY,
    }
)


def draw(sketch: Sketch) -> None:
    """Draw every implicit gateway and end."""
    for element in list(sketch.elements.values()):
        if _is_left_otherwise(element, sketch):
            continue
        if not element.outgoing:
            _close(element, sketch)
        elif element.type not in GATEWAYS:
            if _forks(element, sketch):
                _split(element, sketch)
            elif element.default:  # the only flow is taken anyway
                sketch.elements[element.id] = replace(element, default=None)


def _is_left_otherwise(element: Element, sketch: Sketch) -> bool:
    """Tell whether no token leaves an element by a flow: it ends, undoes something, starts by itself, or stands in a body."""
    around = sketch.elements.get(element.parent or "")
    return (
        element.type in (ElementType.END_EVENT, ElementType.EVENT_SUBPROCESS)
        or element.for_compensation
        or (element.type is ElementType.BOUNDARY_EVENT and element.event_type is EventType.COMPENSATION)
        or (around is not None and around.type is ElementType.MULTI_INSTANCE_BODY)
    )


def _forks(element: Element, sketch: Sketch) -> bool:
    return len(element.outgoing) > 1 or sketch.flows[element.outgoing[0]].condition is not None


def _split(element: Element, sketch: Sketch) -> None:
    """Put a gateway behind an activity with several or conditional flows: all that hold are taken, the default flow when none does."""
    chosen = element.default or any(sketch.flows[key].condition for key in element.outgoing)
    kind = ElementType.INCLUSIVE_GATEWAY if chosen else ElementType.PARALLEL_GATEWAY
    split = _insert(element, "split", kind, sketch)
    sketch.elements[split.id] = replace(split, outgoing=element.outgoing, default=element.default)
    for key in element.outgoing:
        sketch.flows[key] = replace(sketch.flows[key], source=split.id)


def _close(element: Element, sketch: Sketch) -> None:
    """Put an end event where an element has no flow out: the token ends there."""
    end = _insert(element, "end", ElementType.END_EVENT, sketch)
    sketch.elements[end.id] = replace(end, event=EventDefinition(type=EventType.NONE))


def _insert(element: Element, suffix: str, kind: ElementType, sketch: Sketch) -> Element:
    """Put a new element behind the given one, and return it."""
    key = sketch.fresh(f"{element.id}.{suffix}")
    arrow = sketch.connect(element.id, key, wanted=f"{element.id}.to.{suffix}")
    sketch.elements[element.id] = replace(element, outgoing=(arrow,), default=None)
    made = Element(id=key, name="", type=kind, line=element.line, parent=element.parent, incoming=(arrow,), drawn=False)
    sketch.elements[key] = made
    return made
