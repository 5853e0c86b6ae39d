"""Choices (选择): what was chosen wherever a case can go one way or another, and what is left to choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from api.simulation.moves import Move
from engine.simulation.trails import Trail

#: After so many refusals in like cases a move is not tried for its own sake any more.
REFUSALS = 3


#: How the tokens came that a move is about; what has happened beside the activity.
Tokens = frozenset[Trail]
Beside = frozenset[str]


class Worth(IntEnum):
    """Why a move is worth making, the best reason first."""

    START = 0  #: a case begins in a way that nothing like it has begun in, or calls for an item that was never called
    CHOICE = 1  #: it was never made
    PATH = 2  #: it was never made where a token stands that can still take a path which none has taken
    HOPE = 3  #: it was never made in this situation, from which some token can still come to such a path
    NOTHING = 4  #: everything about it is known


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What became of all that could be chosen, for the end of the report."""

    walks: int
    steps: int
    #: Moves that were seen, and those that were made.
    choices: int
    made: int
    #: What could never be done, and what the application said each time.
    refused: Sequence[tuple[str, str]]
    #: Situations that were come to, each gone on from in every way that could lead to something.
    situations: int
    #: Branches that were left out because there had been enough walks.
    left_out: int


@dataclass(kw_only=True)
class Choices:
    """What the walks through one process have chosen so far."""

    #: How often each move was made.
    made: Counter[str] = field(default_factory=Counter)
    #: Moves that were made with tokens that had come as these, after what had happened beside; and in each situation.
    tried: set[tuple[Tokens, Beside, str]] = field(default_factory=set)
    explored: set[tuple[Hashable, str]] = field(default_factory=set)
    #: How often the like of a move was made.
    times: Counter[Hashable] = field(default_factory=Counter)
    #: How often a move was refused in like cases, and what was said.
    refusals: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    #: In words, every move that could be made.
    seen: dict[str, str] = field(default_factory=dict)

    def see(self, move: Move) -> None:
        """Note what could be done."""
        self.seen.setdefault(move.key, f"{move.who} {move.what}".strip())

    def note(self, move: Move, tokens: Tokens, beside: Beside) -> None:
        """Note what was done, where tokens had come as these."""
        self.made[move.key] += 1
        self.tried.add((tokens, beside, move.key))

    def refuse(self, move: Move, like: str, reason: str) -> None:
        """Note what was refused in a case like some others."""
        self.refusals[f"{move.key} {like}"] += 1
        self.reasons[move.key] = reason

    def is_new(self, move: Move, like: str) -> bool:
        """Tell whether a move was never made, and not refused too often."""
        return not self.made[move.key] and self.refusals[f"{move.key} {like}"] < REFUSALS

    def survey(self, *, walks: int, steps: int, situations: int, left_out: int) -> Survey:
        """Sum everything up."""
        refused = [(words, self.reasons[key]) for key, words in self.seen.items() if key in self.reasons and not self.made[key]]
        return Survey(
            walks=walks,
            steps=steps,
            choices=len(self.seen),
            made=sum(self.made[key] > 0 for key in self.seen),
            refused=list(dict.fromkeys(refused)),
            situations=situations,
            left_out=left_out,
        )
