"""Ways through a diagram: what a token can get to from where."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bpmn.definition import Definition, ElementType

#: Calls between which ways are looked for.
MOST = 200


def followers(process: Definition) -> Callable[[str], list[str]]:
    """Tell what a token gets to next: along flows, into a subprocess, and out of one that ends."""
    inside: dict[str, list[str]] = {}
    for element in process.elements.values():
        if element.type is ElementType.START_EVENT and element.parent is not None:
            inside.setdefault(element.parent, []).append(element.id)

    def following(key: str) -> list[str]:
        element = process.elements[key]
        if element.type is ElementType.SUBPROCESS:
            return inside.get(key, [])
        ends = element.type is ElementType.END_EVENT and element.parent is not None
        outgoing = process.elements[element.parent or ""].outgoing if ends else element.outgoing
        return [process.flows[flow].target for flow in outgoing]

    return following


def reach(process: Definition, starts: Iterable[str], *, stop: frozenset[str] = frozenset()) -> set[str]:
    """Return everything that comes after some elements; the way does not lead on behind those of `stop`."""
    following = followers(process)
    frontier = [key for start in starts for key in following(start)]
    seen: set[str] = set()
    while frontier:
        key = frontier.pop()
        if key not in seen:
            seen.add(key)
            if key not in stop:
                frontier += following(key)
    return seen


def leading_to(process: Definition, goals: Iterable[str]) -> set[str]:
    """Return everything from which a way leads to one of some elements."""
    following = followers(process)
    before: dict[str, list[str]] = {}
    for key in process.elements:
        for follower in following(key):
            before.setdefault(follower, []).append(key)
    frontier, seen = list(goals), set[str]()
    while frontier:
        for key in before.get(frontier.pop(), ()):
            if key not in seen:
                seen.add(key)
                frontier.append(key)
    return seen


def between(process: Definition, elements: frozenset[str]) -> set[tuple[str, str]]:
    """Pairs of elements of which one follows the other, and is not followed by it: in a loop, such as a dispatcher's, nobody is first.

    Among more elements than any bundle has, none are looked for.
    """
    if len(elements) > MOST:
        return set()
    after = {key: reach(process, [key], stop=elements) & elements for key in elements}
    everything = {key: reach(process, [key]) for key in elements}
    return {(a, b) for a in elements for b in after[a] if a not in everything[b]}
