"""An error event catches what somebody throws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bpmn.definition import BODY, SCOPES, Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: A boundary event, and the start of an event subprocess.
CATCHING = frozenset({ElementType.BOUNDARY_EVENT, ElementType.START_EVENT})
#: What throws nothing where no worker does it: an expression that fails is an incident.
_SILENT = frozenset({ElementType.SCRIPT_TASK, ElementType.BUSINESS_RULE_TASK, ElementType.SERVICE_TASK, ElementType.SEND_TASK})


def check(bundle: Bundle) -> Problems:
    """An error event catches a code that something inside its activity, or around its event subprocess, throws."""
    processes = {process.key: process for _, process in bundle.processes}
    for resource, process, element in bundle.elements():
        if element.type in CATCHING and element.event and element.event.type is EventType.ERROR and element.event.name:
            codes = _thrown(processes, process, element)
            if codes is not None and element.event.name not in codes:
                message = (
                    f"Expected {element.label} to catch an error that is thrown, but nothing inside throws {element.event.name!r}: "
                    "correct its code, or draw it on the task that throws it"
                )
                yield Problem(resource=resource, element=element, message=message)


def _thrown(processes: Mapping[str, Definition], process: Definition, catch: Element) -> set[str] | None:
    """Codes that an event can be asked to catch; None where nobody knows: workers, and processes that are called, throw what they like."""
    inside = _inside(processes, process, catch)
    if inside is None or any(element.topic or element.type is ElementType.CALL_ACTIVITY for element in inside):
        return None
    events = [element.event for element in inside if element.type is ElementType.END_EVENT and element.event]
    return {event.name for event in events if event.type is EventType.ERROR and event.name}


def _inside(processes: Mapping[str, Definition], process: Definition, catch: Element) -> list[Element] | None:
    """List what may throw: inside the activity of a boundary event, or beside an event subprocess; None where it is not known."""
    if catch.attached_to is None:  # what an event subprocess throws itself leaves the scope around it
        own = process.elements[catch.parent or ""]
        return [element for element in _within(process, own.parent) if own.id not in _around(process, element)]
    host = process.elements[catch.attached_to.removesuffix(BODY)]
    if host.type in _SILENT and host.topic is None:
        return []
    if host.type in SCOPES:
        return list(_within(process, host.id))
    return list(processes[host.called.source].elements.values()) if host.called and host.called.source in processes else None


def _within(process: Definition, scope: str | None) -> Iterable[Element]:
    """Return what stands in a subprocess, at any depth, or in the process."""
    return (element for element in process.elements.values() if scope is None or scope in _around(process, element))


def _around(process: Definition, element: Element) -> Iterator[str]:
    """Yield the subprocesses that an element stands in."""
    while element.parent is not None:
        yield element.parent
        element = process.elements[element.parent]
