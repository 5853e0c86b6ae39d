"""Items that wait for one another would wait for ever."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import DrawnMatter

#: Kinds of predecessors that hold an item back.
BINDING = frozenset({"FS", "RM"})


def check(bundle: Bundle) -> Problems:
    """Items that wait for one another would wait for ever."""
    for matter in bundle.matters:
        circle = _circle(matter)
        if circle:
            message = f"Expected items not to wait for one another, but they do: {' → '.join(circle)}"
            call = matter.calls.get(circle[0])
            yield Problem(resource=matter.resource, element=call.element if call else None, message=message)


def _circle(matter: DrawnMatter) -> list[str]:
    calls = ((code, call) for code, call in matter.calls.items() if not call.is_mismatched)  # which item it is, is told to be unclear
    waits = {code: {first for first, kind in call.predecessors if kind in BINDING} for code, call in calls}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
