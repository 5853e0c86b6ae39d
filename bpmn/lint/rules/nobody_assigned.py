"""A task is somebody's."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A user task names a group or a person: nobody would find it in a worklist."""
    for resource, _process, element in bundle.elements():
        if element.type is ElementType.USER_TASK and not element.candidate_groups and element.assignee is None:
            message = f"Expected {element.label} to name who does it, but it has neither candidate groups nor an assignee: fill one in"
            yield Problem(resource=resource, element=element, message=message)
