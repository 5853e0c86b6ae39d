"""A gateway parts or joins ways."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

_GATEWAYS = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})


def check(bundle: Bundle) -> Problems:
    """A gateway has several flows that lead into it, or several out of it: with one of each it does nothing."""
    for resource, _process, element in bundle.elements():
        if element.type in _GATEWAYS and len(element.incoming) == len(element.outgoing) == 1:
            message = (
                f"Expected several flows into {element.label}, or out of it, but there is one of each, so that it decides nothing: "
                "draw the flow that is missing, or remove the gateway"
            )
            yield Problem(resource=resource, element=element, message=message)
