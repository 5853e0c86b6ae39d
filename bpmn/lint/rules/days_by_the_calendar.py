"""What is called so many working days counts working days."""

from __future__ import annotations

import re

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: A duration of days or weeks and nothing else.
_DAYS = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?", re.ASCII)
_WORKING = "工作日"


def check(bundle: Bundle) -> Problems:
    """A timer that is called by working days (工作日) counts these: `P5D` is five days by the calendar, to the minute."""
    for resource, _process, element in bundle.elements():
        timer = element.event.when if element.event else None
        match = _DAYS.fullmatch(timer.source.strip()) if timer and _WORKING in element.name else None
        if timer is not None and match is not None:
            days = int(match[1] or 0) * 5 + int(match[2] or 0)
            message = (
                f"Expected {element.label} to count working days, as it is called, but {timer.source.strip()} counts days by the calendar: "
                f"write ${{workdays({days})}}, and choose the type date"
            )
            yield Problem(resource=resource, element=element, message=message)
