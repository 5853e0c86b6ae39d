"""What a gateway parts, a gateway of its kind joins."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Definition, Element, ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

XOR, AND = ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY
#: Kinds of a fork and of its join, and what comes of it.
MISMATCHES = {
    (XOR, AND): "the join would wait for ever for the branches that were not taken: close it with an exclusive gateway (排他网关)",
    (AND, XOR): "what follows would be done once for each branch: close it with a parallel gateway (并行网关)",
}


def check(bundle: Bundle) -> Problems:
    """What a gateway parts, a gateway of its kind joins, where branches lead straight from one to the other."""
    for resource, process in bundle.processes:
        for fork, join in _pairs(process):
            reason = MISMATCHES.get((fork.type, join.type))
            if reason:
                message = (
                    f"Expected the branches of {fork.label} to be joined as they were parted, but {join.label} is of another kind: {reason}"
                )
                yield Problem(resource=resource, element=join, message=message)


def _pairs(process: Definition) -> Iterator[tuple[Element, Element]]:
    """Yield forks with the gateway to which all their branches, and no other flow, lead straight."""
    hosts = {element.attached_to for element in process.elements.values() if element.attached_to}
    for fork in process.elements.values():
        if fork.type in (XOR, AND) and len(fork.outgoing) > 1:
            ends = {_end_of(process, flow, hosts) for flow in fork.outgoing}
            join = process.elements[ends.pop()] if len(ends) == 1 else None
            if join and join.id != fork.id and len(join.incoming) == len(fork.outgoing):
                yield fork, join


def _end_of(process: Definition, flow: str, hosts: set[str]) -> str:
    """Follow a flow over elements with one way in and one way out; return where it parts, meets others or ends."""
    key, seen = process.flows[flow].target, set[str]()
    while key not in seen:
        seen.add(key)
        element = process.elements[key]
        if len(element.incoming) != 1 or len(element.outgoing) != 1 or key in hosts:
            return key
        key = process.flows[element.outgoing[0]].target
    return key
