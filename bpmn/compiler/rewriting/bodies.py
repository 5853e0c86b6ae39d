"""Activities that run several times: a body around each of them."""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.rewriting.sketch import Sketch
from bpmn.definition import BODY, Element, ElementType, EventType


def wrap(sketch: Sketch) -> None:
    """Put a body around every activity with loop characteristics; it stands before the activity."""
    repeated = {key for key, element in sketch.elements.items() if element.loop}
    for flow in sketch.flows.values():
        if flow.source in repeated or flow.target in repeated:
            sketch.flows[flow.id] = replace(flow, source=_outer(flow.source, repeated), target=_outer(flow.target, repeated))
    wrapped: dict[str, Element] = {}
    for element in sketch.elements.values():
        if element.loop:
            wrapped[element.id + BODY] = _body(element)
            wrapped[element.id] = _inner(element)
        else:
            wrapped[element.id] = _moved(element, repeated)
    sketch.elements = wrapped


def _outer(key: str, repeated: set[str]) -> str:
    return key + BODY if key in repeated else key


def _body(activity: Element) -> Element:
    """Return the body: it has all that is around the activity."""
    return Element(
        id=activity.id + BODY,
        name=activity.name,
        type=ElementType.MULTI_INSTANCE_BODY,
        line=activity.line,
        parent=activity.parent,
        incoming=activity.incoming,
        outgoing=activity.outgoing,
        default=activity.default,
        for_compensation=activity.for_compensation,
        start_quantity=activity.start_quantity,
        completion_quantity=activity.completion_quantity,
        loop=activity.loop,
        async_before=activity.async_before,
        async_after=activity.async_after,
        retry_cycle=activity.retry_cycle,
        job_priority=activity.job_priority,
        drawn=False,
    )


def _inner(activity: Element) -> Element:
    """Return the activity as each of its instances runs."""
    assert activity.loop
    return replace(
        activity,
        parent=activity.id + BODY,
        incoming=(),
        outgoing=(),
        default=None,
        for_compensation=False,
        start_quantity=1,
        completion_quantity=1,
        loop=None,
        async_before=activity.loop.async_before,
        async_after=activity.loop.async_after,
        retry_cycle=activity.loop.retry_cycle,
    )


def _moved(element: Element, repeated: set[str]) -> Element:
    """Return what stood on an activity, standing on its body; each instance is compensated by itself."""
    if element.type is not ElementType.BOUNDARY_EVENT or element.event is None:
        return element
    if element.event.type is EventType.COMPENSATION:
        return replace(element, handler=_outer(element.handler or "", repeated))
    return replace(element, attached_to=_outer(element.attached_to or "", repeated))
