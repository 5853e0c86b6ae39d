"""What a timer computes is a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bpmn import timers
from bpmn.definition import Element, TimerType
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Any moment would do.
_SINCE = datetime(2100, 1, 1, tzinfo=UTC)


def check(bundle: Bundle) -> Problems:
    """An expression for a time that reads no variable gives a time: with a number (`${5}`), the case would stop with an incident."""
    for resource, _process, element in bundle.elements():
        for what, expression, is_cycle in _computed(element):
            try:
                value = expression.evaluate({})
                if value is None and what != "the timer":
                    continue  # a task without a due date
                read = timers.cycle if is_cycle and not isinstance(value, datetime) else timers.due
                read(value, _SINCE)
            except ExpressionError as error:
                message = (
                    f"Expected {what} of {element.label} to be a time, but {expression.source.strip()[:80]} gives none ({error}): "
                    "write P5D for five days, or ${workdays(5)} for five working days"
                )
                yield Problem(resource=resource, element=element, message=message)


def _computed(element: Element) -> Iterator[tuple[str, Expression, bool]]:
    """Yield the expressions of an element that stand for a time and depend on nothing, each with what it is, and whether it repeats."""
    event = element.event
    written = {"the timer": event.when if event else None, "the due date": element.due_date, "the follow-up date": element.follow_up_date}
    for what, each in written.items():
        if each is not None and each.dialect != "literal" and not each.names and not each.calls:
            yield what, each, what == "the timer" and event is not None and event.timer is TimerType.CYCLE
