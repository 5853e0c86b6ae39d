"""A process that calls itself, by way of others or not, would never end."""

from __future__ import annotations

from itertools import pairwise

from bpmn import closure
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A process that calls itself, by way of others or not, would never end."""
    processes = {process.key: (resource, process) for resource, process in bundle.processes}
    calls = {key: {e.called.source for e in process.elements.values() if e.called} for key, (_, process) in processes.items()}
    while circle := closure.circle(calls)[::-1]:
        for key, called in pairwise(circle):
            resource, process = processes[key]
            for element in process.elements.values():
                if element.called and element.called.source == called:
                    message = f"Expected {element.label} to call a process that ends, but the calls go round: {' → '.join(circle)}"
                    yield Problem(resource=resource, element=element, message=message)
        calls = {key: called for key, called in calls.items() if key not in circle}
