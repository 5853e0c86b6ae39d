"""Paths (路径): every way that one token can take through a drawing, and where on them it is.

A path begins where a token comes to be: at a start event, or at a boundary event beside an activity that goes on.  It follows flows, and
leaves an activity by an interrupting boundary event, by no element twice.  At a fork it follows one branch, at a join it goes on.  It ends
where nothing follows (a route), or where it comes back to an element that it has been at: then what lies between is the path (a loop).
See decision 0008.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from bpmn.definition import Definition, Element, ElementType, EventType

#: Paths of one drawing beyond which they are not gone one by one; and places on them.
LIMIT, PLACES = 500, 20_000


class Criterion(StrEnum):
    """What must be taken; the value is the plural."""

    PATHS = "paths"  #: every path
    PAIRS = "pairs of choices"  #: every way out of an element after every way out of the one before: where there are too many paths


@dataclass(frozen=True, kw_only=True)
class Path:
    """One of them."""

    #: Where it begins, then what it goes by: flows, and boundary events by which it leaves an activity.
    keys: tuple[str, ...]
    #: Elements that it comes by, in order; a loop comes back to the first.
    elements: tuple[str, ...]
    is_loop: bool = False


@dataclass(eq=False, kw_only=True)
class Place:
    """Where a token is on its path: at an element, after all that it came by."""

    element: str
    key: str
    before: Place | None = None
    #: Which of all places it is, in the order in which they were found.
    number: int = 0
    steps: dict[str, Step] = field(default_factory=dict)

    def back_to(self, element: str) -> Place | None:
        """Return the place at which the path has come by an element."""
        place: Place | None = self
        while place is not None and place.element != element:
            place = place.before
        return place

    def since(self, earlier: Place | None = None) -> list[Place]:
        """List the places from an earlier one (None: the beginning) to this one."""
        found, place = [self], self
        while place is not earlier and place.before is not None:
            place = place.before
            found.append(place)
        return found[::-1]


@dataclass(eq=False, kw_only=True)
class Step:
    """From one place to the next, by a flow or a boundary event."""

    to: Place
    #: What has been taken with it.
    path: Path | None = None
    #: Whether a token has ever taken it.
    is_taken: bool = False


@dataclass(kw_only=True)
class Paths:
    """All that can be taken in one process."""

    criterion: Criterion
    #: Where tokens come to be, by element.
    begins: Mapping[str, Place]
    #: Every path, with the places from which a last step completes it.
    last: Mapping[Path, list[Place]]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.last)

    def __len__(self) -> int:
        return len(self.last)

    @cached_property
    def places(self) -> list[Place]:
        """Every place, each after one that leads to it."""
        found = list(self.begins.values())
        known = set(found)
        for place in found:
            new = [step.to for step in place.steps.values() if step.to not in known]
            found += new
            known.update(new)
        return found

    @cached_property
    def at(self) -> Mapping[str, list[Place]]:
        """Places by element."""
        found: dict[str, list[Place]] = {}
        for place in self.places:
            found.setdefault(place.element, []).append(place)
        return found

    def around(self, process: Definition, begin: str) -> list[Place]:
        """Return where a token stands when another begins within that activity, or on its border; none: the process is around it."""
        key = process.elements[begin].attached_to or process.elements[begin].parent
        while key is not None and key not in self.at:
            key = process.elements[key].parent
        return self.at.get(key or "", [])


def of(process: Definition) -> Paths:
    """Find every path; where there are too many, every pair of choices."""
    return _every_path(process) or _every_pair(process)


def ways(process: Definition, element: str) -> list[tuple[str, str]]:
    """List the ways out of an element, each with what it leads to: flows, and boundary events that interrupt it."""
    flows = [(key, process.flows[key].target) for key in process.elements[element].outgoing]
    return flows + [(each.id, each.id) for each in process.boundaries(element) if each.interrupting and not _compensates(each)]


def _begun(process: Definition) -> dict[str, Place]:
    """Return where tokens come to be."""
    begins = [each.id for each in process.elements.values() if _begins(each) and each.outgoing]
    return {key: Place(element=key, key=key, number=-number) for number, key in enumerate(begins)}


def _begins(element: Element) -> bool:
    beside = element.type is ElementType.BOUNDARY_EVENT and not element.interrupting
    return element.type is ElementType.START_EVENT or (beside and not _compensates(element))


def _compensates(element: Element) -> bool:
    return element.event_type is EventType.COMPENSATION


def _every_path(process: Definition) -> Paths | None:
    """Go every way, depth first; None: there are too many."""
    begins = _begun(process)
    out = {key: ways(process, key) for key in process.elements}
    last: dict[Path, list[Place]] = {}
    loops: dict[frozenset[str], Path] = {}
    open_places, places = list(begins.values()), 0
    while open_places:
        place = open_places.pop()
        for key, target in out[place.element]:
            places += 1
            again = place.back_to(target) if len(process.elements[target].incoming) > 1 else None
            step = Step(to=again or Place(element=target, key=key, before=place, number=places))
            if again is not None:
                loop = _loop(place.since(again), key)
                step.path = loops.setdefault(frozenset(loop.keys), loop)
            elif not out[target]:
                step.path = _route(step.to.since())
            else:
                open_places.append(step.to)
            place.steps[key] = step
            if step.path is not None:
                last.setdefault(step.path, []).append(place)
        if len(last) > LIMIT or places > PLACES:
            return None
    return Paths(criterion=Criterion.PATHS, begins=begins, last=last)


def _route(places: list[Place]) -> Path:
    return Path(keys=tuple(each.key for each in places), elements=tuple(each.element for each in places))


def _loop(places: list[Place], back: str) -> Path:
    """Make a loop, from where it is entered; the same flows are the same loop, wherever that is."""
    elements = (*(each.element for each in places), places[0].element)
    return Path(keys=(*(each.key for each in places[1:]), back), elements=elements, is_loop=True)


def _every_pair(process: Definition) -> Paths:
    """Remember of a token the last choice only."""
    begins = _begun(process)
    known = {(each.key, each.element): each for each in begins.values()}
    last: dict[Path, list[Place]] = {}
    open_places = list(begins.values())
    while open_places:
        place = open_places.pop()
        out = ways(process, place.element)
        for key, target in out:
            chosen = key if len(out) > 1 else place.key
            if (chosen, target) not in known:
                before = place if chosen == place.key else None
                known[chosen, target] = Place(element=target, key=chosen, before=before, number=len(known))
                open_places.append(known[chosen, target])
            step = place.steps[key] = Step(to=known[chosen, target])
            if len(out) > 1:
                step.path = Path(keys=(place.key, key), elements=(_end(process, place.key), place.element, target))
                last.setdefault(step.path, []).append(place)
    return Paths(criterion=Criterion.PAIRS, begins=begins, last=last)


def _end(process: Definition, key: str) -> str:
    return process.flows[key].target if key in process.flows else key
