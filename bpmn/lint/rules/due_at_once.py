"""A timer waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bpmn import timers
from bpmn.definition import TimerType
from bpmn.errors import ExpressionError
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: A duration in which every number is zero.
_NOTHING = re.compile(r"P(?:0+[YMWD])*(?:T(?:0+[HMS])+)?")


def check(bundle: Bundle) -> Problems:
    """A written duration is longer than zero, and a written date has not passed: the timer would be due as soon as it begins."""
    for resource, _process, element in bundle.elements():
        event = element.event
        written = event.when.source.strip() if event and event.when else ""
        wrong = ""
        if event and event.timer is TimerType.DURATION and _NOTHING.fullmatch(written):
            wrong = f"its duration {written} is none, so that it is due at once: write how long, such as P3D (three days)"
            wrong += " or PT30M (thirty minutes)"
        elif event and event.timer is TimerType.DATE and _has_passed(written):
            wrong = f"its date {written} has passed, so that it is due at once, in every case: write a duration, or what computes the date"
        for due in (element.due_date, element.follow_up_date):
            if due and _has_passed(due.source.strip()):
                wrong = f"its date {due.source.strip()} has passed: write a duration, or what computes the date"
        if wrong:
            yield Problem(resource=resource, element=element, message=f"Expected {element.label} to wait for a while, but {wrong}")


def _has_passed(written: str) -> bool:
    try:
        return timers.read_moment(written) < datetime.now(UTC)
    except ExpressionError:
        return False
