"""Rules about compensation: what undoes an activity, and what asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.compiler.particulars import events
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.definition import ACTIVITIES, Element, ElementType, EventType

NESTED = frozenset({ElementType.SUBPROCESS, ElementType.TRANSACTION})


def no_handler(drawing: Drawing) -> Problems:
    """A compensation boundary event leads to one activity that undoes the work."""
    for event in _boundaries(drawing):
        targets = events.handlers(drawing.source, drawing.node(event.id))
        handler = drawing.definition.elements.get(targets[0]) if len(targets) == 1 else None
        if handler is None or handler.type not in ACTIVITIES or handler.parent != event.parent or not handler.for_compensation:
            message = (
                f"Expected an association from {drawing.label(event.id)} to one activity for compensation beside it, "
                f"but {_found(drawing, targets, handler)}: draw the task that undoes the work, and connect it"
            )
            yield event.id, message


def several_handlers(drawing: Drawing) -> Problems:
    """An activity is undone in one way: by its boundary event, or by an event subprocess in it."""
    ways: dict[str, list[Element]] = {}
    for event in _boundaries(drawing):
        ways.setdefault(event.attached_to or "", []).append(event)
    for start, around in _starts(drawing):
        ways.setdefault(around or "", []).append(start)
    for activity, found in ways.items():
        for extra in found[1:] if activity in drawing.definition.elements else ():
            message = f"Expected {drawing.label(activity)} to be undone in one way, but {drawing.label(extra.id)} is another"
            yield extra.id, f"{message}: keep one"


def undone_by_nobody(drawing: Drawing) -> Problems:
    """An event subprocess that compensates stands in a subprocess: a process as a whole is compensated by nobody."""
    for start, around in _starts(drawing):
        if around is None:
            message = (
                f"Expected {drawing.label(start.id)} to undo the subprocess around it, but it stands in the process itself, which nobody "
                "compensates: draw a subprocess (子流程) around what it undoes, or a compensation boundary event (补偿边界事件)"
            )
            yield start.id, message


def flow_at_handler(drawing: Drawing) -> Problems:
    """No token comes to a handler, and none leaves it: it runs when it is called for."""
    for element in [*_boundaries(drawing), *(element for element in drawing.elements if element.for_compensation)]:
        if element.incoming or element.outgoing:
            message = f"Expected no flow to or from {drawing.label(element.id)}, but there is one"
            yield element.id, f"{message}: remove it, compensation is no part of the way (draw what follows behind the throw event)"


def unknown_activity(drawing: Drawing) -> Problems:
    """What is to be compensated is an activity of the same process or subprocess, and can be."""
    compensable = _compensable(drawing)
    for event in drawing.of_event(EventType.COMPENSATION, ElementType.THROW_EVENT, ElementType.END_EVENT):
        key = event.event.activity if event.event else None
        if key is None:
            continue
        activity = drawing.definition.elements.get(key)
        if activity is None or activity.type not in ACTIVITIES or activity.parent not in _visible(drawing, event):
            message = (
                f"Expected {drawing.label(event.id)} to compensate an activity beside it, but there is no activity {key[:60]!r}: "
                "choose another, or none (then everything that has completed is compensated)"
            )
            yield event.id, message
        elif activity.id not in compensable:
            message = (
                f"Expected {drawing.label(activity.id)} to have a compensation boundary event (补偿边界事件), but it has none: "
                f"draw one, {drawing.label(event.id)} asks for it"
            )
            yield event.id, message


def _boundaries(drawing: Drawing) -> list[Element]:
    return drawing.of_event(EventType.COMPENSATION, ElementType.BOUNDARY_EVENT)


def _starts(drawing: Drawing) -> Iterator[tuple[Element, str | None]]:
    """Yield the start events of event subprocesses that compensate, each with the scope that it undoes."""
    for start in drawing.of_event(EventType.COMPENSATION, ElementType.START_EVENT):
        inside = drawing.definition.elements.get(start.parent or "")
        if inside is not None and inside.type is ElementType.EVENT_SUBPROCESS:
            yield start, inside.parent


def _found(drawing: Drawing, targets: list[str], handler: Element | None) -> str:
    if handler is not None:
        return f"{drawing.label(handler.id)} is not marked for compensation, or stands elsewhere"
    return f"there are {len(targets)}" if len(targets) > 1 else "there is none"


def _visible(drawing: Drawing, event: Element) -> set[str | None]:
    """Return the scopes whose activities an event may name: its own, and what is around its event subprocess."""
    around = drawing.definition.elements.get(event.parent or "")
    return {event.parent, around.parent} if around and around.type is ElementType.EVENT_SUBPROCESS else {event.parent}


def _compensable(drawing: Drawing) -> set[str]:
    """Return the activities that have a handler, and the subprocesses around them."""
    elements, found = drawing.definition.elements, set[str]()
    undone = [*(event.attached_to for event in _boundaries(drawing)), *(around for _, around in _starts(drawing))]
    for key in undone:
        activity = elements.get(key or "")
        while activity is not None and activity.id not in found:
            found.add(activity.id)
            around = elements.get(activity.parent or "")
            activity = around if around is not None and around.type in NESTED else None
    return found
