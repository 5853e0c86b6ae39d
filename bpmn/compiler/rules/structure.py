"""Rules about what stands where, and about ends and borders."""

from __future__ import annotations

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.definition import ACTIVITIES, ElementType, EventType

#: What always ends what it comes from.
ENDING = {EventType.ERROR: "an error", EventType.CANCEL: "a cancellation"}


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
    """An error ends the activity that it comes from; so does a cancellation."""
    for element in drawing.of_type(ElementType.BOUNDARY_EVENT, ElementType.START_EVENT):
        what = ENDING.get(element.event_type)
        if what and not element.interrupting:
            yield element.id, f"Expected {drawing.label(element.id)} to interrupt, but it does not: {what} always ends its activity"


def cancel_outside_transaction(drawing: Drawing) -> Problems:
    """A cancel end event stands in a transaction, a cancel boundary event on one."""
    for event in drawing.of_event(EventType.CANCEL):
        on_border = event.type is ElementType.BOUNDARY_EVENT
        place = drawing.definition.elements.get((event.attached_to if on_border else event.parent) or "")
        if place is None or place.type is not ElementType.TRANSACTION:
            where = "on the border of a transaction" if on_border else "in a transaction"
            message = f"Expected {drawing.label(event.id)} to stand {where}, but it does not: draw a transaction (事务), or an error event"
            yield event.id, message


def no_cancel_boundary(drawing: Drawing) -> Problems:
    """A transaction that is canceled is left by a cancel boundary event."""
    transactions = {element.id for element in drawing.of_type(ElementType.TRANSACTION)}
    for event in drawing.of_event(EventType.CANCEL, ElementType.END_EVENT):
        if event.parent in transactions and not _cancels(drawing, event.parent):
            message = (
                f"Expected {drawing.label(event.parent)} to have a cancel boundary event (取消边界事件), but it has none: draw one, "
                f"{drawing.label(event.id)} leads there"
            )
            yield event.id, message


def several_cancel_boundaries(drawing: Drawing) -> Problems:
    """A transaction that is canceled is left in one way."""
    for activity in drawing.boundaries:
        for extra in _cancels(drawing, activity)[1:]:
            yield extra, f"Expected one cancel boundary event on {drawing.label(activity)}, but {drawing.label(extra)} is another: keep one"


def no_cancel_end(drawing: Drawing) -> Problems:
    """A cancel boundary event waits for a cancel end event."""
    ends = {event.parent for event in drawing.of_event(EventType.CANCEL, ElementType.END_EVENT)}
    for event in drawing.of_event(EventType.CANCEL, ElementType.BOUNDARY_EVENT):
        host = drawing.definition.elements.get(event.attached_to or "")
        if host and host.type is ElementType.TRANSACTION and host.id not in ends:
            message = (
                f"Expected a cancel end event (取消结束事件) in {drawing.label(host.id)}, but there is none: "
                f"{drawing.label(event.id)} is never reached"
            )
            yield event.id, message


def _cancels(drawing: Drawing, activity: str) -> list[str]:
    return [event.id for event in drawing.boundaries.get(activity, ()) if event.event_type is EventType.CANCEL]
