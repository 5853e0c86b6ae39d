"""What differs is called otherwise."""

from __future__ import annotations

from bpmn.definition import Definition, Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways


def check(bundle: Bundle) -> Problems:
    """Tasks of one group that differ, or follow one another, and calls of different processes have names of their own: they look alike."""
    for resource, process in bundle.processes:
        first: dict[tuple[object, ...], Element] = {}
        for element in process.elements.values():
            alike = _alike(element)
            other = first.setdefault(alike, element)
            differs = _does(other) != _does(element)
            if alike and (differs or _is_next(process, other, element)):
                what = "is something else" if differs else "is done once more"
                message = (
                    f"Expected {element.label} to have a name of its own, but {other.label} is called so, too, and {what}: "
                    "rename one of them, or remove the copy"
                )
                yield Problem(resource=resource, element=element, message=message)


def _alike(element: Element) -> tuple[object, ...]:
    """By what people know an element: its name, and whose work it is; empty where they do not see it."""
    name = element.name.strip()
    if not name or element.type not in (ElementType.USER_TASK, ElementType.CALL_ACTIVITY):
        return ()
    return (element.type, name, *(group.source.strip() for group in element.candidate_groups))


def _is_next(process: Definition, one: Element, other: Element) -> bool:
    """Tell whether of two elements one follows the other, and not round a loop."""
    if one is other:
        return False
    after, before = other.id in ways.reach(process, [one.id]), one.id in ways.reach(process, [other.id])
    return after != before


def _does(element: Element) -> tuple[object, ...]:
    return (element.form_ref, element.called and element.called.source.strip())
