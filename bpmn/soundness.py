"""Soundness: which places of a scope can hold tokens at the same time, and which joins tokens can never complete.

A scope is seen as a Petri net.  A place is an element in which a token rests or through which it passes, or a flow on which a token waits
at a join.  What conditions say is not known, so whatever a condition may allow counts as possible: what is called impossible here is so.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bpmn.definition import Definition, Element, ElementType, Flow

#: Gateways where tokens wait for one another, and those that take one of their flows.
JOINS = frozenset({ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})
_CHOICES = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY})


def is_join(element: Element) -> bool:
    """Whether tokens wait here for one another."""
    return element.type in JOINS and len(element.incoming) > 1


@dataclass(frozen=True)
class Step:
    """One thing that can happen: a token is taken from each place before, and one put into each place after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


class Net:
    """A scope of a definition; `scope` is its id, None the process."""

    def __init__(self, definition: Definition, scope: str | None) -> None:
        self._definition = definition
        self._elements = [element for element in definition.elements.values() if element.parent == scope]
        #: What can happen to a token, by its place.
        self._steps: dict[str, list[Step]] = defaultdict(list)
        for step in self._all_steps():
            for place in step.before:
                self._steps[place].append(step)

    def together(self, one: str, other: str) -> bool:
        """Whether both places can hold a token at the same time; the same twice: whether it can hold two."""
        return other in self._beside.get(one, ()) or self._by_itself(one) or self._by_itself(other)

    def starved(self, places: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Say which parallel joins these tokens can come to and never open: the flows that stay empty, by join."""
        reached, open_ends = set(places), list(places)
        while open_ends:
            for step in self._steps[open_ends.pop()]:
                if reached.issuperset(step.before):
                    open_ends += [place for place in step.after if place not in reached]
                    reached.update(step.after)
        joins = [e for e in self._elements if e.type is ElementType.PARALLEL_GATEWAY and is_join(e)]
        empty = {join.id: frozenset(join.incoming) - reached for join in joins}
        return {join.id: empty[join.id] for join in joins if 0 < len(empty[join.id]) < len(join.incoming)}

    # What can happen -----------------------------------------------------------------------------------------------------------------

    def _all_steps(self) -> Iterator[Step]:
        for element in self._elements:
            if element.type is ElementType.BOUNDARY_EVENT and element.attached_to:
                stays = () if element.interrupting else (element.attached_to,)
                yield Step((element.attached_to,), (*stays, element.id))
            if is_join(element):
                gathered = [element.incoming] if element.type is ElementType.PARALLEL_GATEWAY else [(flow,) for flow in element.incoming]
                yield from (Step(flows, (element.id,)) for flows in gathered)
            flows = tuple(self._place(self._definition.flows[flow]) for flow in element.outgoing) * element.completion_quantity
            if element.type in _CHOICES:
                yield from (Step((element.id,), (place,)) for place in flows)
            elif flows:
                yield Step((element.id,), flows)

    def _place(self, flow: Flow) -> str:
        """Where a token on a flow comes to rest."""
        return flow.id if is_join(self._definition.elements[flow.target]) else flow.target

    def _by_itself(self, place: str) -> bool:
        """Whether no flow leads here: an event subprocess, a handler, an instance of several may begin whatever else goes on."""
        element = self._definition.elements.get(place)
        begins = {ElementType.START_EVENT, ElementType.BOUNDARY_EVENT}
        return element is not None and not element.incoming and element.type not in begins

    # What can be together ------------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _beside(self) -> Mapping[str, set[str]]:
        """Places that may hold tokens together, both ways round.

        Whatever a step puts down is together; what is together with all that a step takes is together with what it puts down.  This is
        Kovalyov's rule: exact for sound free-choice nets, and never too narrow.
        """
        beside: dict[str, set[str]] = defaultdict(set)
        fresh = [pair for steps in self._steps.values() for step in steps for pair in itertools.permutations(step.after, 2)]
        while fresh:
            moving, still = fresh.pop()
            if still in beside[moving]:
                continue
            beside[moving].add(still)
            fresh.append((still, moving))
            for step in self._steps[moving]:
                if all(place == moving or still in beside[place] for place in step.before):
                    fresh += [(place, still) for place in step.after]
        return beside
