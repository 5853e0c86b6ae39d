"""Ways through a diagram: what a token can get to from where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpmn.definition import Definition, Element, ElementType

ENDINGS = frozenset({ElementType.END_EVENT})


def followers(process: Definition, element: Element, *, boundaries: bool = False) -> Iterator[str]:
    """Yield what a token gets to next: along flows, into a subprocess, and out of one that ends; by boundary events when asked."""
    if element.type is ElementType.SUBPROCESS:
        yield from (start.id for start in process.starts(element.id))
    else:
        yield from (process.flows[key].target for key in element.outgoing)
    if element.type in ENDINGS and element.parent is not None:
        around = process.elements[element.parent]
        yield from (process.flows[key].target for key in around.outgoing)
    if boundaries:
        yield from (event.id for event in process.boundaries(element.id))


def reach(process: Definition, starts: Iterable[str], *, boundaries: bool = False, stop: frozenset[str] = frozenset()) -> set[str]:
    """Return everything that comes after some elements; the way does not lead on behind those of `stop`."""
    frontier = [key for start in starts for key in followers(process, process.elements[start], boundaries=boundaries)]
    seen: set[str] = set()
    while frontier:
        key = frontier.pop()
        if key not in seen:
            seen.add(key)
            if key not in stop:
                frontier += followers(process, process.elements[key], boundaries=boundaries)
    return seen


def between(process: Definition, elements: frozenset[str]) -> set[tuple[str, str]]:
    """Pairs of elements of which one follows the other, and is not followed by it: in a loop, such as a dispatcher's, nobody is first."""
    after = {key: reach(process, [key], stop=elements) & elements for key in elements}
    everything = {key: reach(process, [key]) for key in elements}
    return {(a, b) for a in elements for b in after[a] if a not in everything[b]}
