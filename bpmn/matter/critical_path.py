"""The critical path (关键路径): the longest chain of items of which each waits for the one before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True, kw_only=True)
class Path:
    """A chain of items and the working days that it takes."""

    items: tuple[str, ...] = ()
    days: int = 0


class Plan:
    """Items with their working days and their order, asked for the critical path of one set of them after the other."""

    def __init__(self, days: Mapping[str, int], order: Iterable[tuple[str, str]]) -> None:
        self._days = days
        place = {code: number for number, code in enumerate(days)}
        self._before: dict[str, list[str]] = {code: [] for code in days}
        for first, code in sorted((pair for pair in order if place.keys() >= set(pair)), key=lambda pair: place[pair[0]]):
            if first != code:
                self._before[code].append(first)
        self._ranked = _rank(self._before)

    def longest(self, items: Collection[str]) -> Path:
        """Return the longest chain among some items; of two that are equally long, the one whose items stand first.

        Dependencies on items that are not among them do not count.
        """
        best: dict[str, Path] = {}
        chosen = frozenset(items)
        for code in self._ranked:
            if code in chosen:
                chain = max((best[first] for first in self._before[code] if first in best), key=_length, default=Path())
                best[code] = Path(items=(*chain.items, code), days=chain.days + self._days[code])
        return max((best[code] for code in self._days if code in best), key=_length, default=Path())

    def beyond(self, days: int) -> frozenset[str]:
        """Return the items that stand in some chain of more than so many days; the others cannot break a promise of that many."""
        until: dict[str, int] = {}
        for code in self._ranked:
            until[code] = self._days[code] + max((until.get(first, 0) for first in self._before[code]), default=0)
        since = dict(self._days)
        for code in reversed(self._ranked):
            for first in self._before[code]:
                since[first] = max(since[first], self._days[first] + since[code])
        return frozenset(code for code in self._days if until[code] + since[code] - self._days[code] > days)


def _length(path: Path) -> int:
    return path.days


def _rank(before: Mapping[str, list[str]]) -> list[str]:
    """Order the items so that predecessors come first; where some wait for one another in a circle, as they stand."""
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        return list(before)
