"""A terminate end event ends what is done."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import WORK, Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: What does not wait for anybody outside.
_AT_ONCE = frozenset({ElementType.TASK, ElementType.THROW_EVENT, ElementType.SCRIPT_TASK})
#: What to make of the end.
_PLAIN = "make it a plain end event (结束事件)"


def check(bundle: Bundle) -> Problems:
    """What runs beside something does not lead straight to a terminate end event (终止结束事件), which would end that, too."""
    for resource, process in bundle.processes:
        for element in process.elements.values():
            for end, what in _ended(process, element):
                message = (
                    f"Expected {end.label} to end its own path, since it is reached straight from {element.label}, but it is a terminate "
                    f"end event (终止结束事件), and would end {what}"
                )
                yield Problem(resource=resource, element=end, message=message)


def _ended(process: Definition, element: Element) -> Iterator[tuple[Element, str]]:
    """Yield the terminate end events to which what begins beside something leads at once, with what they end."""
    if element.type is ElementType.BOUNDARY_EVENT and not element.interrupting and len(element.outgoing) == 1:
        if end := _straight(process, element.outgoing[0], _AT_ONCE | WORK):
            told = f"{process.elements[element.attached_to or ''].label}, on which that event stands without interrupting it"
            yield end, f"{told}: {_PLAIN}, or, if that is to end, let the event interrupt it (中断, not dashed)"
    elif element.type is ElementType.PARALLEL_GATEWAY and len(element.outgoing) > 1:
        for flow in element.outgoing:
            if end := _straight(process, flow, _AT_ONCE):
                yield end, f"the other paths out of it: {_PLAIN}"


def _straight(process: Definition, flow: str, passed: frozenset[ElementType]) -> Element | None:
    """Return the terminate end event to which a flow leads through nothing but what is passed."""
    seen: set[str] = set()
    element = process.elements[process.flows[flow].target]
    while element.type in passed and len(element.outgoing) == 1 and element.id not in seen:
        seen.add(element.id)
        element = process.elements[process.flows[element.outgoing[0]].target]
    return element if element.event_type is EventType.TERMINATE else None
