"""Markings: which places hold tokens at the same time, found by playing on paper as the executor does.

An inclusive join waits for whatever can still come, and that depends on all the tokens at once; and whether a join ever opens depends on
which ways are taken before it.  No rule about two places decides either.  So every marking that can be reached is looked at, up to a limit.
As there, tokens run on as far as they can before an inclusive join opens or anybody does anything.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bpmn.definition import Definition, Element, ElementType
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.reach import nothing_comes
from bpmn.spiff.spec import spec_of

#: Markings that are looked at; a drawing with more of them is too intricate to decide.
MOST = 10_000
#: What a place is called where tokens wait for a job before a join, by their flow; and where they wait to be as many as an activity needs.
#: No XML id can hold a `#`.
JOB, GATHERING = "#job", "#gathering"
#: Tokens by place; of many in one place only some are counted.
Marking = frozenset[tuple[str, int]]
#: Who may wait for ever, and for which flows.
Fault = tuple[str, frozenset[str]]


@dataclass(frozen=True)
class Step:
    """One thing that can happen: a token is taken from each place before (which may be named twice), and one put into each place after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    #: The join, or the activity that needs several tokens, where those before wait.
    opens: str = ""
    #: Whether it takes a token from every place before that has one, as soon as no other can come.
    inclusive: bool = False
    #: Whether one or more of the places after get a token, not all.
    some: bool = False
    #: Whether it ends every other token of the scope.
    sweeps: bool = False


def is_passed(definition: Definition, element: Element) -> bool:
    """Whether nobody rests in an element, unless something fails there."""
    passed = element.type in {ElementType.START_EVENT, ElementType.BOUNDARY_EVENT} or not spec_of(definition).task_specs[element.id].rests
    return passed and not (element.async_before or element.async_after)


def place_of(definition: Definition, place: str) -> Element:
    """Element that a place is in or before: of a flow, the join at its end."""
    key = place.removesuffix(JOB).removesuffix(GATHERING)
    return definition.elements[definition.flows[key].target if key in definition.flows else key]


