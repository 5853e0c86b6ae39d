"""Markings: which places hold tokens at the same time, found by playing on paper as the executor does.

An inclusive join waits for whatever can still come, and that depends on all the tokens at once; and whether a join ever opens depends on
which ways are taken before it.  No rule about two places decides either.  So markings are looked at, one after the other, but not in
every order: where the order of two steps makes no difference, one stands for both (docs/decisions/0009).
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bpmn import closure
from bpmn.definition import Definition, Element, ElementType
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.reach import nothing_comes
from bpmn.spiff.spec import spec_of

#: Steps that are tried; where more would have to be, it is too intricate to decide.
MOST = 20_000
#: Tokens in one place, beyond what a step takes; where there may be more, there may be any number.
CROWD = 3
#: What a place is called where tokens wait for a job before a join, by their flow; and where they wait to be as many as an activity needs.
#: No XML id can hold a `#`.
JOB, GATHERING = "#job", "#gathering"
#: Number of tokens by place.
Marking = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Step:
    """One thing that can happen: a token is taken from each place before (which may be named twice), and one put into each place after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    #: The join, or the activity that needs several tokens, where those before wait.
    opens: str = ""
    #: Whether it takes a token from every place before that has one, as soon as no other can come.
    inclusive: bool = False
    #: How many of the places after get a token at least; None: all do.
    least: int | None = None
    #: Whether it ends every other token of the scope.
    sweeps: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a token only goes on, or comes to its end."""
        return len(self.after) <= 1 and self.least is None and not (self.opens or self.sweeps)


def is_passed(definition: Definition, element: Element) -> bool:
    """Whether nobody rests in an element, unless something fails there."""
    passed = element.type in {ElementType.START_EVENT, ElementType.BOUNDARY_EVENT} or not spec_of(definition).task_specs[element.id].rests
    return passed and not (element.async_before or element.async_after)


def key_of(place: str) -> str:
    """Id of the element or flow that a place is called after."""
    return place.removesuffix(JOB).removesuffix(GATHERING)


def place_of(definition: Definition, place: str) -> Element:
    """Element that a place is in or before: of a flow, the join at its end."""
    key = key_of(place)
    return definition.elements[definition.flows[key].target if key in definition.flows else key]


class Markings:
    """Markings that can be reached from some others.

    Tokens run on one after the other, and wait only in the places where they may stay; so the rest of the orders is not looked at.
    When it is `patient`, an inclusive join opens when nobody runs on any more, as with the executor; else whenever it can.
    """

    def __init__(
        self,
        definition: Definition,
        steps: Mapping[str, Sequence[Step]],
        begun: Collection[Sequence[str]],
        stays: frozenset[str],
        *,
        patient: bool = False,
        until: Collection[str] = (),
    ) -> None:
        self._definition, self._steps, self._stays, self._patient = definition, steps, stays, patient
        self._specs = spec_of(definition).task_specs
        self._ends = functools.cache(self._ends_of)
        self._depth = self._depths({place for places in begun for place in places})
        self._most = CROWD + max((step.before.count(step.before[0]) for each in steps.values() for step in each), default=1)
        #: Whether all markings were looked at; whether one of them has tokens where they are looked for, which ends it.
        self.complete, self.found = True, False
        self._until, self._left = frozenset(Counter(until).items()), MOST
        #: What comes after each marking that was looked at, and what opens there (None: everything ends there).
        self._next: dict[Marking, set[Marking]] = {}
        self._opened: dict[Marking, set[str | None]] = {}
        #: Where everything that can happen was looked at.
        self._whole: set[Marking] = set()
        self._explore([self.marking(places) for places in begun])

    def marking(self, places: Iterable[str]) -> Marking:
        """Return the marking with a token in each of these places."""
        return frozenset(Counter(end for place in places for end in self._ends(place)).items())

    def come_to(self, places: Iterable[str]) -> bool:
        """Whether a marking is among them, if tokens may stay in each of its places."""
        return self.marking(places) in self._next

    def in_vain(self, opens: str, places: Collection[str]) -> frozenset[frozenset[str]] | None:
        """Say for which places something may wait in vain: it never opens any more, and nobody else comes; None: that is not known."""
        if not self.complete:
            return None
        back = self._back()
        here = {marking: frozenset(token for token in marking if token[0] in places) for marking in self._next}
        opening = _closed([marking for marking in self._next if self._opened[marking] & {opens, None}], back)
        never = {marking for marking, waiting in here.items() if waiting and marking not in opening}
        changing = _closed([m for m in never if any(here[after] != here[m] for after in self._next[m])], back)
        return frozenset(frozenset(places) - {place for place, _ in here[marking]} for marking in never - changing)

    # Playing -------------------------------------------------------------------------------------------------------------------------

    def _depths(self, begun: Iterable[str]) -> Mapping[str, int]:
        """How far places are from where it begins: who is ahead runs first, so that a branch is over before the next is looked at."""
        depth, open_ends = dict.fromkeys(begun, 0), deque(begun)
        while open_ends:
            here = open_ends.popleft()
            for place in (place for step in self._steps.get(here, ()) for place in step.after if place not in depth):
                depth[place] = depth[here] + 1
                open_ends.append(place)
        return depth

    def _explore(self, open_ends: list[Marking]) -> None:
        while open_ends and not self.found and self._left >= 0:
            here = open_ends.pop()
            if here not in self._next:
                self._look(here)
                open_ends += sorted(self._next[here], key=sorted)
            if not open_ends:
                open_ends = self._look_around()
        self.complete = self.complete and not open_ends

    def _look_around(self) -> list[Marking]:
        """Look at the whole of some markings, so that one of them is ahead of all others: who runs in circles keeps nobody waiting."""
        back, fresh = self._back(), list[Marking]()
        ahead = _closed(self._whole, back)
        for here in reversed(list(self._next)):
            if here not in ahead:
                self._look(here, whole=True)
                ahead |= _closed([here], back)
                fresh += self._next[here]
        return fresh

    def _back(self) -> Mapping[Marking, set[Marking]]:
        """Return what leads to each marking."""
        back: dict[Marking, set[Marking]] = defaultdict(set)
        for marking, following in self._next.items():
            for after in following:
                back[after].add(marking)
        return back

    def _look(self, here: Marking, *, whole: bool = False) -> None:
        """Play on from a marking; on the `whole`, or with one of those who run on by themselves only."""
        tokens = dict(here)
        steps = () if whole else self._running(tokens)
        if not steps:
            self._whole.add(here)
            steps = self._possible(tokens)
        self._next[here] = self._after(steps, tokens)
        self._opened[here] = {None if step.sweeps else step.opens for step in steps}
        self.found = bool(self._until) and all(tokens.get(place, 0) >= number for place, number in self._until)

    def _running(self, tokens: Mapping[str, int]) -> Sequence[Step]:
        """Return what can happen to one token that does not stay, or which joins open; whatever else happens, it still can."""
        opening: list[Step] = []
        for place in sorted(tokens, key=lambda each: (-self._depth.get(each, 0), each)):
            steps = () if place in self._stays else self._steps.get(place, ())
            steps = [step for step in steps if self._can(step, tokens) and self._stays.isdisjoint(step.before)]
            if any(not (step.inclusive and self._patient) for step in steps):
                return steps
            opening += steps
        return list(dict.fromkeys(opening))

    def _possible(self, tokens: Mapping[str, int]) -> Sequence[Step]:
        return list({step: None for place in tokens for step in self._steps.get(place, ()) if self._can(step, tokens)})

    def _can(self, step: Step, tokens: Mapping[str, int]) -> bool:
        self._left -= 1
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

    def _after(self, steps: Iterable[Step], tokens: Mapping[str, int]) -> set[Marking]:
        """Return the markings to which steps lead; when there are too many, or a crowd in one place, not all of them."""
        found: set[Marking] = set()
        for step in steps:
            if step.sweeps:
                found.add(frozenset())
                continue
            before = [place for place in step.before if place in tokens]
            for after in self._choices(step):
                changed = Counter(tokens)
                changed.subtract(before)
                changed.update(after)
                self._left -= 1
                if self._left < 0 or max(changed.values()) > self._most:
                    self.complete = False
                    break
                found.add(frozenset((+changed).items()))
        return found

    def _choices(self, step: Step) -> Iterator[list[str]]:
        """Yield what may come after a step, in every way."""
        ends = Counter(map(self._ends, step.after))
        if step.least is None:
            yield [place for end, number in ends.items() for place in end * number]
            return
        for numbers in itertools.product(*(range(number + 1) for number in ends.values())):
            if sum(numbers) >= step.least:
                yield [place for end, number in zip(ends, numbers, strict=True) for place in end * number]

    def _ends_of(self, place: str) -> tuple[str, ...]:
        """Where a token comes at once that is put into a place: there is only one way on from some, and none from others."""
        passed: list[str] = []
        while place not in passed and place not in self._stays:
            steps = self._steps.get(place, ())
            if len(steps) != 1 or not (step := steps[0]).is_plain:
                break
            if not step.after:
                return ()
            passed.append(place)
            (place,) = step.after
        return (place,)


def _closed(open_ends: Iterable[Marking], along: Mapping[Marking, Iterable[Marking]]) -> set[Marking]:
    """Return all to which some lead, and themselves."""
    return closure.of(open_ends, lambda marking: along.get(marking, ()))
