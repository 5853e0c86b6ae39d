"""What people see has a name."""

from __future__ import annotations

from bpmn.definition import ACTIVITIES, Definition, Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Elements whose name stands in worklists, on the picture and in the history.
NAMED = ACTIVITIES | {ElementType.EVENT_SUBPROCESS}
#: Gateways that ask something.
ASKING = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY})


def check(bundle: Bundle) -> Problems:
    """Activities, gateways that ask, and the flows that answer them have names: they stand in worklists and in the history."""
    for resource, process, element in bundle.elements():
        for message in _nameless(process, element):
            yield Problem(resource=resource, element=element, message=message)


def _nameless(process: Definition, element: Element) -> list[str]:
    asks = element.type in ASKING and len(element.outgoing) > 1
    flows = [process.flows[key] for key in element.outgoing] if asks else []
    messages = (
        [f"Expected {element.id} to have a name, but it has none: write one"]
        if (asks or element.type in NAMED) and not element.name
        else []
    )
    messages += [
        f"Expected the flow {flow.id} to say when it is taken, but it has no name: write one"
        for flow in flows
        if flow.condition and not flow.name
    ]
    return messages
