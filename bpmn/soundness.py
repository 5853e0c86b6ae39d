"""Soundness: which places of a scope can hold tokens at the same time, and which joins tokens can never complete.

A scope is seen as a Petri net.  A place is an element in which a token rests or through which it passes, or a flow on which a token waits
at a join.  What conditions say is not known, so whatever a condition may allow counts as possible: what is called impossible here is so.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from bpmn import catchers
from bpmn.definition import Definition, Element, ElementType, EventType, Flow
from bpmn.markings import GATHERING, JOB, Markings, Step, place_of
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.spec import spec_of

#: Gateways where tokens wait for one another, and those that take one of their flows.
JOINS = frozenset({ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})
_CHOICES = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY})
#: End events that end every other token of the scope; an error does when something catches it.
_SWEEPING = frozenset({EventType.TERMINATE, EventType.CANCEL})


def is_join(element: Element) -> bool:
    """Whether tokens wait here for one another."""
    return element.type in JOINS and len(element.incoming) > 1


class Net:
    """A scope of a definition; `scope` is its id, None the process."""

    def __init__(self, definition: Definition, scope: str | None) -> None:
        self._definition = definition
        self._elements = [element for element in definition.elements.values() if element.parent == scope]
        #: What can happen to a token, by its place.
        self._steps: dict[str, list[Step]] = defaultdict(list)
        for step in self._all_steps():
            for place in dict.fromkeys(step.before):
                self._steps[place].append(step)
        self._plays: dict[frozenset[str], Markings] = {}

    def play(self, failed: Collection[str] = ()) -> Markings:
        """Play on paper, while tokens also stay where one has failed."""
        key = frozenset(failed)
        if key not in self._plays:
            starts = [e.id for e in self._elements if e.type is ElementType.START_EVENT]
            self._plays[key] = Markings(self._definition, self._steps, starts, key)
        return self._plays[key]

    def together(self, one: str, other: str, failed: Collection[str] = ()) -> bool | None:
        """Whether both places can hold a token at the same time (the same twice: whether it can hold two); None: that cannot be told."""
        if self._by_itself(one) or self._by_itself(other):
            return True
        if other not in self._beside.get(one, ()):
            return False
        surely = other in self._surely_beside.get(one, ())
        # Who has failed once, and was mended, has kept others waiting wherever that was.
        for stay in (failed, [element.id for element in self._elements]):
            play = self.play(stay)
            if (one, other) in play.pairs:
                return True
            if not play.complete:
                return True if surely else None
        return False

    def reach(self, places: Collection[str]) -> set[str]:
        """Return the places to which tokens in these may come, and these; it is not asked which of them are used up on the way."""
        reached, open_ends = set(places), list(places)
        while open_ends:
            for step in self._steps.get(open_ends.pop(), ()):
                if step.inclusive or reached.issuperset(step.before):
                    open_ends += [place for place in step.after if place not in reached]
                    reached.update(step.after)
        return reached

    def starved(self, places: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Say which parallel joins these tokens can come to and never open: the flows that stay empty, by join."""
        reached = self.reach(places)
        joins = [e for e in self._elements if e.type is ElementType.PARALLEL_GATEWAY and is_join(e)]
        empty = {join.id: frozenset(join.incoming) - reached for join in joins}
        return {join.id: empty[join.id] for join in joins if 0 < len(empty[join.id]) < len(join.incoming)}

    # What can happen -----------------------------------------------------------------------------------------------------------------

    def _all_steps(self) -> Iterator[Step]:
        for element in self._elements:
            if element.type is ElementType.BOUNDARY_EVENT and element.attached_to and not element.handler:
                stays = () if element.interrupting else (element.attached_to,)
                yield Step((element.attached_to,), (*stays, element.id))
            if is_join(element):
                inclusive = element.type is ElementType.INCLUSIVE_GATEWAY
                yield Step(element.incoming, (element.id,), opens=element.id, inclusive=inclusive)
                if element.async_before:
                    yield from (Step((flow + JOB,), (flow,)) for flow in element.incoming)
            elif element.start_quantity > 1:
                yield Step((element.id + GATHERING,) * element.start_quantity, (element.id,), opens=element.id)
            yield from self._steps_out(element)

    def _steps_out(self, element: Element) -> Iterator[Step]:
        """Yield what a token in an element can become: one on a flow, on some of them, or on each; or nothing."""
        flows = tuple(self._place(self._definition.flows[flow]) for flow in element.outgoing) * element.completion_quantity
        if element.type in _CHOICES:
            yield from (Step((element.id,), (place,)) for place in flows)
        elif element.type is ElementType.INCLUSIVE_GATEWAY and element.default:
            other = self._place(self._definition.flows[element.default])
            yield Step((element.id,), (other,))
            yield Step((element.id,), tuple(place for place in flows if place != other), some=True)
        else:
            yield Step((element.id,), flows, some=element.type is ElementType.INCLUSIVE_GATEWAY, sweeps=self._sweeps(element))

    def _sweeps(self, element: Element) -> bool:
        if element.type is not ElementType.END_EVENT or element.event is None:
            return False
        caught = element.event.type is EventType.ERROR and catchers.catches_error(self._definition, element, element.event.name)
        return caught or element.event.type in _SWEEPING

    def arrival(self, flow: str) -> str:
        """Where a token on a flow comes to rest."""
        return self._place(self._definition.flows[flow])

    def _place(self, flow: Flow) -> str:
        target = self._definition.elements[flow.target]
        if is_join(target):
            return flow.id + JOB if target.async_before else flow.id
        return target.id + GATHERING if target.start_quantity > 1 else target.id

    def _element(self, place: str) -> str:
        """Element that a place is in or before."""
        return place_of(self._definition, place).id

    def _by_itself(self, place: str) -> bool:
        """Whether no flow leads here: an event subprocess, a handler, an instance of several may begin whatever else goes on."""
        element = self._definition.elements.get(place)
        begins = {ElementType.START_EVENT, ElementType.BOUNDARY_EVENT}
        return element is not None and not element.incoming and element.type not in begins

    # What can be together ------------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _beside(self) -> Mapping[str, set[str]]:
        """Places that may hold tokens together, both ways round; behind an inclusive join also some that never do."""
        return self._closed(lambda _join, _still: True)

    @functools.cached_property
    def _surely_beside(self) -> Mapping[str, set[str]]:
        """The same, if inclusive joins let nobody pass while somebody else may be on the way to them."""
        if not self._on_the_way:
            return self._beside
        return self._closed(lambda join, still: self._element(still) not in self._on_the_way[join])

    def _closed(self, passes: Callable[[str, str], bool]) -> Mapping[str, set[str]]:
        """Work out what is together; `passes` says whether an inclusive join opens while a token is still somewhere.

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
            for step in self._steps.get(moving, ()):
                if passes(step.opens, still) if step.inclusive else all(place == moving or still in beside[place] for place in step.before):
                    fresh += [(place, still) for place in step.after]
        return beside

    @functools.cached_property
    def _on_the_way(self) -> Mapping[str, frozenset[str]]:
        """Elements from which a token can come to an inclusive join, on paper; and the join itself, which it may come to again."""
        specs = spec_of(self._definition).task_specs
        joins = [spec for e in self._elements if is_join(e) and isinstance(spec := specs[e.id], InclusiveGateway)]
        return {join.name: frozenset({join.name}).union(*join.upstream.values()) for join in joins}
