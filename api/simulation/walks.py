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
from api.simulation.moves import Kind, Move
from api.simulation.plays import Play, Played
from api.simulation.rests import Rest
from api.simulation.stage import Stage
from api.simulation.walk import Walk
from engine import openings
from engine.openings import Opening
from engine.standing import Reader
from engine.trails import FAR, Aim, Outlook, Trail

#: Walks through one process that are made at most, and that hope for paths in vain before they give up.
WALKS, FRUITLESS = 500, 60


#: How much a move promises; the least is the most.
Promise = tuple[int, ...]


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
        self.walked = self.steps = self.fruitless = 0
        self.reader = Reader()
        self.beginnings = [Trail(each) for each in self.trails.paths.begins.values()]
        self._agenda: list[tuple[Worth, Promise, int, Branch]] = []
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
            self.outlook.renew()
            known = self.known
            yield Walk(self, branch, worth).play()
            if self.known > known:
                self.fruitless = 0
            elif worth is Worth.HOPE:
                self.fruitless += 1

    @property
    def known(self) -> int:
        """How much was reached and taken."""
        return len(self.coverage.reached) + len(self.trails.direct) + len(self.trails.looped)

    def survey(self) -> Survey:
        """Sum up what was chosen, and what was left out."""
        left_out = 0
        while self._next() is not None:
            left_out += 1
        return self.choices.survey(walks=self.walked, steps=self.steps, left_out=left_out)

    def plan(self, branch: Branch) -> None:
        """Put something off; what is worth most is done first, of that what may reach something new, and of that what was found last."""
        worth = self._worth(branch)
        if worth is not Worth.NOTHING:
            self._numbered += 1
            rest, move = branch.rest, branch.move
            promise = self.promise(rest, move, worth) if rest and move else self._promise_of_beginning(branch.opening, worth)
            heapq.heappush(self._agenda, (worth, promise, -self._numbered, branch))

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
            return self._worth_of_beginning(branch.opening)
        return Worth.NOTHING if branch.move.key in branch.rest.tried else self.worth(branch.rest, branch.move)

    def _worth_of_beginning(self, opening: Opening) -> Worth:
        if self.is_new(opening):
            return Worth.START
        return Worth.HOPE if self._is_hopeful() and opening not in self.played else Worth.NOTHING

    def is_new(self, opening: Opening) -> bool:
        """Whether nothing of its kind was begun, or nothing that calls for one of its items; or one of them was never come to."""
        missed = {self.calls[each.id] for each in self.coverage.missed if each.id in self.calls}
        return not self.begun >= {opening.label, *opening.items} or bool(missed & set(opening.items))

    def worth(self, rest: Rest, move: Move) -> Worth:
        """Tell why a move is worth making."""
        if self.carried and not move.is_own:
            # What carries the process is not what is tried out: it is gone through for the sake of what was never reached.
            return Worth.HOPE if self._is_promising(rest, move) else Worth.NOTHING
        if self.choices.is_new(move, rest.likeness):
            return Worth.CHOICE
        told = rest.beside(move)
        if (rest.tokens(move), told, move.key) not in self.choices.tried and (told or self._far(rest, move) < FAR):
            return Worth.PATH
        return Worth.HOPE if self._is_promising(rest, move) else Worth.NOTHING

    def promise(self, rest: Rest, move: Move, worth: Worth) -> Promise:
        """Say what speaks against a move where several are worth the same, what matters most first."""
        if worth is not Worth.HOPE:
            return (self._far(rest, move) if worth is Worth.PATH else 0,)
        is_own, aim = bool(rest.behind[move.key]), self.aim(rest, move)
        done = self.choices.examples.get(aim[0], ()) if aim else ()
        return (
            self._is_vain(rest, move),
            move.kind is Kind.TURN and not is_own,
            len(rest.opening.items),
            (rest.living, move.key) in self.choices.effects,
            # What was done before somebody went the same way on another path will do here, too.
            0 if is_own or move.key in done else 1 if move.origin in done else 2,
            self._hope(rest, move),
            len(rest.standing.tasks),
            move.kind,
        )

    def _promise_of_beginning(self, opening: Opening, worth: Worth) -> Promise:
        if worth is not Worth.HOPE:
            return (0,)
        return (False, False, len(opening.items), False, 2, self.outlook.hope(self.beginnings))

    def _far(self, rest: Rest, move: Move) -> int:
        return min((self.outlook.far(trails, by) for trails, by in rest.behind[move.key]), default=FAR)

    def _hope(self, rest: Rest, move: Move) -> int:
        """Say how near a move leads; what is done elsewhere brings on whatever waits for it."""
        own = [self.outlook.hope(trails, by) for trails, by in rest.behind[move.key]]
        return min(own or [self.outlook.hope(rest.living)])

    def _is_vain(self, rest: Rest, move: Move) -> bool:
        """Whether a move has led away from all that is hoped for until now, from where it was made."""
        known = self.choices.effects.get((rest.living, move.key))
        return known is not None and all(self.outlook.hope(living) == FAR for living in known)

    def aim(self, rest: Rest, move: Move) -> Aim | None:
        """Find the step for the sake of which a move is made."""
        return self.outlook.aim(rest.tokens(move) or rest.living)

    def _is_promising(self, rest: Rest, move: Move) -> bool:
        if not self._is_hopeful() or self.choices.refusals[f"{move.key} {rest.likeness}"]:
            return False
        return (rest.history, move.key) not in self.choices.explored and (not rest.living or self._hope(rest, move) < FAR)

    def _is_hopeful(self) -> bool:
        return self.fruitless < FRUITLESS and self.outlook.is_hopeful
