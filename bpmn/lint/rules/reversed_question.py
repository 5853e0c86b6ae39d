"""What is asked of the engine leads where its answer says."""

from __future__ import annotations

from bpmn.definition import Definition, Element, EventType, Flow
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import Matter


def check(bundle: Bundle) -> Problems:
    """A flow leads to an item where it is ready, to the end where all is settled, to the issuance where it can be: not where it is not."""
    for matter in bundle.matters:
        for flow in matter.process.flows.values():
            asked = _reversed(flow.condition) if flow.condition else None
            target = matter.process.elements[flow.target]
            if asked and _serves(matter, target) == asked:
                message = (
                    f"Expected {target.label} to be reached where {asked}() is true, but {flow.condition.source.strip()[:80]} "  # type: ignore[union-attr] # it has one
                    f"leads there where it is false: take `not` or `!` away"
                )
                yield Problem(resource=matter.resource, element=_source(matter.process, flow), message=message)


def _serves(matter: Matter, target: Element) -> str:
    """Return the function that is asked in front of an element; empty for other elements."""
    if any(call.element.id == target.id for call in matter.calls.values()):
        return "ready"
    if target.event_type is EventType.TERMINATE and target.parent is not None:
        return "settled"
    return {"issuance": "issuable", "tolerance": "tolerance_open"}.get(target.properties.get("onething.kind", ""), "")


def _reversed(condition: Expression) -> str | None:
    """Return the only function that a condition asks, where it holds when the answer is no, and does not when it is yes."""
    if condition.names - {"item"} or len(condition.calls) != 1:
        return None
    (function,) = condition.calls
    try:
        yes, no = (condition.test({"item": ""}, {function: lambda *_arguments, answer=answer: answer}) for answer in (True, False))
    except ExpressionError:
        return None
    return function if no and not yes else None


def _source(process: Definition, flow: Flow) -> Element:
    return process.elements[flow.source]
