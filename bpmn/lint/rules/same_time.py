"""Each timer of an activity has a time of its own."""

from __future__ import annotations

from bpmn.definition import Element, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Two timers on one activity are not due at the same moment: a reminder would come with what it reminds of."""
    for resource, process in bundle.processes:
        first: dict[tuple[str, str], Element] = {}
        for event in process.elements.values():
            if event.event_type is EventType.TIMER and event.attached_to and event.event and event.event.when:
                when = event.event.when.source.strip()
                other = first.setdefault((event.attached_to, when), event)
                if other is not event:
                    message = (
                        f"Expected {event.label} to be due at another moment than {other.label}, which stands on the same activity, "
                        f"but both are due at {when[:80]}: correct one of them, or let one of them do both"
                    )
                    yield Problem(resource=resource, element=event, message=message)
