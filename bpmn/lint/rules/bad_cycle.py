"""What repeats says how often."""

from __future__ import annotations

from bpmn.definition import TimerType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A cycle says how often it repeats: a function that gives one day belongs in a timer of the type date."""
    words = bundle.known.words
    for resource, _process, element in bundle.elements():
        event = element.event
        if event is None or event.timer is not TimerType.CYCLE or event.when is None:
            continue
        called = next(
            (call.name for call in event.when.invocations if call.name in words.moments and _is_whole(event.when.source, call.name)), None
        )
        if called:
            message = (
                f"Expected the cycle of {element.label} to say how often it repeats, such as R3/P1D, but {event.when.source.strip()[:80]} "
                f"gives one day: choose the type date for the timer, or write a cycle"
            )
            yield Problem(resource=resource, element=element, message=message)


def _is_whole(source: str, function: str) -> bool:
    """Tell whether an expression is nothing but the call of a function."""
    return source.strip().lstrip("$#{= ").startswith(f"{function}(") and source.strip().rstrip("} ").endswith(")")
