"""Link events: a jump from one place of a diagram to another, which is a sequence flow that nobody had to draw."""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.rewriting.sketch import Sketch
from bpmn.definition import Element, ElementType, EventDefinition, EventType

NONE = EventDefinition(type=EventType.NONE)


def join(sketch: Sketch) -> None:
    """Lead a sequence flow from every link throw event to the catch event of the same name; both become milestones."""
    elements = sketch.elements
    links = [element for element in elements.values() if element.event_type is EventType.LINK]
    catches = {_name(element): element.id for element in links if element.type is ElementType.CATCH_EVENT}
    arriving: dict[str, list[str]] = {catch: [] for catch in catches.values()}
    for throw in [element for element in links if element.type is ElementType.THROW_EVENT]:
        catch = catches[_name(throw)]
        arrow = sketch.connect(throw.id, catch, wanted=f"{throw.id}.to.{catch}")
        elements[throw.id] = replace(throw, event=NONE, outgoing=(arrow,))
        arriving[catch].append(arrow)
    for key, arrows in arriving.items():
        catch_event = elements[key]
        elements[key] = replace(catch_event, type=ElementType.THROW_EVENT, event=NONE, incoming=(*catch_event.incoming, *arrows))


def _name(element: Element) -> tuple[str | None, str | None]:
    """Names of links are known within one process or subprocess."""
    return element.parent, element.event.name if element.event else None
