"""Trails (足迹): which paths the tokens of a process have taken, told from its history."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bpmn.definition import CHOICES, Definition, Element, ElementType
from bpmn.simulation import paths
from bpmn.simulation.paths import Path, Paths, Place, Step
from bpmn.simulation.solving import Want
from bpmn.waits import Activity

#: Paths that one token is followed on at once: after a join it has come by several.
MOST = 64


@dataclass(frozen=True)
class Trail:
    """How a token came where it is."""

    place: Place
    #: Whether it has gone through no loop on its way.
    is_direct: bool = True

    def after(self, step: Step) -> Trail:
        """Say how it came where a step leads."""
        return Trail(step.to, self.is_direct and not (step.path and step.path.is_loop))


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A token at an element, or one that was there."""

    element: str
    scope: int | None
    trails: frozenset[Trail]
    #: How it ended; and by which ways tokens were seen that have left.
    outcome: str | None = None
    gone: frozenset[str] = frozenset()


Key = tuple[Hashable, int]
#: How tokens came, and the ways by which they can go on; None: they begin.
Behind = tuple[frozenset[Trail], frozenset[str] | None]


@dataclass(kw_only=True)
class Trails:
    """The tokens of all instances of a process, and the paths that they have taken."""

    process: Definition
    paths: Paths
    #: Paths that no token can take, each with the conditions that contradict each other.
    impossible: Mapping[Path, Sequence[Want]] = field(default_factory=dict)
    #: Paths that a token has taken without a loop on its way; and with one.
    direct: set[Path] = field(default_factory=set)
    looped: set[Path] = field(default_factory=set)
    #: Tokens by instance and number: where they are, and those that have left and are yet to be seen again.
    arrivals: dict[Key, Arrival] = field(default_factory=dict)
    #: Of those that ended at a join in others, in which.
    _merged: dict[Key, Key] = field(default_factory=dict)

    @property
    def taken(self) -> set[Path]:
        """Paths that a token has taken."""
        return self.direct | self.looped

    def is_taken(self, path: Path) -> bool:
        """Tell whether a token has taken a path; a walk asks so often that the two sets are not put together for it."""
        return path in self.direct or path in self.looped

    def see(self, instance: Hashable, activity: Activity, *, is_new: bool) -> None:
        """Note what has begun or ended in an instance, in the order of its history."""
        key = (instance, activity.id)
        if is_new:
            trails = frozenset(self._came(instance, activity))
            self.arrivals[key] = Arrival(element=activity.element, scope=activity.scope, trails=trails)
        if activity.outcome is not None and key in self.arrivals:
            self.arrivals[key] = replace(self.arrivals[key], outcome=activity.outcome)
            self._forget(key)
        self._merged |= {(instance, other): key for other in activity.joined}
        for other in (key, *((instance, number) for number in activity.joined)):
            self._merge(other)

    def _merge(self, other: Key) -> None:
        """Let the token that goes on from a join have come as the one that ended in it, too."""
        first = self._merged.get(other)
        if first in self.arrivals and other in self.arrivals:
            ended = self.arrivals.pop(other)
            self.arrivals[first] = replace(self.arrivals[first], trails=self.arrivals[first].trails | ended.trails)

    def at(self, instance: Hashable, element: str) -> frozenset[Trail]:
        """Say how the tokens came that are at an element, or where one would begin there."""
        begin = self.paths.begins.get(element)
        if begin is not None:
            return frozenset({Trail(begin)})
        here = [each for (of, _), each in self.arrivals.items() if of == instance and each.element == element and each.outcome is None]
        return frozenset(trail for each in here for trail in each.trails)

    def behind(self, instance: Hashable, element: str, *, raised: bool = False) -> list[Behind]:
        """Say how the tokens came that go on when something happens at an element, or (`raised`) is raised there, each with its ways.

        The innermost is first: when it comes to its end, so may those around it.
        """
        here = self.process.elements[element]
        found: list[Behind] = []
        if here.id in self.paths.begins:
            found.append((self.at(instance, here.id), None))
        elif here.attached_to is not None:
            found.append((self.at(instance, here.attached_to), frozenset({here.id})))
        elif not raised:
            found += self._gateways(instance, here)
        around: Element | None = here
        while around is not None:
            if raised:
                found += self._catching(instance, around)
            elif around is not here or not found:
                found.append((self.at(instance, around.id), frozenset(around.outgoing)))
            around = self.process.elements.get(around.parent or "")
        return [(trails, by) for trails, by in found if trails]

    def _catching(self, instance: Hashable, element: Element) -> Iterator[Behind]:
        """Yield the tokens that go on at an element, and those that begin there, when something that is raised is caught."""
        events = [*self.process.boundaries(element.id), *self.process.event_starts(element.parent)]
        yield self.at(instance, element.id), frozenset(event.id for event in events)
        yield from ((self.at(instance, event.id), None) for event in events if event.id in self.paths.begins)

    def _gateways(self, instance: Hashable, element: Element) -> Iterator[Behind]:
        """Yield the event-based gateways that wait for an element."""
        for key in element.incoming:
            source = self.process.elements[self.process.flows[key].source]
            if source.type is ElementType.EVENT_BASED_GATEWAY:
                yield self.at(instance, source.id), frozenset({key})

    def living(self) -> Iterator[Arrival]:
        """Yield the tokens that are somewhere."""
        return (each for each in self.arrivals.values() if each.outcome is None)

    def _came(self, instance: Hashable, activity: Activity) -> Iterator[Trail]:
        element = self.process.elements[activity.element]
        begin = self.paths.begins.get(element.id)
        if begin is not None:
            yield Trail(begin)
            return
        found = [trail for source, key in self._origins(element, activity) for trail in self._follow(instance, activity, source, key)]
        yield from sorted(found, key=lambda trail: (trail.place.number, trail.is_direct))[:MOST]

    def _origins(self, element: Element, activity: Activity) -> Iterator[tuple[str, str]]:
        """Yield where the token has come from: elements, with the ways out of them."""
        flows = self.process.flows
        if activity.flow is None:
            if element.attached_to is not None:
                yield element.attached_to, element.id
            yield from ((flows[key].source, key) for key in element.incoming)
            return
        yield flows[activity.flow].source, activity.flow

    def _follow(self, instance: Hashable, activity: Activity, source: str, way: str) -> Iterator[Trail]:
        """Let a token go on that has left an element by a way and was not seen again."""
        origin = self._origin(instance, activity, source, way)
        if origin is None:
            return
        before = self.arrivals[origin]
        self.arrivals[origin] = replace(before, gone=before.gone | {way})
        self._forget(origin)
        for trail in before.trails:
            step = trail.place.steps.get(way)
            if step is not None:
                yield self._take(trail, step)

    def _origin(self, instance: Hashable, activity: Activity, source: str, way: str) -> Key | None:
        """Find it: the last that was there, since a token goes on as soon as it has left."""
        here = (source, activity.scope)
        found = [
            key
            for key, each in self.arrivals.items()
            if key[0] == instance and (each.element, each.scope) == here and each.outcome is not None and way not in each.gone
        ]
        return max(found, key=lambda key: key[1], default=None)

    def _take(self, trail: Trail, step: Step) -> Trail:
        step.is_taken = True
        if step.path is not None:
            is_direct = step.path.is_loop or trail.is_direct or self.paths.criterion is paths.Criterion.PAIRS
            (self.direct if is_direct else self.looped).add(step.path)
        return trail.after(step)

    def _forget(self, key: Key) -> None:
        """Forget a token that has been seen again wherever it went."""
        left = self.arrivals[key]
        element = self.process.elements[left.element]
        everywhere = left.gone >= set(element.outgoing) or (left.gone and (element.type in CHOICES or left.outcome == "canceled"))
        if left.outcome is not None and everywhere:
            del self.arrivals[key]
