"""Who withdraws an application is done with it."""

from __future__ import annotations

from bpmn.definition import ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: The message that the engine sends when an application is withdrawn.
_WITHDRAWN = "withdrawn"


def check(bundle: Bundle) -> Problems:
    """Where an applicant withdraws (撤回), the task is interrupted: else it would stay in the worklist, and its case open."""
    for matter in bundle.matters:
        # The joint handling ends by itself, since every item has ended.
        joint = {call.element.parent for call in matter.calls.values()}
        for event in matter.process.elements.values():
            awaited = event.event.name if event.event and event.event_type is EventType.MESSAGE else ""
            beside = event.type is ElementType.BOUNDARY_EVENT and not event.interrupting and event.attached_to not in joint
            if awaited == _WITHDRAWN and beside:
                on = matter.process.elements[event.attached_to or ""]
                message = (
                    f"Expected {event.label} to end {on.label}, since the applicant withdraws, but it does not interrupt it: "
                    "make it an event that interrupts (中断, not dashed)"
                )
                yield Problem(resource=matter.resource, element=event, message=message)
