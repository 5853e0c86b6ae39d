"""Soundness: which places of a scope can hold tokens at the same time, and which joins tokens can never complete.

A scope is seen as a Petri net.  A place is an element in which a token rests or through which it passes, or a flow on which a token waits
at a join.  Conditions are not evaluated: whatever one may allow counts as possible.  Everything may take any time, since it can fail.  What
is reported is certain; where nothing certain can be said, nothing is (docs/decisions/0009).
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from bpmn import catchers, closure
from bpmn.definition import CHOICES, JOINS, Definition, Element, ElementType, EventType, Flow
from bpmn.markings import GATHERING, JOB, Markings, Step, is_passed, key_of, place_of
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.spec import spec_of

#: End events that end every other token of the scope; an error does when something catches it.
_SWEEPING = frozenset({EventType.TERMINATE, EventType.CANCEL})


def is_join(element: Element) -> bool:
    """Whether tokens wait here for one another."""
    return element.type in JOINS and len(element.incoming) > 1


class Net:
    """A scope of a definition; `scope` is its id, None the process.

    Where tokens begin is told by their places; None stands for a case that begins by itself, at one of the starts.
    """

    def __init__(self, definition: Definition, scope: str | None) -> None:
        self._definition = definition
        self._elements = [element for element in definition.elements.values() if element.parent == scope]
        #: What can happen to a token, by its place, and how one comes into a place.
        self.steps: dict[str, list[Step]] = defaultdict(list)
        self._into: dict[str, list[Step]] = defaultdict(list)
        for step in self._all_steps():
            for place in dict.fromkeys(step.before):
                self.steps[place].append(step)
            for place in dict.fromkeys(step.after):
                self._into[place].append(step)
        #: Where tokens wait for one another, by what they open.
        self.opening = {step.opens: step.before for steps in self.steps.values() for step in steps if step.opens}
        self.places = frozenset(self.steps)
        # Cases stand alike by the hundred: each question is answered once.
        self.together, self.in_vain = functools.cache(self._together), functools.cache(self._in_vain)
        self.comes_to, self.before = functools.cache(self._comes_to), functools.cache(self._before)
        self.beside, self.ever = functools.cache(self._beside), functools.cache(self._ever)

    # Questions -----------------------------------------------------------------------------------------------------------------------

    def _together(self, one: str, other: str, begun: Sequence[str] | None = None) -> bool | None:
        """Whether both places can hold a token at the same time (the same twice: whether it can hold two); None: that cannot be told."""
        if self._by_itself(one) or self._by_itself(other):
            return True
        if (one, other) not in self.beside(begun):
            return False
        if (one, other) in self.beside(begun, surely=True):
            return True
        cone = self.cone((one, other))
        play = self._play(cone, begun and _within(cone, begun), (one, other), until=(one, other))
        return play.found or (False if play.complete else None)

    def _ever(self, element: str) -> bool | None:
        """Whether a case that begins by itself ever comes into an element; None: that cannot be told."""
        starts = self._starts()
        if self._begins(element) or element in self.reach(starts, surely=True):
            return True
        if element not in self.reach(starts):
            return False
        play = self._play(self.cone((element,)), None, (element,), until=(element,))
        return play.found or (False if play.complete else None)

    def _in_vain(self, opens: str, begun: Sequence[str] | None = None) -> frozenset[frozenset[str]] | None:
        """Say for which of its places tokens may wait at a join (or before what needs several) for ever; None: that cannot be told."""
        cone = self.before(opens)
        if {step.opens for step in self._cut(cone) if step.opens} == {opens} and self._is_inclusive(opens):
            return frozenset()  # whoever can still come is held up by nobody else, and when nobody can, it opens
        return self._play(cone, begun and _within(cone, begun)).in_vain(opens, self.opening[opens])

    def _comes_to(self, opens: str, places: Sequence[str]) -> bool:
        """Whether a case comes to stand in these places by itself, as far as a join can notice."""
        cone = self.before(opens)
        here = _within(cone, places)
        return self._play(cone, None, here).come_to(here)

    def reach(self, places: Collection[str], *, surely: bool = False) -> set[str]:
        """Return these places, and all to which tokens in them may come; that a token may be used up on the way is not looked at.

        `surely`: only the places to which a token comes alone, without joining any other.
        """
        reached, open_ends = set(places), list(places)
        while open_ends:
            for step in self.steps.get(open_ends.pop(), ()):
                if len(step.before) == 1 or (not surely and (step.inclusive or reached.issuperset(step.before))):
                    open_ends += [place for place in step.after if place not in reached]
                    reached.update(step.after)
        return reached

    # What has a say ------------------------------------------------------------------------------------------------------------------

    def _before(self, opens: str) -> frozenset[str]:
        """Places from which tokens have a say in whether a join opens; whoever ends everything has one, too."""
        return self.cone((*self.opening[opens], *(step.before[0] for steps in self.steps.values() for step in steps if step.sweeps)))

    def cone(self, places: Iterable[str]) -> frozenset[str]:
        """Places from which tokens have a say in what comes to these: from nowhere else does one come, or take one away."""

        def asked(place: str) -> Iterator[str]:
            steps = [*self._into.get(place, ()), *(step for step in self.steps.get(place, ()) if step.opens)]
            return (before for step in steps for before in step.before)

        return frozenset(closure.of(places, asked))

    def shape(self, cone: Collection[str], name: Callable[[str], str]) -> object:
        """What can happen in a cone, under other names: where it is the same in two versions, the same happens."""

        def named(places: Iterable[str]) -> tuple[str, ...]:
            return tuple(sorted(name(key_of(place)) + place.removeprefix(key_of(place)) for place in places))

        steps = {(named(s.before), named(s.after), name(s.opens), s.inclusive, s.least, s.sweeps) for s in self._cut(cone)}
        return steps, named(self._starts() & set(cone)), named(self._resting() & set(cone))

    def _cut(self, cone: Collection[str]) -> list[Step]:
        """What can happen in a cone; who leaves it is out of sight."""
        found: dict[Step, None] = {}
        for step in (step for place in cone for step in self.steps.get(place, ())):
            after = tuple(place for place in step.after if place in cone)
            is_whole = after == step.after
            found[step if is_whole else replace(step, after=after, least=None if step.least is None else 0)] = None
        return list(found)

    def _play(self, cone: frozenset[str], begun: Sequence[str] | None, stays: Iterable[str] = (), until: Sequence[str] = ()) -> Markings:
        """Play on paper within a cone."""
        steps: dict[str, list[Step]] = defaultdict(list)
        for step in self._cut(cone):
            for place in dict.fromkeys(step.before):
                steps[place].append(step)
        beginnings = [_within(cone, (start,)) for start in sorted(self._starts())] if begun is None else [begun]
        staying = frozenset(stays)
        if patient := self.is_intricate(cone):
            staying = self._resting() | {place for place in (*staying, *(begun or ())) if place in self._definition.elements}
        return Markings(self._definition, steps, beginnings, staying, patient=patient, until=until)

    def is_intricate(self, cone: Collection[str]) -> bool:
        """Whether an inclusive join may hold another one back because somebody is stuck: then it matters when each of them opens.

        It must be on the way to the other, and behind a join where somebody can be stuck, or behind the other itself.
        """
        joins = {place_of(self._definition, place).id for place in cone if place in self._definition.flows}
        inclusive = {key: self._upstream(key) for key in joins if self._is_inclusive(key)}
        parallel = joins - inclusive.keys()
        pairs = itertools.permutations(inclusive, 2)
        return any(held in inclusive[key] and not inclusive[held].isdisjoint({key, *parallel}) for key, held in pairs)

    def _upstream(self, join: str) -> frozenset[str]:
        gateway = spec_of(self._definition).task_specs[join]
        return frozenset().union(*gateway.upstream.values()) if isinstance(gateway, InclusiveGateway) else frozenset()

    def _is_inclusive(self, join: str) -> bool:
        return self._definition.elements[join].type is ElementType.INCLUSIVE_GATEWAY

    def _starts(self) -> frozenset[str]:
        return frozenset(element.id for element in self._elements if element.type is ElementType.START_EVENT)

    def _resting(self) -> frozenset[str]:
        """Places where somebody rests."""
        resting = {element.id for element in self._elements if not is_passed(self._definition, element)}
        return frozenset(resting | {place for place in self.steps if place.endswith(JOB)})

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
        if element.type in CHOICES:
            yield from (Step((element.id,), (place,)) for place in flows)
        elif element.type is ElementType.INCLUSIVE_GATEWAY and element.default:
            other = self._place(self._definition.flows[element.default])
            yield Step((element.id,), (other,))
            yield Step((element.id,), tuple(place for place in flows if place != other), least=1)
        else:
            yield Step(
                (element.id,), flows, least=1 if element.type is ElementType.INCLUSIVE_GATEWAY else None, sweeps=self._sweeps(element)
            )

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

    def _by_itself(self, place: str) -> bool:
        """Whether no flow leads here: an event subprocess, a handler, an instance of several may begin whatever else goes on."""
        element = self._definition.elements.get(place)
        begins = {ElementType.START_EVENT, ElementType.BOUNDARY_EVENT}
        return element is not None and not element.incoming and element.type not in begins

    def _begins(self, key: str) -> bool:
        """Whether something other than a flow brings a token here: an event, a compensation, a body that repeats it."""
        element = self._definition.elements[key]
        around = self._definition.elements.get(element.parent or "")
        repeated = around is not None and around.type is ElementType.MULTI_INSTANCE_BODY
        return repeated or element.for_compensation or element.type is ElementType.EVENT_SUBPROCESS

    # Two places ----------------------------------------------------------------------------------------------------------------------

    def _beside(self, begun: Sequence[str] | None = None, *, surely: bool = False) -> frozenset[tuple[str, str]]:
        """Pairs of places that may hold tokens together; surely they do if nobody has to wait for anybody on the way.

        Whatever a step puts down is together; what is together with all that a step takes is together with what it puts down.  This is
        Kovalyov's rule: exact for sound free-choice nets, and never too narrow.
        """
        beginnings = [(start,) for start in self._starts()] if begun is None else [begun]
        reached = self.reach({place for places in beginnings for place in places}, surely=surely)
        steps = {step for place in reached for step in self.steps.get(place, ()) if not surely or len(step.before) == 1}
        fresh = [pair for places in (*beginnings, *(step.after for step in steps)) for pair in itertools.permutations(places, 2)]
        found: set[tuple[str, str]] = set()
        while fresh:
            moving, still = pair = fresh.pop()
            if pair in found:
                continue
            found.add(pair)
            fresh.append((still, moving))
            for step in steps.intersection(self.steps.get(moving, ())):
                if step.inclusive or all(place == moving or (place, still) in found for place in step.before):
                    fresh += [(place, still) for place in step.after]
        return frozenset(found)


def _within(cone: Collection[str], places: Iterable[str]) -> tuple[str, ...]:
    """Which of some tokens are in a cone."""
    return tuple(sorted(place for place in places if place in cone))
