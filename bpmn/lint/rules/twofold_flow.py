"""One flow leads from an element to another."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import CHOICES, JOINS, Definition, Element, Flow
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Of the flows that are always taken, no two lead to one element, and none straight back: what is behind would run more than once."""
    for resource, process in bundle.processes:
        for split in process.elements.values():
            # The compiler draws the gateway that an activity with several flows behind it stands for.
            element = split if split.drawn or not split.incoming else process.elements[process.flows[split.incoming[0]].source]
            for wrong in _wrong(process, element, _always(process, split)):
                message = f"Expected one flow out of {element.label} to each element behind it, but {wrong}"
                yield Problem(resource=resource, element=element, message=message)


def _always(process: Definition, element: Element) -> list[Flow]:
    """Return the flows out of an element that are always taken, where there are several."""
    flows = [process.flows[key] for key in element.outgoing if key != element.default]
    return [] if element.type in CHOICES or len(flows) < 2 else [flow for flow in flows if flow.condition is None]  # noqa: PLR2004 - several


def _wrong(process: Definition, element: Element, flows: list[Flow]) -> Iterator[str]:
    seen: set[str] = set()
    for flow in flows:
        target = process.elements[flow.target]
        if flow.target == element.id:
            yield f"{flow.id} leads straight back to it, each time, beside another: remove it, or choose by an exclusive gateway (排他网关)"
        elif flow.target in seen and target.type not in JOINS and target.start_quantity == 1:
            yield f"two lead to {target.label}, which would run twice: remove {flow.id}"
        seen.add(flow.target)
