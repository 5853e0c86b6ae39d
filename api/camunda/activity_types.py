"""Types of activities as Camunda 7 names them in its history: the tag in BPMN, and what an event does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "startEvent": (
        "startEvent",
        {
            "timer": "startTimerEvent",
            "message": "messageStartEvent",
            "signal": "signalStartEvent",
            "escalation": "escalationStartEvent",
            "compensation": "compensationStartEvent",
            "error": "errorStartEvent",
            "conditional": "conditionalStartEvent",
        },
    ),
    "intermediateCatchEvent": (
        "intermediateCatchEvent",
        {
            "message": "intermediateMessageCatch",
            "timer": "intermediateTimer",
            "signal": "intermediateSignalCatch",
            "link": "intermediateLinkCatch",
            "conditional": "intermediateConditional",
        },
    ),
    "intermediateThrowEvent": (
        "intermediateNoneThrowEvent",
        {
            "message": "intermediateMessageThrowEvent",
            "signal": "intermediateSignalThrow",
            "compensation": "intermediateCompensationThrowEvent",
            "escalation": "intermediateEscalationThrowEvent",
        },
    ),
    "boundaryEvent": (
        "boundaryEvent",
        {
            "timer": "boundaryTimer",
            "message": "boundaryMessage",
            "signal": "boundarySignal",
            "compensation": "compensationBoundaryCatch",
            "error": "boundaryError",
            "escalation": "boundaryEscalation",
            "cancel": "cancelBoundaryCatch",
            "conditional": "boundaryConditional",
        },
    ),
    "endEvent": (
        "noneEndEvent",
        {
            "error": "errorEndEvent",
            "cancel": "cancelEndEvent",
            "terminate": "terminateEndEvent",
            "message": "messageEndEvent",
            "signal": "signalEndEvent",
            "compensation": "compensationEndEvent",
            "escalation": "escalationEndEvent",
        },
    ),
}
#: Activities whose name in Camunda is not their type.
_ACTIVITIES = {"eventSubProcess": "subProcess"}


def of(element: Any) -> str:
    """Name the type of an element."""
    tag = str(element.type)
    if tag not in _EVENTS:
        return _ACTIVITIES.get(tag, tag)
    none, by_event = _EVENTS[tag]
    return none if element.event is None else by_event.get(str(element.event.type), none)