class Markings:
    """Markings of a scope that can be reached from its starts, while tokens also stay in elements where one has failed."""

    def __init__(self, definition: Definition, steps: Mapping[str, Sequence[Step]], starts: Iterable[str], failed: Collection[str]) -> None:
        self._definition, self._steps = definition, steps
        self._specs = spec_of(definition).task_specs
        elements = [definition.elements[key] for key in {place_of(definition, place).id for place in steps}]
        self._resting = {e.id for e in elements if e.id in failed or not is_passed(definition, e)}
        #: Where a token comes to its end at once.
        self._gone = {key for key, (step, *_) in steps.items() if not step.after and not step.sweeps and key not in self._resting}
        #: Tokens in one place that are counted; at the last number there may be more.
        self._most = max((2, *(step.before.count(step.before[0]) + 1 for each in steps.values() for step in each if not step.inclusive)))
        #: What comes after each marking that was looked at, and what opens there (None: everything ends there).
        self._next: dict[Marking, frozenset[Marking]] = {}
        self._opened: dict[Marking, set[str | None]] = {}
        self._found: dict[Marking, frozenset[Fault] | None] = {}
        begun = [frozenset({(start, 1)}) for start in starts]
        #: Whether all markings were looked at.
        self.complete = self._explore(begun)
        self.reached = frozenset(self._next)
        self.pairs = pairs(self.reached)
        #: What may happen to anybody.
        self.faults = self._faults(self.reached) if self.complete else frozenset()

    def marking(self, places: Iterable[str]) -> Marking:
        """Return the marking with a token in each of these places."""
        tokens: dict[str, int] = defaultdict(int)
        for place in places:
            tokens[place] = min(tokens[place] + 1, self._most)
        return frozenset(tokens.items())

    def after(self, marking: Marking) -> frozenset[Marking] | None:
        """Return what can be reached from a marking, and itself; None: there is too much of it."""
        if not self._explore([marking]):
            return None
        return frozenset(_closed([marking], self._next))

    def faults_after(self, marking: Marking) -> frozenset[Fault] | None:
        """Say who may wait for ever after a marking; None: that is too intricate to be told."""
        if marking not in self._found:
            after = self.after(marking)
            self._found[marking] = None if after is None else self._faults(after)
        return self._found[marking]

    # Playing -------------------------------------------------------------------------------------------------------------------------

    def _explore(self, open_ends: Collection[Marking]) -> bool:
        seen, open_ends = set(self._next), [each for each in open_ends if each not in self._next]
        most = len(seen) + MOST
        while open_ends:
            here = open_ends.pop()
            tokens = dict(sorted(here))
            steps = self._running(tokens)
            after = self._after(steps, tokens)
            # What runs on by itself goes first, one token after the other; but where that leads nowhere new, nobody waits for it for ever.
            if not after - seen:
                steps = [*steps, *self._possible(tokens)]
                after = self._after(steps, tokens)
            fresh = after - seen
            if len(seen) + len(fresh) > most or len(after) > 2 * MOST:
                return False
            self._next[here] = frozenset(after)
            self._opened[here] = {None if step.sweeps else step.opens for step in steps}
            open_ends += sorted(fresh, key=sorted)
            seen |= fresh
        return True

    def _after(self, steps: Iterable[Step], tokens: Mapping[str, int]) -> set[Marking]:
        """Return the markings to which steps lead; when there are too many, not all of them."""
        found: set[Marking] = set()
        for step in steps:
            if step.sweeps:
                found.add(frozenset())
                continue
            before = [place for place in step.before if place in tokens]
            for after in _choices(step):
                found.update(self._put(self._taken(tokens, before), after))
                if len(found) > 2 * MOST:  # more than may be looked at, whatever was seen of them before
                    return found
        return found

    def _possible(self, tokens: Mapping[str, int]) -> Iterable[Step]:
        return {step: None for place in tokens for step in self._steps.get(place, ()) if self._can(step, tokens)}

    def _running(self, tokens: Mapping[str, int]) -> Sequence[Step]:
        """Return what happens next by itself: one token after the other runs on; when none does, inclusive joins open."""
        opening: list[Step] = []
        for place in tokens:
            if place in self._resting or place.endswith(JOB):
                continue
            steps = [step for step in self._steps.get(place, ()) if self._can(step, tokens)]
            if any(not step.inclusive for step in steps):
                return steps
            opening += steps
        return list(dict.fromkeys(opening))

    def _can(self, step: Step, tokens: Mapping[str, int]) -> bool:
        return self._opens(step, tokens) if step.inclusive else all(tokens.get(p, 0) >= step.before.count(p) for p in step.before)

    def _opens(self, step: Step, tokens: Mapping[str, int]) -> bool:
        gateway, moving = self._specs[step.opens], set()
        waiting: dict[str, set[str]] = defaultdict(set)
        for place in tokens:
            if place in self._definition.flows or place.endswith(GATHERING):
                waiting[place_of(self._definition, place).id].add(place)
            elif not place.endswith(JOB):
                moving.add(place)
        coming = {place.removesuffix(JOB) for place in tokens if place.endswith(JOB)}
        return isinstance(gateway, InclusiveGateway) and nothing_comes(gateway, self._specs, moving, waiting, coming)

    def _taken(self, tokens: Mapping[str, int], before: Sequence[str]) -> list[dict[str, int]]:
        """Return what may be left when tokens are taken; where not all were counted, there may be more."""
        left = [{place: count for place, count in tokens.items() if place not in before}]
        for place in dict.fromkeys(before):
            least = tokens[place] - before.count(place)
            most = least if tokens[place] < self._most else tokens[place]
            left = [each | ({place: count} if count else {}) for each in left for count in range(least, most + 1)]
        return left

    def _put(self, markings: Iterable[dict[str, int]], after: Iterable[str]) -> Iterator[Marking]:
        for tokens in markings:
            for place in after:
                if place not in self._gone:
                    tokens[place] = min(tokens.get(place, 0) + 1, self._most)
            yield frozenset(tokens.items())

    # Waiting for ever ----------------------------------------------------------------------------------------------------------------

    def _faults(self, markings: Collection[Marking]) -> frozenset[Fault]:
        """Say who may wait for ever in markings, which hold all that comes after them."""
        back: dict[Marking, set[Marking]] = defaultdict(set)
        for marking in markings:
            for after in self._next[marking]:
                back[after].add(marking)
        opening = {step.opens: step.before for steps in self._steps.values() for step in steps if step.opens}
        return frozenset(fault for key, places in opening.items() for fault in self._waits(key, places, markings, back))

    def _waits(
        self, key: str, places: Collection[str], markings: Collection[Marking], back: Mapping[Marking, set[Marking]]
    ) -> Iterator[Fault]:
        """Say for which of its places something may wait in vain: it never opens any more, and nobody else comes."""
        here = {marking: frozenset(token for token in marking if token[0] in places) for marking in markings}
        opens = _closed([marking for marking in markings if self._opened[marking] & {key, None}], back)
        never = {marking for marking, waiting in here.items() if waiting and marking not in opens}
        changing = _closed([m for m in never if any(here[after] != here[m] for after in self._next[m])], back)
        for marking in never - changing:
            yield key, frozenset(places) - {place for place, _ in here[marking]}


def pairs(markings: Iterable[Marking]) -> set[tuple[str, str]]:
    """Return the pairs of places that hold tokens together in one of them, both ways round."""
    found: set[tuple[str, str]] = set()
    for marking in markings:
        found.update(itertools.permutations((place for place, _ in marking), 2))
        found.update((place, place) for place, count in marking if count > 1)
    return found


def _closed(open_ends: Iterable[Marking], along: Mapping[Marking, Iterable[Marking]]) -> set[Marking]:
    """Return all to which some lead, and themselves."""
    found = set(open_ends)
    left = list(found)
    while left:
        fresh = set(along.get(left.pop(), ())) - found
        found |= fresh
        left += fresh
    return found


def _choices(step: Step) -> Iterator[tuple[str, ...]]:
    """Yield what may come after a step, in every way."""
    if not step.some:
        yield step.after
        return
    for number in range(1, len(step.after) + 1):
        yield from itertools.combinations(step.after, number)
