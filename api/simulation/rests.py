"""Rests (停留): where a case stands still, so that it can go on from there in every way that there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from api.simulation.lines import Line
from api.simulation.moves import Move, Mover
from api.simulation.stage import Scene
from engine.simulations import Activation
from engine.standing import Place, Standing

#: How often a token comes by the same flow on one way: once, and once more for a loop.
ROUNDS = 2


@dataclass(kw_only=True)
class Rest:
    """Where one case stands still: how it came there, and what can be next."""

    #: Number of the walk that came here.
    walk: int
    #: How it began, in words; and the move that came before.
    like: str
    came_by: str
    mover: Mover
    standing: Standing
    #: What can be next.
    moves: list[Move]
    #: What has happened; the moves among it; how often each was made, and each flow of the process taken.
    lines: tuple[Line, ...] = ()
    way: tuple[str, ...] = ()
    here: Counter[str] = field(default_factory=Counter)
    rounds: Counter[str] = field(default_factory=Counter)
    #: The move that led to each thing that is open.
    origins: dict[UUID, str] = field(default_factory=dict)
    #: Steps in a row that were worth nothing.
    idle: int = 0
    #: The stage as it is, where other walks begin; and what was tried from here.
    scene: Scene | None = None
    tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        known = self.origins
        self.origins = {each.id: known.get(each.id, self.came_by) for each in self.standing.waiting}

    @property
    def likeness(self) -> str:
        """What it has in common with the rests at which the same is possible, or is not."""
        return f"when {self.like}{', and something is missing' if self.standing.missing else ''}"

    @property
    def waits(self) -> set[str]:
        """Elements of the process that is tried out at which something is open."""
        places: list[Place] = [*self.standing.waiting, *self.standing.variables]
        return {each.element for each in places if each.process == self.mover.subject}

    def origin(self, move: Move) -> str:
        """Name the move that led to what is answered; nothing did where somebody acts by himself."""
        return self.origins.get(move.answers.id, "") if move.answers is not None else ""

    def after(self, move: Move) -> dict[UUID, str]:
        """Name what led to everything that is open; what stands at the activity beside which the move was made has seen that, too."""
        made = move.answers
        if made is None or made.host is None:
            return self.origins
        here = [each.id for each in self.standing.waiting if each.instance == made.instance and made.host in (each.element, each.host)]
        return self.origins | dict.fromkeys(here, move.origin)

    def flows(self, reached: tuple[Activation, ...]) -> Counter[str]:
        """Count the flows of the process, with those that were just taken."""
        return self.rounds + Counter(each.flow for each in reached if each.flow and each.process == self.mover.subject)
