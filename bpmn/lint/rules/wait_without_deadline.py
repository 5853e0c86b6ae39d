"""What waits for others does not wait for ever."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A receive task has a timer on its border."""
    for resource, process, element in bundle.elements():
        if element.type is ElementType.RECEIVE_TASK and element.id not in bundle.timed(process):
            message = f"Expected {element.label} to stop waiting some day, but it has no deadline: draw a boundary timer (定时边界事件)"
            yield Problem(resource=resource, element=element, message=message)
