"""Outlooks (展望): how far a token is from a path that was never taken, and that is not known to be impossible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from bpmn.simulation.paths import Step
from bpmn.simulation.trails import Trail, Trails

#: A distance that no drawing has.
FAR = 1_000_000


class Outlook:
    """Looks ahead from where tokens are."""

    def __init__(self, trails: Trails) -> None:
        self.trails = trails
        self._looked = (-1, -1)
        self._measured: dict[bool, dict[Trail, int]] = {}

    def far(self, trails: Iterable[Trail], by: Collection[str] | None = None, *, direct: bool = False) -> int:
        """Say how many steps it is to the end of a path that is wanted, first by one of some ways; FAR: there is none.

        `direct`: a path that was taken with a loop on the way only is wanted without one, too.
        """
        self._look()
        return min((self._ahead(trail, by, direct=direct) for trail in trails), default=FAR)

    @property
    def is_hopeful(self) -> bool:
        """Whether there is a path that may still be taken."""
        self._look()
        return bool(self._from_everywhere(direct=False))

    def _ahead(self, trail: Trail, by: Collection[str] | None, *, direct: bool) -> int:
        known = self._from_everywhere(direct=direct)
        if by is None:
            return known.get(trail, FAR)
        steps = [step for key, step in trail.place.steps.items() if key in by]
        if any(self._is_wanted(trail, step, direct=direct) for step in steps):
            return 1
        return 1 + min((known.get(trail.after(step), FAR) for step in steps), default=FAR)

    def _look(self) -> None:
        """Forget what was measured when a path was taken since."""
        looked = (len(self.trails.direct), len(self.trails.looped))
        if looked != self._looked:
            self._looked = looked
            self._measured = {}

    def _from_everywhere(self, *, direct: bool) -> dict[Trail, int]:
        """Say how far it is from everywhere; measured when somebody asks."""
        if direct not in self._measured:
            self._measured[direct] = self._measure(direct=direct)
        return self._measured[direct]

    def _measure(self, *, direct: bool) -> dict[Trail, int]:
        ends = (trail for trail in self._everywhere() if any(self._is_wanted(trail, s, direct=direct) for s in trail.place.steps.values()))
        found = dict.fromkeys(ends, 1)
        frontier = list(found)
        for trail in frontier:
            for earlier in self._before.get(trail, ()):
                if earlier not in found:
                    found[earlier] = found[trail] + 1
                    frontier.append(earlier)
        return found

    def _is_wanted(self, trail: Trail, step: Step, *, direct: bool) -> bool:
        if step.path is None or step.path in self.trails.impossible:
            return False
        return step.path not in self.trails.direct if direct and trail.is_direct else not self.trails.is_taken(step.path)

    def _everywhere(self) -> Iterator[Trail]:
        return (Trail(place, is_direct) for place in self.trails.paths.places for is_direct in (True, False))

    @cached_property
    def _before(self) -> dict[Trail, list[Trail]]:
        """How tokens came before: on the same path, or where one stands when another begins."""
        known, elements, found = self.trails.paths, self.trails.process.elements, dict[Trail, list[Trail]]()
        for trail in self._everywhere():
            for step in trail.place.steps.values():
                found.setdefault(trail.after(step), []).append(trail)
        for key, begin in known.begins.items():
            is_first = elements[key].parent is None and elements[key].attached_to is None
            around = [] if is_first else known.around(self.trails.process, key) or known.places
            found.setdefault(Trail(begin), []).extend(Trail(place, is_direct) for place in around for is_direct in (True, False))
        return found
