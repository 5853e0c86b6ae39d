"""A timer waits."""

from __future__ import annotations

import re

from bpmn.definition import TimerType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: A duration in which every number is zero.
_NOTHING = re.compile(r"P(?:0+[YMWD])*(?:T(?:0+[HMS])+)?")


def check(bundle: Bundle) -> Problems:
    """A duration that is written out is longer than nothing: what it bounds would end as soon as it begins."""
    for resource, _process, element in bundle.elements():
        event = element.event
        if event and event.timer is TimerType.DURATION and event.when and _NOTHING.fullmatch(event.when.source.strip()):
            message = (
                f"Expected {element.label} to wait for a while, but its duration {event.when.source.strip()} is none, "
                "so that it is due at once: write how long, such as P3D (three days) or PT30M (thirty minutes)"
            )
            yield Problem(resource=resource, element=element, message=message)
