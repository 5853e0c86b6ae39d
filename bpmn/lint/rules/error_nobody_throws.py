"""A boundary error event catches what somebody throws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.definition import BODY, SCOPES, Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A boundary error event catches a code that something inside its activity throws."""
    processes = {process.key: process for _, process in bundle.processes}
    for resource, process, element in bundle.elements():
        if element.type is ElementType.BOUNDARY_EVENT and element.event and element.event.type is EventType.ERROR and element.event.name:
            codes = _thrown(processes, process, process.elements[element.attached_to or ""])
            if codes is not None and element.event.name not in codes:
                message = (
                    f"Expected {element.label} to catch an error that is thrown, but nothing inside throws {element.event.name!r}: "
                    "correct its code or remove it"
                )
                yield Problem(resource=resource, element=element, message=message)


def _thrown(processes: Mapping[str, Definition], process: Definition, host: Element) -> set[str] | None:
    """Codes that an activity can throw; None where nobody knows: workers, and processes that are called, throw what they like."""
    host = process.elements[host.id.removesuffix(BODY)]
    if host.type in SCOPES:
        inside = [element for element in process.elements.values() if host.id in _around(process, element)]
    elif host.called and host.called.source in processes:
        inside = list(processes[host.called.source].elements.values())
    else:
        return None
    if any(element.topic or element.type is ElementType.CALL_ACTIVITY for element in inside):
        return None
    events = [element.event for element in inside if element.type is ElementType.END_EVENT and element.event]
    return {event.name for event in events if event.type is EventType.ERROR and event.name}


def _around(process: Definition, element: Element) -> Iterator[str]:
    """Yield the subprocesses that an element stands in."""
    while element.parent is not None:
        yield element.parent
        element = process.elements[element.parent]
