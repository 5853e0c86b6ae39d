"""What differs is called otherwise."""

from __future__ import annotations

from bpmn.definition import Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Tasks of one group with different forms, and calls of different processes, have names of their own: nobody could tell them apart."""
    for resource, process in bundle.processes:
        first: dict[tuple[object, ...], Element] = {}
        for element in process.elements.values():
            alike = _alike(element)
            if alike and _does(first.setdefault(alike, element)) != _does(element):
                message = (
                    f"Expected {element.label} to have a name of its own, but {first[alike].label} is called so, too, "
                    "and is something else: rename one of them"
                )
                yield Problem(resource=resource, element=element, message=message)


def _alike(element: Element) -> tuple[object, ...]:
    """By what people know an element: its name, and whose work it is; empty where they do not see it."""
    name = element.name.strip()
    if not name or element.type not in (ElementType.USER_TASK, ElementType.CALL_ACTIVITY):
        return ()
    return (element.type, name, *(group.source.strip() for group in element.candidate_groups))


def _does(element: Element) -> tuple[object, ...]:
    return (element.form_ref, element.called and element.called.source.strip())
