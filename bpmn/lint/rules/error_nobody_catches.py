"""An error that is thrown is caught."""

from __future__ import annotations

from bpmn import catchers
from bpmn.definition import Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """An error that an end event throws is caught around it, or by whatever calls its process."""
    for resource, process, element in bundle.elements():
        code = element.event.name if element.event and element.event.type is EventType.ERROR else None
        if element.type is ElementType.END_EVENT and code and not _caught(bundle, process, element, code, frozenset()):
            message = (
                f"Expected something around {element.label} to catch the error {code!r}, but nothing does, so that this way ends, and "
                "the rest goes on as if nothing had been: draw an error boundary event (错误边界事件) around it, or a plain end event"
            )
            yield Problem(resource=resource, element=element, message=message)
        for told, _condition in element.worker_errors:
            if not _caught(bundle, process, element, told, frozenset()):
                message = (
                    f"Expected something around {element.label} to catch the error {told!r} that its failures are, but nothing does, so "
                    "that this way ends, and the rest goes on: draw an error boundary event (错误边界事件) on it"
                )
                yield Problem(resource=resource, element=element, message=message)


def _caught(bundle: Bundle, process: Definition, thrower: Element, code: str, seen: frozenset[str]) -> bool:
    """Whether an error is caught in its process, or by every process of these files that calls it."""
    if catchers.catches_error(process, thrower, code):
        return True
    calls = [(caller, call) for _, caller, call in bundle.elements() if call.called and call.called.source == process.key]
    outside = seen | {process.key}
    return bool(calls) and all(caller.key in outside or _caught(bundle, caller, call, code, outside) for caller, call in calls)
