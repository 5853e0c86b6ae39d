"""M is for months before the T, and for minutes behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpmn.definition import Element
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: A duration, or what repeats, of months and nothing else.
_MONTHS = re.compile(r"(?:R\d*/(?:[^/P]+/)?)?P(\d+)M", re.ASCII)
#: People count minutes in fives.
_ROUND = 5


def check(bundle: Bundle) -> Problems:
    """Five, ten, fifteen months … are minutes more often than not (`P15M` for `PT15M`)."""
    for resource, _process, element in bundle.elements():
        for what, written in _durations(element):
            match = _MONTHS.fullmatch(written.source.strip())
            if match and int(match[1]) and int(match[1]) % _ROUND == 0:
                months = int(match[1])
                message = (
                    f"Expected {what} of {element.label} to be a time that somebody means, but {written.source.strip()} is "
                    f"{months} months ({months} 个月): write PT{months}M for {months} minutes ({months} 分钟), "
                    f"or, if months are meant, P{months // 12}Y{months % 12}M"
                )
                yield Problem(resource=resource, element=element, message=message)


def _durations(element: Element) -> Iterator[tuple[str, Expression]]:
    """Yield the times that stand on an element, each with what it is."""
    timer = element.event.when if element.event else None
    written = {"the timer": timer, "the due date": element.due_date, "the follow-up date": element.follow_up_date}
    yield from ((what, each) for what, each in {**written, "the retries": element.retry_cycle}.items() if each is not None)
