"""Outlooks (展望): how far a token is from a path that was never taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from bpmn.simulation.paths import Place, Step
from bpmn.simulation.trails import Trail, Trails

#: A distance that no drawing has.
FAR = 1_000_000
#: Walks that are made for the sake of a step in vain before nobody hopes for it any more; and where none ever went that way on any path.
PATIENCE, LAST_PATIENCE = 24, 60

#: A way out of an element, as a step on one path.
Aim = tuple[str, Step]


class Outlook:
    """Looks ahead from where tokens are."""

    def __init__(self, trails: Trails) -> None:
        self.trails = trails
        self._looked = (-1, -1)
        self._far: dict[Trail, int] = {}
        self._hope: dict[Trail, int] = {}
        self._aims: dict[Trail, Aim] = {}

    def renew(self) -> None:
        """Take into account what has happened since."""
        self._looked = (-1, -1)

    def far(self, trails: Iterable[Trail], by: Collection[str] | None = None) -> int:
        """Say how many steps it is to the end of a path that was not taken, first by one of some ways; FAR: there is none."""
        self._look()
        return min((self._ahead(trail, by, self._far) for trail in trails), default=FAR)

    def hope(self, trails: Iterable[Trail], by: Collection[str] | None = None) -> int:
        """Say the same of the paths for which there is hope."""
        self._look()
        return min((self._ahead(trail, by, self._hope) for trail in trails), default=FAR)

    def aim(self, trails: Iterable[Trail]) -> Aim | None:
        """Find the first step on the nearest of these that none has taken."""
        self._look()
        hopeful = [trail for trail in trails if trail in self._hope]
        nearest = min(hopeful, key=lambda trail: (self._hope[trail], trail.place.number, trail.is_direct), default=None)
        return None if nearest is None else self._aims[nearest]

    @property
    def is_hopeful(self) -> bool:
        """Whether there is a path that may still be taken."""
        self._look()
        return bool(self._hope)

    def _ahead(self, trail: Trail, by: Collection[str] | None, known: dict[Trail, int]) -> int:
        if by is None:
            return known.get(trail, FAR)
        steps = (step for key, step in trail.place.steps.items() if key in by)
        strict = known is self._far
        ends = (0 if self._is_wanted(step, trail, strict=strict) else known.get(_after(trail, step), FAR) for step in steps)
        return 1 + min(ends, default=FAR)

    def _look(self) -> None:
        known = (len(self.trails.direct), len(self.trails.looped))
        if known != self._looked:
            self._looked = known
            (self._far, _), (self._hope, self._aims) = self._measure(None), self._measure(self._walked)

    @property
    def _walked(self) -> set[str]:
        """Ways that were gone on any path."""
        return {key for place in self._places for key, step in place.steps.items() if step.is_taken}

    @cached_property
    def _places(self) -> list[Place]:
        return self.trails.paths.places()

    @cached_property
    def _before(self) -> dict[Trail, list[tuple[Trail, str, Step]]]:
        found: dict[Trail, list[tuple[Trail, str, Step]]] = {}
        for place in self._places:
            for key, step in place.steps.items():
                for trail in (Trail(place), Trail(place, is_direct=False)):
                    found.setdefault(_after(trail, step), []).append((trail, key, step))
        return found

    def _measure(self, walked: set[str] | None) -> tuple[dict[Trail, int], dict[Trail, Aim]]:
        """Measure from every place, and take aim; `walked`: leave out the steps of which nothing is hoped."""
        strict = walked is None
        every = [(trail, key, step) for some in self._before.values() for trail, key, step in some if _may(key, step, walked)]
        aims = {trail: (key, step) for trail, key, step in every if self._is_wanted(step, trail, strict=strict)}
        found = dict.fromkeys(aims, 1)
        frontier = list(found)
        for trail in frontier:
            for earlier, key, step in self._before.get(trail, ()):
                if earlier not in found and _may(key, step, walked):
                    found[earlier] = found[trail] + 1
                    aims[earlier] = aims[trail] if step.is_taken else (key, step)
                    frontier.append(earlier)
        return found, aims

    def _is_wanted(self, step: Step, trail: Trail, *, strict: bool) -> bool:
        """Whether a step completes a path that none has taken; `strict`: nor one without a loop on its way, which this one may be."""
        if step.path is None:
            return False
        return step.path not in (self.trails.direct if strict and trail.is_direct else self.trails.taken)


def _after(trail: Trail, step: Step) -> Trail:
    return Trail(step.to, trail.is_direct and not (step.path and step.path.is_loop))


def _may(key: str, step: Step, walked: set[str] | None) -> bool:
    """Whether a step may still be taken."""
    if walked is None:
        return True
    return step.tries < (PATIENCE if key in walked else LAST_PATIENCE)
