"""Markings: where the tokens of a scope can be at the same time, found by playing it on paper as the executor does.

An inclusive join waits for whatever can still come, and that depends on all the tokens at once: no rule about two places decides it.  So
every marking that can be reached is looked at, up to a limit.  As there, tokens run on as far as they can before an inclusive join opens
or anybody does anything.  Of more than two tokens in one place two are counted.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bpmn.definition import Definition, Element, ElementType
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.reach import nothing_comes
from bpmn.spiff.spec import spec_of

#: Markings that are looked at; a drawing with more of them is too intricate to decide.
MOST = 20_000
#: Tokens by place: one, or two for any more.
Marking = frozenset[tuple[str, int]]


_PASSED = frozenset(
    {
        ElementType.START_EVENT,
        ElementType.BOUNDARY_EVENT,
        ElementType.TASK,
        ElementType.EXCLUSIVE_GATEWAY,
        ElementType.PARALLEL_GATEWAY,
        ElementType.INCLUSIVE_GATEWAY,
        ElementType.END_EVENT,
    }
)


def is_passed(element: Element) -> bool:
    """Whether nobody rests in an element, unless something fails there (for other kinds that is not asked: they count as rests)."""
    return element.type in _PASSED and not (element.async_before or element.async_after) and element.start_quantity == 1


@dataclass(frozen=True)
class Step:
    """One thing that can happen: a token is taken from each place before, and one put into each place after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    #: The inclusive join that opens: it takes a token from every place before that has one.
    join: str = ""
    #: Whether one or more of the places after get a token, not all.
    some: bool = False


class Markings:
    """Markings of a scope that can be reached from its starts."""

    def __init__(self, definition: Definition, steps: Mapping[str, Sequence[Step]], starts: Iterable[str]) -> None:
        self._definition, self._steps = definition, steps
        self._specs = spec_of(definition).task_specs
        #: Where a token comes to its end.
        self._gone = {element.id for element in definition.elements.values() if not element.outgoing and is_passed(element)}
        #: Pairs of places that hold tokens together in one of them.
        self._pairs: set[tuple[str, str]] = set()
        #: Whether all markings were looked at.
        self._complete = self._explore([frozenset({(start, 1)}) for start in starts])

    def together(self, one: str, other: str) -> bool | None:
        """Whether tokens can be in both places at the same time; None: that is too intricate to be told."""
        return True if (one, other) in self._pairs else False if self._complete else None

    def _explore(self, open_ends: list[Marking]) -> bool:
        seen = set(open_ends)
        while open_ends:
            here = open_ends.pop()
            self._note(here)
            tokens = dict(sorted(here))
            # What runs on by itself goes first, one token after the other; but where that leads nowhere new, nobody waits for it for ever.
            fresh = self._after(self._running(tokens), tokens) - seen or self._after(self._possible(tokens), tokens) - seen
            if len(seen) + len(fresh) > MOST:
                return False
            seen |= fresh
            open_ends += sorted(fresh, key=sorted)
        return True

    def _note(self, marking: Marking) -> None:
        self._pairs.update(itertools.permutations((place for place, _ in marking), 2))
        self._pairs.update((place, place) for place, count in marking if count > 1)

    def _after(self, steps: Iterable[Step], tokens: Mapping[str, int]) -> set[Marking]:
        """Return the markings to which steps lead."""
        found: set[Marking] = set()
        for step in steps:
            before = [place for place in step.before if place in tokens]
            for after in _choices(step):
                found.update(self._put(_taken(tokens, before), after))
        return found

    def _possible(self, tokens: Mapping[str, int]) -> Iterable[Step]:
        return {step: None for place in tokens for step in self._steps.get(place, ()) if self._can(step, tokens)}

    def _running(self, tokens: Mapping[str, int]) -> Sequence[Step]:
        """Return what happens next by itself: one token after the other runs on; when none does, inclusive joins open."""
        elements = self._definition.elements
        joining: list[Step] = []
        for place in tokens:
            steps = self._steps.get(place, ())
            if place in elements and steps and is_passed(elements[place]):
                return steps
            if place not in elements and not elements[steps[0].after[0]].async_before:
                if not steps[0].join and self._can(steps[0], tokens):
                    return steps
                joining += steps
        return [step for step in dict.fromkeys(joining) if self._can(step, tokens)]

    def _can(self, step: Step, tokens: Mapping[str, int]) -> bool:
        return self._opens(step, tokens) if step.join else all(place in tokens for place in step.before)

    def _opens(self, step: Step, tokens: Mapping[str, int]) -> bool:
        gateway, flows = self._specs[step.join], self._definition.flows
        waiting: dict[str, set[str]] = defaultdict(set)
        for place in tokens.keys() & flows.keys():
            waiting[flows[place].target].add(place)
        return isinstance(gateway, InclusiveGateway) and nothing_comes(gateway, self._specs, tokens.keys() - flows.keys(), waiting)

    def _put(self, markings: Iterable[dict[str, int]], after: Iterable[str]) -> Iterator[Marking]:
        for tokens in markings:
            for place in after:
                if place not in self._gone:
                    tokens[place] = min(tokens.get(place, 0) + 1, 2)
            yield frozenset(tokens.items())


def _choices(step: Step) -> Iterator[tuple[str, ...]]:
    """Yield what may come after a step, in every way."""
    if not step.some:
        yield step.after
        return
    for number in range(1, len(step.after) + 1):
        yield from itertools.combinations(step.after, number)


def _taken(tokens: Mapping[str, int], before: Iterable[str]) -> Iterator[dict[str, int]]:
    """Yield what may be left when a token is taken from each place; where two were counted, there may be more."""
    left = [{place: count for place, count in tokens.items() if place not in before or count > 1}]
    for place in before:
        if tokens[place] > 1:
            left += [{**each, place: 1} for each in left]
    yield from left
