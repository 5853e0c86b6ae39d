"""Rests (停留): where a case stands still, so that it can go on from there in every way that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from api.simulation.choices import Beside, Tokens
from api.simulation.lines import Line
from api.simulation.moves import Move, Mover
from api.simulation.stage import Scene
from engine.simulation.openings import Opening
from engine.simulation.standing import Standing
from engine.simulation.trails import Trail

Behind = Sequence[tuple[frozenset[Trail], Collection[str] | None]]


@dataclass(kw_only=True)
class Rest:
    """Where one case stands still: how it came there, and what can be next."""

    #: Number of the walk that came here.
    walk: int
    #: How it began.
    opening: Opening
    mover: Mover
    standing: Standing
    #: What can be next.
    moves: list[Move]
    #: By the key of each move: how the tokens came that it is about, and the ways that they can go.
    behind: Mapping[str, Behind]
    #: How all tokens of the process came, wherever they are, and how often.
    living: Counter[frozenset[Trail]]
    #: What has happened; and how often each move was made.
    lines: tuple[Line, ...] = ()
    here: Counter[str] = field(default_factory=Counter)
    #: Events that have happened beside activities that went on, with those.
    events: frozenset[tuple[str, str]] = frozenset()
    #: The stage as it is, where other walks begin.
    scene: Scene | None = None

    @property
    def likeness(self) -> str:
        """What it has in common with the rests at which the same is possible, or is not."""
        return f"when {self.opening.label}{', and something is missing' if self.standing.missing else ''}"

    @cached_property
    def situation(self) -> Hashable:
        """What there is: where that is the same, so is what can come of it."""
        return self.opening.spoken, self.opening.label, self.marking, self.standing.likeness

    @cached_property
    def marking(self) -> Hashable:
        """Where the tokens of the process are, and how they came."""
        return frozenset(self.living.items())

    def after(self, move: Move) -> frozenset[tuple[str, str]]:
        """Say which events have happened beside activities of the process, with what a move is."""
        made = move.answers if move.is_own else None
        return self.events | ({(made.host, made.element)} if made is not None and made.host is not None else set())

    def beside(self, move: Move) -> Beside:
        """Say which have happened beside the activity that a move is about: it is done before and after them."""
        made = move.answers if move.is_own else None
        about = {made.element, made.host} if made is not None else set()
        return frozenset(event for host, event in self.events if host in about)

    def tokens(self, move: Move) -> Tokens:
        """Say how the tokens came that a move is about."""
        return frozenset(trail for trails, _ in self.behind[move.key] for trail in trails)
