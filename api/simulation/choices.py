"""Choices (选择): what was chosen wherever a case can go one way or another, and what is left to choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from api.simulation.moves import Move

#: After so many refusals in like cases a move is not tried for its own sake any more.
REFUSALS = 3


class Worth(IntEnum):
    """Why a move is worth making, the best reason first."""

    START = 0  #: a case begins in a way that nothing like it has begun in, or calls for an item that was never called
    CHOICE = 1  #: it was never made
    PAIR = 2  #: it was never made after the one that led to it
    HOPE = 3  #: it may lead to something that was never reached
    WAY = 4  #: the one token that there is has never come this way
    NOTHING = 5  #: everything about it is known


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What became of all that could be chosen, for the end of the report."""

    walks: int
    steps: int
    #: Moves that were seen, and those that were made; of pairs of moves that follow each other, and of whole ways.
    choices: int
    made: int
    pairs: int
    paired: int
    #: Of a drawing with several tokens at once there are too many to count.
    ways: int | None
    #: What could never be done, and what the application said each time.
    refused: Sequence[tuple[str, str]]
    #: Branches that were left out because there had been enough walks.
    left_out: int


@dataclass(kw_only=True)
class Choices:
    """What the walks through one process have chosen so far."""

    #: How often each move was made.
    made: Counter[str] = field(default_factory=Counter)
    #: Moves with the one that led to them, and whole ways, that were made.
    pairs: set[tuple[str, str]] = field(default_factory=set)
    ways: set[tuple[str, ...]] = field(default_factory=set)
    #: Ways that have come to an end.
    ended: set[tuple[str, ...]] = field(default_factory=set)
    #: Elements of the process that a move once led to.
    effects: dict[str, set[str]] = field(default_factory=dict)
    #: How often a move was refused in like cases, and what was said.
    refusals: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    #: In words, every move that could be made; and every pair.
    seen: dict[str, str] = field(default_factory=dict)
    seen_pairs: set[tuple[str, str]] = field(default_factory=set)

    @property
    def known(self) -> int:
        """How much is known; more after every step that was worth it."""
        return len(self.made) + len(self.pairs) + len(self.ways)

    def see(self, move: Move, origin: str) -> None:
        """Note what could be done."""
        self.seen.setdefault(move.key, f"{move.who} {move.what}".strip())
        if move.is_own:
            self.seen_pairs.add((origin, move.key))

    def note(self, move: Move, origin: str, led_to: set[str]) -> None:
        """Note what was done, and where it led in the process that is tried out."""
        self.made[move.key] += 1
        if move.is_own:
            self.pairs.add((origin, move.key))
        self.effects.setdefault(move.key, set()).update(led_to)

    def refuse(self, move: Move, origin: str, like: str, reason: str) -> None:
        """Note what was refused in a case like some others; it is not tried after the same move again."""
        self.refusals[f"{move.key} {like}"] += 1
        self.reasons[move.key] = reason
        if move.is_own:
            self.pairs.add((origin, move.key))

    def worth(self, move: Move, origin: str, like: str) -> Worth:
        """Tell why a move is worth making for its own sake."""
        if not self.made[move.key]:
            return Worth.CHOICE if self.refusals[f"{move.key} {like}"] < REFUSALS else Worth.NOTHING
        return Worth.PAIR if move.is_own and (origin, move.key) not in self.pairs else Worth.NOTHING

    def survey(self, *, walks: int, steps: int, single: bool, left_out: int) -> Survey:
        """Sum everything up."""
        refused = [(words, self.reasons[key]) for key, words in self.seen.items() if key in self.reasons and not self.made[key]]
        return Survey(
            walks=walks,
            steps=steps,
            choices=len(self.seen),
            made=sum(self.made[key] > 0 for key in self.seen),
            pairs=len(self.seen_pairs),
            paired=len(self.seen_pairs & self.pairs),
            ways=len(self.ended) if single else None,
            refused=refused,
            left_out=left_out,
        )
