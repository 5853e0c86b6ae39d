"""Walks (走查): case after case goes through a drawing, until everything was chosen that can be chosen.

A walk goes on as long as it comes upon anything new.  Wherever there was more than one new thing to do, the stage is remembered as it was,
and another walk goes on from there later.  See decision 0008.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from api.simulation.choices import Choices, Survey, Worth
from api.simulation.moves import Move
from api.simulation.plays import Play, Played
from api.simulation.rests import ROUNDS, Rest
from api.simulation.stage import Stage
from api.simulation.walk import Walk
from engine import openings
from engine.openings import Opening
from engine.standing import Reader

#: Walks through one process that are made at most, and that hope for what was never reached before they give up.
WALKS, FRUITLESS = 500, 40
#: A distance that no drawing has; how much less is hoped of a move that was made in this walk before.
FAR, PATIENCE = 1000, 3


def through(stage: Stage, subject: str, *, most: int = WALKS, seed: int = 1) -> Played:
    """Walk through one process of a stage; where there are enough walks before all is done, another seed leaves out something else."""
    walker = Walker(stage, subject, most, random.Random(f"{seed} {subject}"))  # noqa: S311 - the same seed gives the same walks
    plays = list(walker.walks())
    return Played(plays=plays, survey=walker.survey())


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Something that was not done yet: a way to begin, or a move where another walk has rested."""

    opening: Opening
    rest: Rest | None = None
    move: Move | None = None

    def at(self, rest: Rest, move: Move) -> Branch:
        """Branch off where a walk rests."""
        return replace(self, rest=rest, move=move)


class Walker:
    """Walks through one process of a stage."""

    def __init__(self, stage: Stage, subject: str, most: int, chance: random.Random) -> None:
        self.stage, self.subject, self.most, self.chance = stage, subject, most, chance
        self.coverage = stage.witness.coverage[subject]
        self.single = self.coverage.is_single
        self.choices = Choices()
        self.begun: set[str] = set()
        self.walked = self.steps = self.fruitless = 0
        self.reader = Reader()
        self._agenda: list[tuple[Worth, int, int, Branch]] = []
        self._numbered = 0
        with stage.hall.database.reading() as session:
            self.openings = openings.of(session, subject)
            self.calls = openings.calls(session, subject)
            self.carried = openings.is_carried(session, subject)

    def walks(self) -> Iterator[Play]:
        """Walk until there is nothing left that is worth it, or there were enough."""
        for opening in reversed(self.openings):
            self.plan(Branch(opening=opening))
        while self.walked < self.most and (found := self._next()) is not None:
            branch, worth = found
            self.walked += 1
            reached = len(self.coverage.reached)
            yield Walk(self, branch, worth).play()
            if len(self.coverage.reached) > reached:
                self.fruitless = 0
            elif worth is Worth.HOPE:
                self.fruitless += 1

    def survey(self) -> Survey:
        """Sum up what was chosen, and what was left out."""
        left_out = 0
        while self._next() is not None:
            left_out += 1
        return self.choices.survey(walks=self.walked, steps=self.steps, single=self.single and not self.carried, left_out=left_out)

    def plan(self, branch: Branch) -> None:
        """Put something off; what is worth most is done first, of that what may reach something new, and of that what was found last."""
        worth = self._worth(branch)
        if worth is not Worth.NOTHING:
            self._numbered += 1
            distance = self.promise(branch.rest, branch.move) if branch.rest and branch.move else 0
            heapq.heappush(self._agenda, (worth, distance, -self._numbered, branch))

    def _next(self) -> tuple[Branch, Worth] | None:
        """Take what is worth most; what is known by now is put off further, or forgotten."""
        while self._agenda:
            worth, _, _, branch = heapq.heappop(self._agenda)
            if self._worth(branch) <= worth:
                return branch, worth
            self.plan(branch)
        return None

    def _worth(self, branch: Branch) -> Worth:
        if branch.rest is None or branch.move is None:
            return Worth.START if self.is_new(branch.opening) else Worth.HOPE if self._is_hopeful() else Worth.NOTHING
        return Worth.NOTHING if branch.move.key in branch.rest.tried else self.worth(branch.rest, branch.move)

    def is_new(self, opening: Opening) -> bool:
        """Whether nothing of its kind was begun, or nothing that calls for one of its items; or one of them was never come to."""
        missed = {self.calls[each.id] for each in self.coverage.missed if each.id in self.calls}
        return not self.begun >= {opening.label, *opening.items} or bool(missed & set(opening.items))

    def worth(self, rest: Rest, move: Move) -> Worth:
        """Tell why a move is worth making."""
        worth = self.choices.worth(move, rest.origin(move), rest.likeness)
        if self.carried and not move.is_own and worth is not Worth.NOTHING:
            # What carries the process is not what is tried out: it is gone through for the sake of what was never reached.
            return Worth.HOPE if self._is_hopeful() else Worth.NOTHING
        if worth is Worth.NOTHING and self.promise(rest, move) < FAR:
            return Worth.HOPE
        if worth is Worth.NOTHING and self.is_counted(rest) and (*rest.way, move.key) not in self.choices.ways:
            return Worth.WAY
        return worth

    def is_counted(self, rest: Rest) -> bool:
        """Whether every way from here is one of those that are gone: one thing goes on at a time, and no loop goes on for ever."""
        return self.single and not self.carried and max(rest.rounds.values(), default=0) <= ROUNDS

    def promise(self, rest: Rest, move: Move) -> int:
        """Say how far what a move once led to is from something that was never reached; less is hoped of it in this walk each time."""
        if not self._is_hopeful() or self.choices.refusals[f"{move.key} {rest.likeness}"]:
            return FAR
        led_to, distances = self.choices.effects.get(move.key) or rest.waits, self.coverage.distances
        nearest = min((distances[element] for element in led_to if element in distances), default=FAR)
        return nearest + PATIENCE * rest.here[move.key]

    def _is_hopeful(self) -> bool:
        return self.fruitless < FRUITLESS and bool(self.coverage.missed)
