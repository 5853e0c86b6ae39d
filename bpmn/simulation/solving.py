"""Solving (求解): values for which conditions come true together, or the proof that there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpmn.errors import BpmnError
from bpmn.expressions import Expression

#: How often conditions that have to do with each other are put to values, before it is left open whether there are any.
TRIES = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Version:
    """A variable, as somebody has written it."""

    name: str
    #: What it can be.
    values: Sequence[Any]
    #: The element that has written it; None: several may have, at some time.
    by: str | None = None
    #: Which of all it is, in the order of writing.
    number: int = 0
    #: In words, where it can be one thing only, whatever is filled in.
    said: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Want:
    """A condition that must be true (or false) where a token goes on."""

    condition: Expression
    truth: bool
    #: Where it is asked.
    element: str
    #: What it reads.
    reads: Mapping[str, Version]

    @property
    def spoken(self) -> str:
        """What it must be, as people read it."""
        return "true" if self.truth else "false"


class Undecided(Exception):  # noqa: N818 - it names what happened
    """There were too many values to try."""


class _Unknown(Exception):  # noqa: N818 - it names what happened
    """Something is read of which the value was not chosen yet."""

    def __init__(self, version: Version) -> None:
        self.version = version
        super().__init__(version.name)


class _Chosen(Mapping[str, Any]):
    """What a condition reads, as far as it was chosen."""

    def __init__(self, reads: Mapping[str, Version], chosen: Mapping[Version, Any]) -> None:
        self.reads, self.chosen = reads, chosen

    def __getitem__(self, name: str) -> Any:
        version = self.reads[name]
        if version not in self.chosen:
            raise _Unknown(version)
        return self.chosen[version]

    def __contains__(self, name: object) -> bool:
        return name in self.reads

    def __iter__(self) -> Iterator[str]:
        return iter(self.reads)

    def __len__(self) -> int:
        return len(self.reads)


def solutions(wants: Sequence[Want]) -> Iterator[dict[Version, Any]]:
    """Yield values for what is read, so that all is as wanted (what is left out does not matter); raises Undecided."""
    yield from _search(list(wants), {}, [TRIES])


def _search(wants: Sequence[Want], chosen: dict[Version, Any], tries: list[int]) -> Iterator[dict[Version, Any]]:
    """Choose a value for what a condition reads first that is not decided yet; none of the others may be missed already."""
    asked: list[tuple[Want, Version]] = []
    for want in wants:
        tries[0] -= 1
        if tries[0] < 0:
            raise Undecided
        found = _put(want, chosen)
        if isinstance(found, Version):
            asked.append((want, found))
        elif not found:
            return
    if not asked:
        yield chosen
        return
    version = asked[0][1]
    for value in version.values:
        yield from _search([want for want, _ in asked], {**chosen, version: value}, tries)


def _put(want: Want, chosen: Mapping[Version, Any]) -> bool | Version:
    """Tell whether a condition is as wanted; or what it depends on."""
    try:
        return want.condition.test(_Chosen(want.reads, chosen)) is want.truth
    except _Unknown as unknown:
        return unknown.version
    except BpmnError:
        return False


def is_possible(wants: Sequence[Want]) -> bool:
    """Tell whether there are values for which all is as wanted; also where there were too many to try."""
    try:
        return all(next(solutions(some), None) is not None for some in together(wants))
    except Undecided:
        return True


def together(wants: Sequence[Want]) -> list[list[Want]]:
    """Part the conditions into those that have nothing to do with each other."""
    parts: list[tuple[set[Version], list[Want]]] = []
    for want in wants:
        about = set(want.reads.values())
        met = [part for part in parts if part[0] & about]
        parts = [part for part in parts if part not in met]
        parts.append((about.union(*(read for read, _ in met)), [*(each for _, some in met for each in some), want]))
    return [some for _, some in parts]


def contradiction(wants: Sequence[Want]) -> list[Want]:
    """Of wants that cannot all be met, keep those without which they could."""
    kept = next((some for some in together(wants) if not is_possible(some)), list(wants))
    for want in list(kept):
        fewer = [each for each in kept if each is not want]
        if not is_possible(fewer):
            kept = fewer
    return kept
