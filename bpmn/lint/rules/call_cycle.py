"""A process that calls itself, by way of others or not, would never end."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A process that calls itself, by way of others or not, would never end."""
    processes = {process.key: (resource, process) for resource, process in bundle.processes}
    calls = {key: {e.called.source for e in process.elements.values() if e.called} for key, (_, process) in processes.items()}
    while circle := _circle(calls):
        for key, called in pairwise(circle):
            resource, process = processes[key]
            for element in process.elements.values():
                if element.called and element.called.source == called:
                    message = f"Expected {element.label} to call a process that ends, but the calls go round: {' → '.join(circle)}"
                    yield Problem(resource=resource, element=element, message=message)
        calls = {key: called for key, called in calls.items() if key not in circle}


def _circle(calls: Mapping[str, set[str]]) -> list[str]:
    """Find keys of which each calls the next, and the last is the first; empty when there are none."""
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        return [*reversed(error.args[1])]
    return []
