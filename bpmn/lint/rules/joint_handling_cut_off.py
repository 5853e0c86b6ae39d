"""Time does not end the work of the departments."""

from __future__ import annotations

from bpmn.definition import EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """No timer ends the joint handling (联合办理): items that departments work on would stay undecided."""
    for matter in bundle.matters:
        scopes = {call.element.parent for call in matter.calls.values() if call.element.parent} if matter.is_bundle else set()
        for event in matter.process.elements.values():
            if event.attached_to in scopes and event.event_type is EventType.TIMER and event.interrupting:
                message = (
                    f"Expected {event.label} to let the departments go on, but it ends the joint handling, and with it every item "
                    "that is not decided: make it a timer that does not interrupt (不中断, dashed)"
                )
                yield Problem(resource=matter.resource, element=event, message=message)
