"""What waits for others does not wait for ever."""

from __future__ import annotations

from bpmn.definition import ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A receive task has a timer on its border."""
    for resource, process, element in bundle.elements():
        timers = [event for event in process.boundaries(element.id) if event.event and event.event.type is EventType.TIMER]
        if element.type is ElementType.RECEIVE_TASK and not timers:
            message = f"Expected {element.label} to stop waiting some day, but it has no deadline: draw a boundary timer (定时边界事件)"
            yield Problem(resource=resource, element=element, message=message)
