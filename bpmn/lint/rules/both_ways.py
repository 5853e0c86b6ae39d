"""Behind an activity, a condition takes one way instead of another."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Out of an activity, a flow with a condition does not stand beside one without: the latter would always be taken as well."""
    for resource, process in bundle.processes:
        for split in process.elements.values():
            flows = [process.flows[key] for key in split.outgoing if key != split.default]
            plain = next((flow for flow in flows if flow.condition is None), None)
            # The compiler draws the gateway that an activity with conditions behind it stands for.
            if split.type is ElementType.INCLUSIVE_GATEWAY and not split.drawn and plain and any(flow.condition for flow in flows):
                element = process.elements[process.flows[split.incoming[0]].source]
                message = (
                    f"Expected the flows out of {element.label} to exclude one another, but “{plain.name or plain.id}” has no condition "
                    "and is always taken, also where the condition of another holds: draw an exclusive gateway (排他网关), "
                    "or make it the default flow (默认流)"
                )
                yield Problem(resource=resource, element=element, message=message)
