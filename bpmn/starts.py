"""Starts: the event at which an instance begins."""

from __future__ import annotations

from bpmn.definition import Definition, Element, ElementType
from bpmn.errors import InstanceError


def event(definition: Definition, at: str | None) -> Element:
    """Return the none start event, or `at` another one; raises InstanceError when there is no such."""
    if at is None:
        starts = definition.plain_starts()
        if len(starts) == 1:
            return starts[0]
        raise InstanceError(f"Expected to start {definition.key} at its none start event, but it has {len(starts) or 'none'}")
    element = definition.elements.get(at)
    if element is None or element.type is not ElementType.START_EVENT or element.parent is not None:
        raise InstanceError(f"Expected to start {definition.key} at {at}, but this is no start event of the process")
    return element
