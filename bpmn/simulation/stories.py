"""Stories (经过): all that must have been so for a token to have come along a path.

A token reads what it has written itself, what was written before it came to be, and what others write beside it.  So each path has
conditions that must hold of values which somebody has written; where nothing that can be written makes all of them true, no token
ever takes the path.  Whatever is not known makes more possible, never less.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bpmn.definition import Definition, Element, ElementType
from bpmn.simulation import paths, solving, telling
from bpmn.simulation.neighbours import Neighbours
from bpmn.simulation.paths import Path, Place
from bpmn.simulation.solving import Version, Want
from bpmn.simulation.writes import Values, Writes, distinct
from bpmn.waits import NO_VARIABLES

#: Stories of one place that are told apart; where there are more, nothing is known of what was before.
MOST = 64
_BEGUN = frozenset({ElementType.START_EVENT, ElementType.BOUNDARY_EVENT})
Sample = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was, until a token stands where it does."""

    #: The newest version of each variable.
    newest: Mapping[str, Version] = field(default_factory=dict)
    wants: tuple[Want, ...] = ()
    #: Elements at which there may be other tokens meanwhile.
    beside: frozenset[str] = frozenset()


class Stories:
    """The stories of a process."""

    def __init__(self, writes: Writes) -> None:
        self.writes, self.process = writes, writes.process
        self.paths = paths.of(self.process)
        self._numbers = itertools.count(1)
        self._known: dict[Place, list[Story]] = {}

    def impossible(self) -> dict[Path, list[Want]]:
        """Find the paths that no token can take, each with the conditions that contradict each other."""
        found = {}
        for path in self.paths:
            told = [story for place in self.paths.last[path] for story in self.until(place, path.keys[-1])]
            if told and not any(solving.is_possible(_decided(story.wants)) for story in told):
                found[path] = solving.contradiction(_decided(told[0].wants))
        return found

    def samples(
        self, element: str, choices: Mapping[str, Values], variables: Mapping[str, Any] = NO_VARIABLES
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """Yield for each story that depends on what an element writes the values with which it goes on."""
        seen: set[tuple[Any, ...]] = set()
        for path in self.paths:
            for story in (story for place in self.paths.last[path] for story in self.until(place, path.keys[-1])):
                wants = _since(element, story.wants, choices, variables)
                key = tuple((want.condition.source, want.truth, *sorted(v.number for v in want.reads.values())) for want in wants)
                if wants and key not in seen:
                    seen.add(key)
                    yield _chosen(element, wants)

    # Along a path --------------------------------------------------------------------------------------------------------------------

    def until(self, place: Place, key: str) -> list[Story]:
        """Tell what must have been so for a token to leave a place in some way."""
        return [self._left(story, place.element, key) for story in self.at(place)]

    def at(self, place: Place) -> list[Story]:
        """Tell what may have been so when a token is at a place."""
        for each in place.since():
            if each not in self._known:
                self._known[each] = self._come(each)
        return self._known[place]

    def _come(self, place: Place) -> list[Story]:
        if place.before is not None:
            before = [self._left(story, place.before.element, place.key) for story in self._known[place.before]]
        elif place.key in self.process.flows:
            before = [self._left(self._anything(), self.process.flows[place.key].source, place.key)]
        else:
            before = self._begun(self.process.elements[place.element])
        return [self._arrived(story, place) for story in before]

    def _begun(self, begin: Element) -> list[Story]:
        """Tell what may have been so when a token comes to be."""
        if begin.parent is None and begin.attached_to is None:
            given = {
                name: self._version(name, [value], said=f"it begins with {name} = {value}") for name, value in self.writes.given.items()
            }
            return [Story(newest={**self._versions(self.writes.told, begin.id), **given}, beside=self.neighbours.always)]
        where = self.paths.around(self.process, begin.id)
        # Where it may have come of one like itself, nothing is known of that one.
        known = [] if begin.id in self._origins(where) else where
        stood = [story for place in known for story in self.at(place)]
        if not stood or len(stood) > MOST:
            stood = [self._anything()]
        beside = self.neighbours.beside(begin)
        inside = {} if begin.type is ElementType.START_EVENT and where else self.writes.within(begin.attached_to or "")
        return [self._written(replace(story, beside=story.beside | beside), begin, inside) for story in stood]

    def _origins(self, where: Iterable[Place]) -> set[str]:
        """Find the elements at which tokens came to be before they, or others within or beside them, came to some places."""
        found: set[str] = set()
        frontier = list(where)
        while frontier:
            begin = frontier.pop().since()[0]
            if begin.key == begin.element and begin.element not in found:
                found.add(begin.element)
                frontier += self.paths.around(self.process, begin.element)
        return found

    def _anything(self) -> Story:
        return Story(newest=self._versions(self.writes.told), beside=frozenset(self.process.elements))

    def _arrived(self, story: Story, place: Place) -> Story:
        """Let a token have gone round, and others begin beside it."""
        circle = self.neighbours.circle(place)
        beside = story.beside | self.neighbours.joined(place.element, circle)
        for key in circle:
            story = self._perhaps(self._perhaps(story, self.writes.by(key)), self.writes.within(key))
        return replace(story, beside=beside)

    def _left(self, story: Story, element: str, key: str) -> Story:
        """Let a token do what there is to be done at an element, and leave it in some way."""
        flow, source = self.process.flows.get(key), self.process.elements[element]
        inside = self.writes.within(element)
        if flow is None:
            return self._written(story, self.process.elements[key], inside)
        if source.type not in _BEGUN:  # what these bring came when the token did
            story = self._written(story, source, inside)
        wants = tuple(
            Want(condition=condition, truth=truth, element=element, reads=self._read(story, condition.names))
            for condition, truth in _asked(self.process, key)
        )
        return replace(story, wants=(*story.wants, *wants), beside=story.beside | self.neighbours.parted(key))

    def _written(self, story: Story, element: Element, inside: Mapping[str, Values]) -> Story:
        story = self._perhaps(story, inside)
        return replace(story, newest={**story.newest, **self._versions(self.writes.by(element.id), element.id)})

    def _perhaps(self, story: Story, values: Mapping[str, Values]) -> Story:
        """Let something have been written, or not."""
        newest = {name: self._version(name, distinct([*self._values(story, name), *some])) for name, some in values.items()}
        return replace(story, newest={**story.newest, **newest}) if newest else story

    # What is read --------------------------------------------------------------------------------------------------------------------

    def _versions(self, values: Mapping[str, Values], by: str | None = None) -> dict[str, Version]:
        element = self.process.elements.get(by or "")
        one = {name: f"{element.label} brings {name} = {some[0]}" for name, some in values.items() if element and len(some) == 1}
        return {name: self._version(name, some, by=by, said=one.get(name, "")) for name, some in values.items()}

    def _version(self, name: str, values: Values, *, by: str | None = None, said: str = "") -> Version:
        return Version(name=name, values=values, by=by, number=next(self._numbers), said=said)

    def _values(self, story: Story, name: str) -> Values:
        known = story.newest.get(name)
        return known.values if known is not None else [None]

    def _read(self, story: Story, names: Iterable[str]) -> dict[str, Version]:
        """Read variables; what others may write meanwhile is read anew each time."""
        found = {}
        for name in sorted(names):
            newest, others = story.newest.get(name), [*self.writes.restless.get(name, ())]
            for key in story.beside:
                others += self.writes.by(key).get(name, ())
            if newest is None or others:
                values = distinct([*self._values(story, name), *others])
                newest = self._version(name, values, said=newest.said if newest and len(values) == 1 else "")
            found[name] = newest
        return found

    @cached_property
    def neighbours(self) -> Neighbours:
        """Who may be where beside whom."""
        return Neighbours(self.process)


def _asked(process: Definition, key: str) -> Iterator[tuple[Any, bool]]:
    """Yield what must be so for a flow to be taken: its condition, and no other one where it is the default, or they come before."""
    flow = process.flows[key]
    source = process.elements[flow.source]
    if flow.condition is not None and source.default != key:
        yield flow.condition, True
    before = source.outgoing[: source.outgoing.index(key)] if source.type is ElementType.EXCLUSIVE_GATEWAY else ()
    for other in source.outgoing if source.default == key else before:
        if other not in (key, source.default) and (condition := process.flows[other].condition) is not None:
            yield condition, False


def _decided(wants: Sequence[Want]) -> list[Want]:
    """Keep the conditions of which the telling values tell whether they can be met."""
    return [want for want in wants if telling.is_told(want.condition)]


def _since(element: str, wants: Sequence[Want], choices: Mapping[str, Values], variables: Mapping[str, Any]) -> list[Want]:
    """Keep what depends on a choice at an element, where all that was written before is known."""
    chosen = {v for want in wants for v in want.reads.values() if v.by == element and v.name in choices}
    if not chosen:
        return []
    first = min(version.number for version in chosen)
    known: dict[Version, Version] = {version: replace(version, values=choices[version.name]) for version in chosen}
    for version in (v for want in wants for v in want.reads.values()):
        if version.number < first and version not in known:
            known[version] = replace(version, values=[variables.get(version.name)])
    asked = [want for want in wants if not want.condition.calls and any(v.number >= first for v in want.reads.values())]
    return [replace(want, reads={name: known.get(version, version) for name, version in want.reads.items()}) for want in asked]


def _chosen(element: str, wants: Sequence[Want]) -> Iterator[Sample]:
    try:
        for found in solving.solutions(wants):
            yield {version.name: value for version, value in found.items() if version.by == element}
    except solving.Undecided:
        return
