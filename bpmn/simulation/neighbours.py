"""Neighbours (并行): at which elements there may be other tokens while a token is somewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from bpmn import closure
from bpmn.definition import CHOICES, Definition, Element, ElementType
from bpmn.simulation import paths
from bpmn.simulation.paths import Place

#: Where a token is: at an element; or (True) it has left it.
Where = tuple[str, bool]


class Neighbours:
    """Who may be where beside whom in a process."""

    def __init__(self, process: Definition) -> None:
        self.process = process
        self._parted: dict[str, frozenset[str]] = {}

    @cached_property
    def always(self) -> frozenset[str]:
        """Where something may happen at any time: what is undone, and what begins beside everything."""
        elements = self.process.elements.values()
        begins = [each.id for each in elements if each.for_compensation]
        begins += [each.id for each in self.process.event_starts() if not each.interrupting]
        return self._ahead((each, False) for each in begins)

    def beside(self, begin: Element) -> frozenset[str]:
        """Where others may be when a token begins within an activity, or on its border."""
        if begin.attached_to is not None:
            return self._ahead([(begin.attached_to, False)])
        around = self.process.elements.get(begin.parent or "")
        if around is None or around.type is not ElementType.EVENT_SUBPROCESS:
            several = around is not None and _runs_several_times(self.process, around)
            return self._ahead([(around.id, False)]) if around is not None and several else frozenset()
        return frozenset(self.process.elements)

    def parted(self, flow: str) -> frozenset[str]:
        """Where others may be when a token has taken one flow of several, and others take the others."""
        if flow not in self._parted:
            source = self.process.elements[self.process.flows[flow].source]
            others = [key for key in source.outgoing if key != flow or source.completion_quantity > 1]
            others = [] if source.type in CHOICES else others
            self._parted[flow] = self._ahead((self.process.flows[key].target, False) for key in others)
        return self._parted[flow]

    def joined(self, element: str, circle: Collection[str]) -> frozenset[str]:
        """Where others may be when a token has come to an element: what began beside it there, or on the circle that it may have gone."""
        here = [element, *circle]
        events = [each for key in here for each in (*self.process.boundaries(key), *self.process.event_starts(key))]
        parted = [self.parted(flow) for key in circle for flow in self.process.elements[key].outgoing]
        return self._ahead((each.id, False) for each in events if not each.interrupting).union(*parted)

    def circle(self, place: Place) -> frozenset[str]:
        """Elements by which a token may have gone round and come back to where it is."""
        if place.element not in self._circular:
            return frozenset()
        before = frozenset(each.element for each in place.since() if each is not place)
        return frozenset(each for each in self._ahead_of([place.element], before) if place.element in self._ahead_of([each], before))

    @cached_property
    def _circular(self) -> set[str]:
        """Elements on a circle, and between two: what is left when ends and beginnings are taken away again and again."""
        left = set(self.process.elements)
        ahead = {key: {target for _, target in paths.ways(self.process, key)} for key in left}
        behind: dict[str, set[str]] = {key: set() for key in left}
        for key, targets in ahead.items():
            for target in targets:
                behind[target].add(key)
        frontier = [key for key in left if not (ahead[key] and behind[key])]
        while frontier:
            key = frontier.pop()
            left.discard(key)
            for one, other in ((ahead, behind), (behind, ahead)):
                for each in one[key]:
                    other[each].discard(key)
                    frontier += [each] if not other[each] and each in left else []
        return left

    def _ahead_of(self, begins: Iterable[str], without: frozenset[str]) -> set[str]:
        """Find the elements that one token can come to."""

        def following(key: str) -> set[str]:
            return {target for _, target in paths.ways(self.process, key)} - without

        return closure.of([target for key in begins for target in following(key)], following)

    def _ahead(self, begins: Iterable[Where]) -> frozenset[str]:
        """Find the elements at which there may be tokens once there was one somewhere."""
        return frozenset(key for key, is_left in closure.of(begins, self._next) if not is_left)

    def _next(self, where: Where) -> Iterator[Where]:
        key, is_left = where
        element = self.process.elements[key]
        yield from ((self.process.flows[flow].target, False) for flow in element.outgoing)
        yield from ((each.id, False) for each in self.process.boundaries(key))
        if not is_left:
            yield from ((each, False) for each in self._entered(key))
        if element.parent is not None:
            yield element.parent, True

    def _entered(self, key: str) -> list[str]:
        """Elements at which something begins in a scope."""
        return self._begun.get(key, [])

    @cached_property
    def _begun(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for element in self.process.elements.values():
            if element.parent is not None and not element.incoming:
                found.setdefault(element.parent, []).append(element.id)
        return found


def _runs_several_times(process: Definition, around: Element) -> bool:
    body = process.elements.get(around.parent or "")
    return body is not None and body.type is ElementType.MULTI_INSTANCE_BODY
