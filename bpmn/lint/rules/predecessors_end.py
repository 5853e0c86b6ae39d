"""Items that wait for one another would wait for ever."""

from __future__ import annotations

from bpmn import closure
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Items that wait for one another would wait for ever."""
    for matter in bundle.matters:
        calls = ((code, call) for code, call in matter.calls.items() if not call.is_mismatched)  # which item it is, is told to be unclear
        if circle := closure.circle({code: call.waits_for for code, call in calls}):
            message = f"Expected items not to wait for one another, but they do: {' → '.join(circle)}"
            call = matter.calls.get(circle[0])
            yield Problem(resource=matter.resource, element=call.element if call else None, message=message)
