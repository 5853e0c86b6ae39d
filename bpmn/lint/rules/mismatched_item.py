"""A call, its item and its condition mean the same item."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Definition
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import Call


def check(bundle: Bundle) -> Problems:
    """A call activity calls the process of its item, and the condition `ready(…)` in front of it asks about that item."""
    for matter in bundle.matters:
        for call in matter.every_call:
            for message in _computed(matter.process, call) if call.is_computed else _wrong(matter.process, call):
                yield Problem(resource=matter.resource, element=call.element, message=message)


def _wrong(process: Definition, call: Call) -> Iterator[str]:
    asked = _asked(process, call)
    if call.is_mismatched and asked == {call.process}:  # two of three say so
        yield (
            f"Expected {call.element.label} to call the process of its item, but onething.item is {call.item}, and the called element and "
            f"ready(…) are {call.process}: write {call.process} there, too"
        )
        return
    if call.is_mismatched:
        yield (
            f"Expected {call.element.label} to call the process of its item, but onething.item is {call.item} "
            f"and the called element is {call.process}: make both the same"
        )
    for code in sorted(asked - {call.item}):
        yield (
            f"Expected the condition in front of {call.element.label} to ask about its item, but it asks ready('{code}'): "
            f"write ready('{call.item}')"
        )


def _computed(process: Definition, call: Call) -> Iterator[str]:
    for code in sorted(_asked(process, call))[:1]:
        yield (
            f"Expected the condition in front of {call.element.label} to ask about the item that the case says, but it asks "
            f"about one called '{code}': write ready({call.item.strip('${}')}), without quotation marks"
        )


def _asked(process: Definition, call: Call) -> set[str]:
    """Items that the conditions in front of a call ask about."""
    conditions = [process.flows[key].condition for key in call.element.incoming]
    return {code for condition in conditions if condition for code in _codes(condition)}


def _codes(condition: Expression) -> list[str]:
    calls = [call for call in condition.invocations if call.name == "ready" and not call.method]
    return [str(call.arguments[0]) for call in calls if len(call.arguments) == 1 and isinstance(call.arguments[0], str)]
