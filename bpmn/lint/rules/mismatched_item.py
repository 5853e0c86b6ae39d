"""A call, its item and its condition mean the same item."""

from __future__ import annotations

from bpmn.definition import Definition
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import Call


def check(bundle: Bundle) -> Problems:
    """A call activity calls the process of its item, and the condition `ready(…)` in front of it asks about that item."""
    for matter in bundle.matters:
        for call in matter.calls.values():
            for message in _wrong(matter.process, call):
                yield Problem(resource=matter.resource, element=call.element, message=message)


def _wrong(process: Definition, call: Call) -> list[str]:
    called = call.element.called
    found = []
    if not call.is_computed and called and called.dialect == "literal" and called.source != call.item:
        found.append(
            f"Expected {call.element.label} to call the process of its item, but onething.item is {call.item} "
            f"and the called element is {called.source}: make both the same"
        )
    asked = {code for key in call.element.incoming if (condition := process.flows[key].condition) for code in _asked(condition)}
    if call.is_computed and asked:
        code = min(asked)
        found.append(
            f"Expected the condition in front of {call.element.label} to ask about the item that the case says, but it asks "
            f"about one called '{code}': write ready({call.item.strip('${}')}), without quotation marks"
        )
    found += [
        f"Expected the condition in front of {call.element.label} to ask about its item, but it asks ready('{code}'): "
        f"write ready('{call.item}')"
        for code in sorted(asked - {call.item})
        if not call.is_computed
    ]
    return found


def _asked(condition: Expression) -> list[str]:
    calls = [call for call in condition.invocations if call.name == "ready" and not call.method]
    return [str(call.arguments[0]) for call in calls if len(call.arguments) == 1 and isinstance(call.arguments[0], str)]
