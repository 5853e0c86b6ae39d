"""An error that is thrown is caught."""

from __future__ import annotations

from bpmn.definition import Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """An error that an end event throws is caught around it, or by whatever calls its process."""
    for resource, process, element in bundle.elements():
        code = element.event.name if element.event and element.event.type is EventType.ERROR else None
        if element.type is ElementType.END_EVENT and code and not _caught(bundle, process, element, code, frozenset()):
            message = (
                f"Expected something around {element.label} to catch the error {code!r}, but nothing does, so that it ends all that still "
                "runs, as failed: draw an error boundary event (错误边界事件) around it, or a plain end event where only this way ends"
            )
            yield Problem(resource=resource, element=element, message=message)


def _caught(bundle: Bundle, process: Definition, thrower: Element, code: str, seen: frozenset[str]) -> bool:
    """Whether an error is caught in its process, or by every process of these files that calls it."""
    if _caught_inside(process, thrower, code):
        return True
    calls = [(caller, call) for _, caller, call in bundle.elements() if call.called and call.called.source == process.key]
    outside = seen | {process.key}
    return bool(calls) and all(caller.key in outside or _caught(bundle, caller, call, code, outside) for caller, call in calls)


def _caught_inside(process: Definition, at: Element, code: str) -> bool:
    """Look outwards from an element as the engine does: its borders, the event subprocesses beside it, what is around."""
    while True:
        beside = [start for start in process.event_starts(at.parent) if start.parent != at.id]
        if any(_catches(event, code) for event in (*process.boundaries(at.id), *beside)):
            return True
        if at.parent is None:
            return False
        at = process.elements[at.parent]


def _catches(catch: Element, code: str) -> bool:
    event = catch.event
    return event is not None and event.type is EventType.ERROR and event.name in {None, code}
