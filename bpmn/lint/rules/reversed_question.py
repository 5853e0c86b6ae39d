"""What is asked of the engine leads where its answer says."""

from __future__ import annotations

from bpmn.definition import Definition, Element, EventType, Flow
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import DrawnMatter


def check(bundle: Bundle) -> Problems:
    """A flow leads to an item if that is ready, to the end if all is settled, to the issuance if that can be; not if the answer is no."""
    for matter in bundle.matters:
        for flow in matter.process.flows.values():
            asked, why = _asked(matter.process, flow)
            target = matter.process.elements[flow.target]
            if asked and _serves(matter, target) == asked:
                message = (
                    f"Expected {target.label} to be reached where {asked}() is true, but {why} leads there where it is false: turn it round"
                )
                yield Problem(resource=matter.resource, element=matter.process.elements[flow.source], message=message)


def _asked(process: Definition, flow: Flow) -> tuple[str | None, str]:
    """Return the function whose answer is no where a flow is taken, and what says so: its condition, or that of the only other flow."""
    source = process.elements[flow.source]
    others = [process.flows[key].condition for key in source.outgoing if key != flow.id]
    if flow.id == source.default and len(others) == 1 and others[0]:
        return _answered(others[0], taken=True), f"the default flow beside {others[0].source.strip()[:80]}"
    return (_answered(flow.condition, taken=False), flow.condition.source.strip()[:80]) if flow.condition else (None, "")


def _serves(matter: DrawnMatter, target: Element) -> str:
    """Return the function that is asked in front of an element; empty for other elements."""
    if any(call.element.id == target.id for call in matter.calls.values()):
        return "ready"
    if target.event_type is EventType.TERMINATE and target.parent is not None:
        return "settled"
    return {"issuance": "issuable", "tolerance": "tolerance_open"}.get(target.properties.get("onething.kind", ""), "")


def _answered(condition: Expression, *, taken: bool) -> str | None:
    """Return the only function that a condition asks, where it holds for one answer and not for the other."""
    if condition.names - {"item"} or len(condition.calls) != 1:
        return None
    (function,) = condition.calls
    try:
        yes, no = (condition.test({"item": ""}, {function: lambda *_arguments, answer=answer: answer}) for answer in (True, False))
    except ExpressionError:
        return None
    return function if yes is taken and no is not taken else None
