"""Ways through a diagram: what a token can get to from where."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bpmn import closure
from bpmn.definition import SCOPES, Definition, Element, ElementType

#: Calls between which ways are looked for.
MOST = 200


def followers(process: Definition) -> Callable[[str], list[str]]:
    """Tell what a token gets to next: along flows, into a subprocess and what starts in it by an event, and out of one that ends."""
    inside: dict[str | None, list[str]] = {}
    for element in process.elements.values():
        if _begins(process, element):
            inside.setdefault(element.parent, []).append(element.id)
    beside = [key for key in inside.get(None, ()) if process.elements[key].type is ElementType.EVENT_SUBPROCESS]

    def following(key: str) -> list[str]:
        element = process.elements[key]
        if element.type in SCOPES:
            return inside.get(key, [])
        starts = beside if element.type is ElementType.START_EVENT and element.parent is None else []
        return [*(process.flows[flow].target for flow in _out_of(process, element)), *starts]

    return following


def _begins(process: Definition, element: Element) -> bool:
    """Tell whether an element is there as soon as its scope is: a start, an event subprocess, an activity in its body."""
    around = process.elements.get(element.parent or "")
    in_body = around is not None and around.type is ElementType.MULTI_INSTANCE_BODY
    return element.type in (ElementType.START_EVENT, ElementType.EVENT_SUBPROCESS) or in_body


def _out_of(process: Definition, element: Element) -> tuple[str, ...]:
    """Return the flows out of an element, or of the nearest scope around it that goes on when the element ends."""
    while not element.outgoing and element.parent is not None:
        element = process.elements[element.parent]
    return element.outgoing


def reach(process: Definition, starts: Iterable[str], *, stop: frozenset[str] = frozenset()) -> set[str]:
    """Return everything that comes after some elements; the way does not lead on behind those of `stop`."""
    following = followers(process)
    begins = [key for start in starts for key in following(start)]
    return closure.of(begins, lambda key: () if key in stop else following(key))


def leading_to(process: Definition, goals: Iterable[str]) -> set[str]:
    """Return everything from which a way leads to one of some elements."""
    following = followers(process)
    before: dict[str, list[str]] = {}
    for key in process.elements:
        for follower in following(key):
            before.setdefault(follower, []).append(key)
    ends = [key for goal in goals for key in before.get(goal, ())]
    return closure.of(ends, lambda key: before.get(key, ()))


def between(process: Definition, elements: frozenset[str]) -> set[tuple[str, str]]:
    """Pairs of elements of which one follows the other, and is not followed by it: in a loop, such as a dispatcher's, nobody is first.

    Among more elements than any bundle has, none are looked for.
    """
    if len(elements) > MOST:
        return set()
    after = {key: reach(process, [key], stop=elements) & elements for key in elements}
    everything = {key: reach(process, [key]) for key in elements}
    return {(a, b) for a in elements for b in after[a] if a not in everything[b]}
