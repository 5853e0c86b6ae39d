"""What a department does has a time limit."""

from __future__ import annotations

from bpmn.definition import Definition, Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Kinds of tasks during which the clock stands still.
PAUSING = frozenset({"special-procedure"})


def check(bundle: Bundle) -> Problems:
    """A department's task has a due date, or a timer on its border or around it."""
    for resource, process, element in bundle.elements():
        if _is_department_task(process, element) and element.due_date is None and not _is_timed(bundle, process, element):
            message = f"Expected {element.label} to have a time limit, but it has neither a due date nor a timer: ${{deadline('promised')}}"
            yield Problem(resource=resource, element=element, message=message)


def _is_department_task(process: Definition, element: Element) -> bool:
    if process.properties.get("onething.kind") != "item" or element.properties.get("onething.kind") in PAUSING:
        return False
    is_ours = element.topic is not None and element.topic.source.startswith("onething.")
    return element.type is ElementType.USER_TASK or (element.topic is not None and not is_ours)


def _is_timed(bundle: Bundle, process: Definition, element: Element) -> bool:
    around: str | None = element.id
    while around is not None and around not in bundle.timed(process):
        around = process.elements[around].parent
    return around is not None
