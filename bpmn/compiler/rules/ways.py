"""Rules about ways: where a token can get to, and where it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn import closure
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.definition import ACTIVITIES, SCOPES, Element, ElementType, EventType

#: What begins in a scope without a flow that leads there.
BEGINNINGS = frozenset({ElementType.START_EVENT, ElementType.EVENT_SUBPROCESS})


def unreachable(drawing: Drawing) -> Problems:
    """Elements that no token ever gets to."""
    reached = _reached(drawing)
    begun = {element.parent for element in drawing.of_type(*BEGINNINGS)}  # else its start is missing, which is told
    lost = [e for e in drawing.elements if e.id not in reached and e.parent in begun and (e.parent is None or e.parent in reached)]
    for key in _first(drawing, lost):
        yield key, f"Expected a way from the start to {drawing.label(key)}, but there is none: connect it or remove it"


def _first(drawing: Drawing, lost: list[Element]) -> Iterator[str]:
    """Yield the elements that the others can be got to from: a flow that is missing is told once, and not all along the way behind it."""

    def following(key: str) -> Iterator[str]:
        return _followers(drawing, drawing.definition.elements[key], inwards=False)

    behind = {follower for element in lost for follower in following(element.id) if follower != element.id}
    told: set[str] = set()
    for element in sorted(lost, key=lambda each: each.id in behind):  # circles last: none of them is the first
        if element.id not in told:
            yield element.id
            told.update(closure.of([element.id], lambda key: [other for other in following(key) if other not in told]))


def _reached(drawing: Drawing) -> set[str]:
    """Return what a token can get to."""
    starts = [element.id for element in drawing.of_type(*BEGINNINGS) if element.parent is None]
    return closure.of(starts, lambda key: _followers(drawing, drawing.definition.elements[key], inwards=True))


def no_way_to_an_end(drawing: Drawing) -> Problems:
    """Activities from which a token can only go round for ever."""
    before: dict[str, list[str]] = {}
    for element in drawing.elements:
        for follower in _followers(drawing, element, inwards=False):
            before.setdefault(follower, []).append(element.id)
    ended = _ended_scopes(drawing)
    ending = {element.id for element in drawing.elements if not (element.outgoing or _jumps(element)) or element.parent in ended}
    ending = closure.of(ending, lambda key: before.get(key, ()))
    for element in drawing.elements:
        if element.type in ACTIVITIES and element.id not in ending:
            message = (
                f"Expected a way from {drawing.label(element.id)} to an end event, but there is none: "
                "draw a gateway (网关) with a flow that leads out of the circle"
            )
            yield element.id, message


def loose_end(drawing: Drawing) -> Problems:
    """A token that ends without an end event ends by oversight, more often than not."""
    reached = _reached(drawing)
    for element in drawing.elements:
        # Behind what is not connected nothing is missed: that it is not is told.
        if not element.outgoing and not _ends(element) and element.id in reached:
            message = f"Expected a flow out of {drawing.label(element.id)}, but there is none: draw an end event (结束事件) behind it"
            yield element.id, message


def _ends(element: Element) -> bool:
    """Tell whether no flow is missed behind an element; where gateways lead nowhere, that is an error."""
    undoes = element.for_compensation or (element.event_type is EventType.COMPENSATION)
    ends = {ElementType.END_EVENT, ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY, ElementType.EVENT_SUBPROCESS}
    return element.type in ends or (undoes and element.type is not ElementType.THROW_EVENT) or _jumps(element)


def _jumps(element: Element) -> bool:
    return element.type is ElementType.THROW_EVENT and element.event_type is EventType.LINK


def _ended_scopes(drawing: Drawing) -> set[str | None]:
    """List the scopes that something else ends: a terminate end event inside, or an event that interrupts."""
    ended: set[str | None] = set()
    for scope, elements in drawing.scopes.items():  # outer scopes come first
        around = drawing.definition.elements[scope].parent if scope is not None else None
        events = (*drawing.boundaries.get(scope or "", ()), *drawing.definition.event_starts(scope))
        terminated = any(element.event_type is EventType.TERMINATE for element in elements)
        if terminated or any(event.interrupting for event in events) or (scope is not None and around in ended):
            ended.add(scope)
    return ended


def _followers(drawing: Drawing, element: Element, *, inwards: bool) -> Iterator[str]:
    """Yield what a token gets to next: along flows and links, by boundary events, to a handler, and into a subprocess."""
    for flow in drawing.outgoing(element):
        yield flow.target
    for boundary in drawing.boundaries.get(element.id, ()):
        yield boundary.id
    if element.handler in drawing.definition.elements:
        yield str(element.handler)
    if _jumps(element):
        yield from drawing.links.get((element.parent, element.event.name if element.event else None), ())
    if inwards and element.type in SCOPES:
        yield from (inner.id for inner in drawing.scopes.get(element.id, ()) if inner.type in BEGINNINGS)
