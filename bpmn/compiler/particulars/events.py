"""What an event waits for or does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bpmn.compiler.particulars import mappings, people, work
from bpmn.compiler.source import MODEL, TRUE, Node, Source, camunda, local_reference, tag, text_of
from bpmn.definition import EventDefinition, EventType, TimerType

TIMERS = {form.value: form for form in TimerType}
NONE = EventDefinition(type=EventType.NONE)
#: What is thrown is a worker's business, whatever the message is called.
THROWING = frozenset({"intermediateThrowEvent", "endEvent"})
#: A name that is an expression, or has one in it.
COMPUTED = re.compile(r"[$#]\{|^\s*=")
#: Who is logged in.
STARTER = frozenset({"authenticatedUserId"})


def start(source: Source, node: Node) -> dict[str, Any]:
    """Read a start event."""
    interrupting = node.get("isInterrupting", "true") in TRUE
    return {"event": event(source, node), "interrupting": interrupting, **_initiator(source, node), **people.form(source, node)}


def catch(source: Source, node: Node) -> dict[str, Any]:
    """Read an intermediate catch event."""
    return {"event": event(source, node)}


def throw(source: Source, node: Node) -> dict[str, Any]:
    """Read an intermediate throw event or an end event; a message is thrown by a worker, or by an expression."""
    message = node.find(f"{MODEL}messageEventDefinition")
    return {"event": event(source, node), **(work.done(source, node, message) if message is not None else {})}


def boundary(source: Source, node: Node) -> dict[str, Any]:
    """Read a boundary event."""
    return {
        "event": event(source, node),
        "attached_to": local_reference(node.get("attachedToRef", "")) or None,
        "interrupting": node.get("cancelActivity", "true") in TRUE,
        "handler": next(iter(handlers(source, node)), None),
    }


def receive(source: Source, node: Node) -> dict[str, Any]:
    """Read a receive task."""
    return {"event": _message(source, node, node)}


def handlers(source: Source, node: Node) -> list[str]:
    """List the activities that associations lead to from a compensation boundary event."""
    if node.find(f"{MODEL}compensateEventDefinition") is None:
        return []
    return source.associations.get(node.get("id", ""), [])


def event(source: Source, node: Node) -> EventDefinition:
    """Read what an event waits for or does; the first definition, when it has several."""
    for definition in node.iterchildren(f"{MODEL}*"):
        reader = READERS.get(tag(definition))
        if reader is not None:
            return reader(source, node, definition)
    return NONE


def _initiator(source: Source, node: Node) -> dict[str, Any]:
    """Read the variable that takes who starts the process; as in Camunda 7, one start event says it for all."""
    process = node.getparent()
    starts = process.iterchildren(f"{MODEL}startEvent") if process is not None and tag(process) == "process" else ()
    name = next((camunda(start, "initiator") for start in starts if camunda(start, "initiator")), None)
    if name is None:
        return {}
    return {"expression": source.expression(node, "${authenticatedUserId}", "the initiator", also=STARTER), "result_variable": name}


def _timer(source: Source, node: Node, definition: Node) -> EventDefinition:
    for form in definition.iterchildren(f"{MODEL}*"):
        if tag(form) in TIMERS:
            when = source.expression(node, text_of(form), "the time")
            return EventDefinition(type=EventType.TIMER, timer=TIMERS[tag(form)], when=when)
    return EventDefinition(type=EventType.TIMER)


def _message(source: Source, node: Node, definition: Node) -> EventDefinition:
    message = source.referred(definition, "messageRef")
    name = message.get("name") if message is not None and tag(message) == "message" else None
    if name is None or tag(node) in THROWING or not COMPUTED.search(name):
        return EventDefinition(type=EventType.MESSAGE, name=name)
    return EventDefinition(type=EventType.MESSAGE, message=source.expression(node, name, "the name of the message"))


def _signal(source: Source, node: Node, definition: Node) -> EventDefinition:
    signal = source.referred(definition, "signalRef")
    name = signal.get("name") if signal is not None and tag(signal) == "signal" else None
    return EventDefinition(
        type=EventType.SIGNAL,
        signal=source.expression(node, name, "the name of the signal"),
        inputs=mappings.read(source, node, definition, "in"),
    )


def _error(source: Source, node: Node, definition: Node) -> EventDefinition:
    error = source.referred(definition, "errorRef")
    text = camunda(error, "errorMessage") if error is not None and tag(node) in THROWING else None
    return EventDefinition(
        type=EventType.ERROR,
        name=work.error_code(source, definition),
        code_variable=camunda(definition, "errorCodeVariable"),
        message_variable=camunda(definition, "errorMessageVariable"),
        error_message=source.expression(node, text, "the message of the error"),
    )


def _escalation(source: Source, node: Node, definition: Node) -> EventDefinition:  # noqa: ARG001
    escalation = source.referred(definition, "escalationRef")
    code = escalation.get("escalationCode") if escalation is not None and tag(escalation) == "escalation" else None
    return EventDefinition(type=EventType.ESCALATION, name=code or None, code_variable=camunda(definition, "escalationCodeVariable"))


def _conditional(source: Source, node: Node, definition: Node) -> EventDefinition:
    condition = definition.find(f"{MODEL}condition")
    changes = (part.strip() for part in (camunda(definition, "variableEvents") or "").split(","))
    return EventDefinition(
        type=EventType.CONDITIONAL,
        condition=source.expression(node, text_of(condition), "the condition") if condition is not None else None,
        variable=camunda(definition, "variableName") or None,
        changes=frozenset(part for part in changes if part),
    )


def _compensation(source: Source, node: Node, definition: Node) -> EventDefinition:  # noqa: ARG001
    return EventDefinition(type=EventType.COMPENSATION, activity=local_reference(definition.get("activityRef", "")) or None)


def _link(source: Source, node: Node, definition: Node) -> EventDefinition:  # noqa: ARG001
    return EventDefinition(type=EventType.LINK, name=definition.get("name") or None)


def _plain(kind: EventType) -> Callable[[Source, Node, Node], EventDefinition]:
    return lambda _source, _node, _definition: EventDefinition(type=kind)


READERS: dict[str, Callable[[Source, Node, Node], EventDefinition]] = {
    "messageEventDefinition": _message,
    "timerEventDefinition": _timer,
    "signalEventDefinition": _signal,
    "errorEventDefinition": _error,
    "escalationEventDefinition": _escalation,
    "conditionalEventDefinition": _conditional,
    "compensateEventDefinition": _compensation,
    "linkEventDefinition": _link,
    "cancelEventDefinition": _plain(EventType.CANCEL),
    "terminateEventDefinition": _plain(EventType.TERMINATE),
}
