"""A process says how long its history is kept."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A process says how long its history is kept: Camunda 7 refuses it otherwise, and files have a legal term."""
    for resource, process in bundle.processes:
        if not process.history_time_to_live:
            message = f"Expected the process {process.key} to have a history time to live, but it has none: fill one in, such as P1825D"
            yield Problem(resource=resource, process=process, message=message)
