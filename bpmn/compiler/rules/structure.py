"""Rules about what leads where: starts, ends, boundaries, ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from bpmn.compiler.rules.rule import ACTIVITIES, Drawing
from bpmn.definition import Element, ElementType, EventType

Problems = Iterator[tuple[str | None, str]]


def no_start_event(drawing: Drawing) -> Problems:
    """A process and a subprocess begin somewhere."""
    for scope, elements in drawing.scopes.items():
        if not any(element.type is ElementType.START_EVENT for element in elements):
            yield scope, f"Expected {drawing.label(scope)} to have a start event, but it has none: draw one (开始事件)"


def several_starts(drawing: Drawing) -> Problems:
    """A process has one start by hand; a subprocess has one start."""
    for scope, elements in drawing.scopes.items():
        plain = [element for element in elements if element.type is ElementType.START_EVENT and not _waits(element)]
        for extra in plain[1:]:
            first = drawing.label(plain[0].id)
            message = (
                f"Expected {drawing.label(scope)} to have one start event without a definition, but it has {first} and "
                f"{drawing.label(extra.id)}: draw one, with a parallel gateway (并行网关) behind it if both ways are meant"
            )
            yield extra.id, message


def message_start_in_subprocess(drawing: Drawing) -> Problems:
    """An embedded subprocess starts when its token comes, not by a message."""
    for element in drawing.of_type(ElementType.START_EVENT):
        if element.parent is not None and _waits(element):
            message = (
                f"Expected {drawing.label(element.id)} in a subprocess to have no definition, but it waits for a message: "
                "draw a plain start event with a message catch event (消息中间捕获事件) behind it"
            )
            yield element.id, message


def same_start_message(drawing: Drawing) -> Problems:
    """A message says which start event it means."""
    starts = [element for element in drawing.of_type(ElementType.START_EVENT) if element.event and element.event.name]
    count = Counter(element.event.name for element in starts if element.event)
    for element in starts:
        if element.event and count[element.event.name] > 1:
            message = (
                f"Expected each start event to wait for a message of its own, but {drawing.label(element.id)} shares "
                f"{element.event.name!r} with another: give them different messages"
            )
            yield element.id, message


def flow_into_start(drawing: Drawing) -> Problems:
    """Nothing leads into a start or a boundary event."""
    for element in drawing.of_type(ElementType.START_EVENT, ElementType.BOUNDARY_EVENT):
        if element.incoming:
            yield element.id, f"Expected nothing to lead into {drawing.label(element.id)}, but a flow does: lead it to the element behind"


def flow_out_of_end(drawing: Drawing) -> Problems:
    """Nothing leads out of an end event."""
    for element in drawing.of_type(ElementType.END_EVENT):
        if element.outgoing:
            message = (
                f"Expected nothing to lead out of {drawing.label(element.id)}, but a flow does: "
                "draw an intermediate event (中间抛出事件) if the token goes on"
            )
            yield element.id, message


def loose_boundary(drawing: Drawing) -> Problems:
    """A boundary event stands on an activity beside it."""
    for element in drawing.of_type(ElementType.BOUNDARY_EVENT):
        host = drawing.definition.elements.get(element.attached_to or "")
        if host is None or host.type not in ACTIVITIES or host.parent != element.parent:
            where = f"it stands on {drawing.label(host.id)}" if host else "it is attached to nothing"
            message = f"Expected {drawing.label(element.id)} to stand on an activity, but {where}: drag it onto the border of a task"
            yield element.id, message


def error_without_interrupting(drawing: Drawing) -> Problems:
    """An error ends the activity that it comes from."""
    for element in drawing.of_type(ElementType.BOUNDARY_EVENT):
        if element.event and element.event.type is EventType.ERROR and not element.interrupting:
            yield element.id, f"Expected {drawing.label(element.id)} to interrupt, but it does not: an error always ends its activity"


def unreachable(drawing: Drawing) -> Problems:
    """Elements that no token ever gets to."""
    starts = [element.id for element in drawing.of_type(ElementType.START_EVENT) if element.parent is None]
    reached = _closure(drawing, starts)
    for element in drawing.elements:
        if starts and element.id not in reached and (element.parent is None or element.parent in reached):
            yield element.id, f"Expected a way from the start to {drawing.label(element.id)}, but there is none: connect it or remove it"


def no_way_to_an_end(drawing: Drawing) -> Problems:
    """Activities from which a token can only go round for ever."""
    before: dict[str, list[str]] = {}
    for element in drawing.elements:
        for follower in _followers(drawing, element, inwards=False):
            before.setdefault(follower, []).append(element.id)
    ended = _ended_scopes(drawing)
    ending = {element.id for element in drawing.elements if not element.outgoing or element.parent in ended}
    frontier = list(ending)
    while frontier:
        for previous in before.get(frontier.pop(), ()):
            if previous not in ending:
                ending.add(previous)
                frontier.append(previous)
    for element in drawing.elements:
        if element.type in ACTIVITIES and element.id not in ending:
            message = (
                f"Expected a way from {drawing.label(element.id)} to an end event, but there is none: "
                "draw a gateway (网关) with a flow that leads out of the circle"
            )
            yield element.id, message


def loose_end(drawing: Drawing) -> Problems:
    """A token that ends without an end event ends by oversight, more often than not."""
    for element in drawing.elements:
        if not element.outgoing and element.type not in (ElementType.END_EVENT, ElementType.EXCLUSIVE_GATEWAY):
            message = f"Expected a flow out of {drawing.label(element.id)}, but there is none: draw an end event (结束事件) behind it"
            yield element.id, message


def _ended_scopes(drawing: Drawing) -> set[str | None]:
    """List the scopes that something else ends: a terminate end event inside, or a boundary event around that interrupts."""
    ended: set[str | None] = set()
    for scope, elements in drawing.scopes.items():  # outer scopes come first
        around = drawing.definition.elements[scope].parent if scope is not None else None
        interrupted = any(event.interrupting for event in drawing.boundaries.get(scope or "", ()))
        terminated = any(element.event and element.event.type is EventType.TERMINATE for element in elements)
        if terminated or interrupted or (scope is not None and around in ended):
            ended.add(scope)
    return ended


def _waits(start: Element) -> bool:
    return start.event is not None and start.event.type is not EventType.NONE


def _closure(drawing: Drawing, starts: Iterable[str]) -> set[str]:
    reached = set(starts)
    frontier = list(reached)
    while frontier:
        for follower in _followers(drawing, drawing.definition.elements[frontier.pop()], inwards=True):
            if follower not in reached:
                reached.add(follower)
                frontier.append(follower)
    return reached


def _followers(drawing: Drawing, element: Element, *, inwards: bool) -> Iterator[str]:
    """Yield what a token gets to next: along flows, by boundary events, and into a subprocess."""
    for flow in drawing.outgoing(element):
        yield flow.target
    for boundary in drawing.boundaries.get(element.id, ()):
        yield boundary.id
    if inwards and element.type is ElementType.SUBPROCESS:
        for inner in drawing.scopes.get(element.id, ()):
            if inner.type is ElementType.START_EVENT:
                yield inner.id
