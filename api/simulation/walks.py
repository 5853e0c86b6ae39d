"""Walks (走查): case after case goes through a drawing, until everything was chosen that can be chosen.

A walk goes on as long as it comes upon anything new.  Wherever there was more than one new thing to do, the stage is remembered as it was,
and another walk goes on from there later.  See decision 0008.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from api.simulation.choices import Choices, Survey, Worth
from api.simulation.moves import Move
from api.simulation.plays import Play, Played
from api.simulation.rests import Rest
from api.simulation.stage import Stage
from api.simulation.walk import Walk
from engine.simulation import openings
from engine.simulation.openings import Opening
from engine.simulation.reading import Reader
from engine.simulation.trails import FAR, Outlook, Trail

#: Walks through one process that are made at most.
WALKS = 500
#: How much farther it is by what somebody else does; and when a process begins anew for it.
BESIDE, ANEW = 10_000, 20_000

#: How good it is to do something next; the least is the best.
Order = tuple[int, ...]


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
        self.trails = self.coverage.trails
        self.outlook = Outlook(self.trails)
        self.choices = Choices()
        self.begun: set[str] = set()
        self.played: list[Opening] = []
        self.walked = self.steps = 0
        self.situations: set[Hashable] = set()
        self.reader = Reader()
        self.beginnings = [Trail(each) for each in self.trails.paths.begins.values()]
        self._agenda: list[tuple[Order, int, Branch]] = []
        self._numbered = 0
        with stage.hall.database.reading() as session:
            self.openings = openings.of(session, subject)
            self.calls = openings.calls(session, subject)
            self.drawn_calls = {each.id: self.calls[each.id] for each in self.coverage.nodes if each.id in self.calls}
            self.carried = openings.is_carried(session, subject)

    def walks(self) -> Iterator[Play]:
        """Walk until there is nothing left that is worth it, or there were enough."""
        for opening in reversed(self.openings):
            self.plan(Branch(opening=opening))
        while self.walked < self.most and self.next() is not None:
            _, _, branch = heapq.heappop(self._agenda)
            self.walked += 1
            yield Walk(self, branch).play()

    def survey(self) -> Survey:
        """Sum up what was chosen, and what was left out."""
        left_out = 0
        while self.next() is not None:
            heapq.heappop(self._agenda)
            left_out += 1
        return self.choices.survey(walks=self.walked, steps=self.steps, situations=len(self.situations), left_out=left_out)

    def plan(self, branch: Branch) -> None:
        """Put something off; of what is as good, what was found last is done first."""
        self._put(branch, self._order(branch))

    def _put(self, branch: Branch, order: Order | None) -> None:
        """Put something off that is so good, or forget it where there is nothing to it."""
        if order is not None:
            self._numbered += 1
            heapq.heappush(self._agenda, (order, -self._numbered, branch))

    def next(self) -> Order | None:
        """Say how good the best is that was put off; what became worse meanwhile is put off further, or forgotten."""
        first = self._numbered
        while self._agenda:
            known, number, branch = self._agenda[0]
            if -number > first:  # put further off just now
                return known
            order = self._order(branch)
            if order is not None and order <= known:
                return known
            heapq.heappop(self._agenda)
            self._put(branch, order)
        return None

    def _order(self, branch: Branch) -> Order | None:
        if branch.rest is not None and branch.move is not None:
            return self.order(branch.rest, branch.move)
        if self.is_new(branch.opening):
            return (Worth.START,)
        if branch.opening in self.played or not self.outlook.is_hopeful:
            return None
        return (Worth.HOPE, False, 0, len(branch.opening.items), self.outlook.far(self.beginnings))

    def is_new(self, opening: Opening) -> bool:
        """Whether nothing of its kind was begun, or nothing that calls for one of its items; or one of them was never come to."""
        missed = {item for key, item in self.drawn_calls.items() if key not in self.coverage.reached}
        return not self.begun >= {opening.label, *opening.items} or bool(missed & set(opening.items))

    def order(self, rest: Rest, move: Move) -> Order | None:
        """Say how good it is to make a move; None: there is nothing to it."""
        worth = self.worth(rest, move)
        if worth is Worth.NOTHING:
            return None
        if worth is Worth.CHOICE:
            return (worth,)
        far, times = self._far(rest, move), self.choices.times[self.alike(rest, move)]
        # Whatever leads to what is wanted in the smallest case is done once, before anything is done twice there.
        return (worth, far >= ANEW, times, len(rest.opening.items), far, len(rest.standing.tasks), move.kind)

    def alike(self, rest: Rest, move: Move) -> tuple[Hashable, ...]:
        """Say what a move has in common with those that are likely to lead where it does: the tokens that are nearest to what is wanted."""
        living = [trail for trails in rest.living for trail in trails]
        least = self.outlook.far(living)
        near = frozenset(trail for trail in living if self.outlook.far([trail]) == least)
        return rest.opening.spoken, rest.opening.label, near, move.key

    def worth(self, rest: Rest, move: Move) -> Worth:
        """Tell why a move is worth making."""
        if (rest.situation, move.key) in self.choices.explored:
            return Worth.NOTHING
        # What carries the process is not what is tried out: it is gone through for the sake of what was never reached.
        if move.is_own or not self.carried:
            if self.choices.is_new(move, rest.likeness):
                return Worth.CHOICE
            told = rest.beside(move)
            if (rest.tokens(move), told, move.key) not in self.choices.tried and (told or self._own(rest, move, direct=True) < FAR):
                return Worth.PATH
        return Worth.HOPE if self._far(rest, move) < FAR else Worth.NOTHING

    def _own(self, rest: Rest, move: Move, *, direct: bool = False) -> int:
        return min((self.outlook.far(trails, by, direct=direct) for trails, by in rest.behind[move.key]), default=FAR)

    def _far(self, rest: Rest, move: Move) -> int:
        """Say how near a move leads; what is done elsewhere brings on whatever waits for it, and may let the process begin anew."""
        living = (trail for trails in rest.living for trail in trails)
        again = FAR if rest.opening.is_plain else self.outlook.far(self.beginnings)
        return min(self._own(rest, move), BESIDE + self.outlook.far(living), ANEW + again)
