"""Walks (走查): one case after the other goes through a drawing, until everything is reached or nothing new is found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from api.simulation import plain
from api.simulation.hall import Refused
from api.simulation.moves import Kind, Move, Mover
from api.simulation.plays import Play, Recorder
from api.simulation.stage import Stage
from engine import openings, samples
from engine.calendars import BEIJING
from engine.openings import Opening
from engine.standing import Place, Reader

#: Walks through one process, and in a row that find nothing new; steps of a walk, and in a row that find nothing new; refusals of a move.
WALKS, FRUITLESS, STEPS, IDLE, REFUSALS = 120, 12, 80, 12, 3
#: Where everything is submitted.
HALL = next(iter(samples.HALLS))
#: A distance that no drawing has; how much less is hoped of a move that was made in this walk before.
FAR, PATIENCE = 1000, 3
#: What went wrong inside, not what was asked for.
BROKEN = 500
#: When somebody does on the last day what is due that day.
MORNING, ONE = time(9), timedelta(microseconds=1)


class Inclination(StrEnum):
    """What a walk does where nothing new can be done."""

    DUE = "everything on the day it is due"
    PROMPT = "everything at once"
    UNWILLING = "the last choice of every form"
    LATE = "time runs out"
    FICKLE = "at random"


@dataclass(kw_only=True)
class Known:
    """What earlier walks have taught."""

    #: How often each move was done, or refused.
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    #: Elements of the process that a move once led to.
    effects: dict[str, set[str]] = field(default_factory=dict)
    #: How often a kind of opening, an opening or an inclination found nothing new; what finds something has a head start.
    barren: Counter[str] = field(default_factory=Counter)

    def learn(self, opening: Opening, inclination: Inclination, *, found: bool) -> None:
        """Remember what a walk has found."""
        self.barren[opening.spoken] += 1
        for what in (opening.label, inclination):
            self.barren[what] += 1 if found else 3


class Walker:
    """Walks through one process of a stage."""

    def __init__(self, stage: Stage, subject: str, seed: int) -> None:
        self.stage, self.subject = stage, subject
        self.coverage = stage.witness.coverage[subject]
        self.chance = random.Random(f"{seed} {subject}")  # noqa: S311 - the same seed gives the same walks
        self.known = Known()
        with stage.hall.database.reading() as session:
            self.openings = openings.of(session, subject)
            self.calls = openings.calls(session, subject)

    def walks(self) -> Iterator[Play]:
        """Walk until everything is reached, or nothing new was found for a while, or there were enough."""
        fruitless = 0
        for number in range(WALKS):
            known = len(self.known.done)
            opening, inclination = (self._opening(), self._inclination()) if number else (self.openings[0], Inclination.DUE)
            play = self._walk(number, opening, inclination)
            yield play
            found = bool(play.gained) or len(self.known.done) > known
            self.known.learn(opening, inclination, found=found)
            fruitless = 0 if found else fruitless + 1
            if not self.coverage.missed or fruitless >= FRUITLESS:
                return

    def _opening(self) -> Opening:
        """Choose what calls for most of what was never reached, then a kind that found much, then the one with fewest items."""
        barren = self.known.barren
        return min(
            self.openings,
            key=lambda each: (-len(self.missed_by(each)), barren[each.label], barren[each.spoken], len(each.items)),
        )

    def missed_by(self, opening: Opening) -> set[str]:
        """Items that an opening calls for, and that were never called; none once it was tried: then they cannot be."""
        if self.known.barren[opening.spoken]:
            return set()
        missed = {self.calls[each.id] for each in self.coverage.missed if each.id in self.calls}
        return missed & set(opening.items)

    def _inclination(self) -> Inclination:
        return min(list(Inclination)[1:], key=lambda each: self.known.barren[each])

    def _walk(self, number: int, opening: Opening, inclination: Inclination) -> Play:
        self.stage.begin_anew()
        words = f"walk {number + 1}: {opening.label}; {inclination}"
        walk = Walk(self, Recorder(self.stage, words, Reader()), opening, inclination)
        try:
            walk.begin()
            while walk.step():
                pass
        except Refused as error:
            walk.recorder.play.failure = str(error)
        return walk.recorder.end()


class Walk:
    """One walk."""

    def __init__(self, walker: Walker, recorder: Recorder, opening: Opening, inclination: Inclination) -> None:
        self.walker, self.recorder, self.opening, self.inclination = walker, recorder, opening, inclination
        self.hall, self.known = walker.stage.hall, walker.known
        self.here: Counter[str] = Counter()
        #: Whether it goes straight to the end: the first of all, of its kind, or that calls for certain items.
        self.straight = not self.known.barren[opening.label] or bool(walker.missed_by(opening))
        #: How much was found so far, and steps since that was less.
        self.found, self.idle = 0, 0
        #: Moves that were refused since the case last moved; elements of the process that wait; whether materials are missing.
        self.refused: set[str] = set()
        self.rests: set[str] = set()
        self.lacks = False

    def begin(self) -> None:
        """Let the case begin."""
        case: Any = {"number": ""}
        opening = self.opening
        if opening.moment is not None:
            self.hall.at(opening.moment)
        elif opening.signal is not None:
            plain.throw(self.hall, opening.signal, opening.variables)
        elif opening.is_plain:
            plain.begin(self.hall, opening.key, opening.variables, message=opening.message)
        else:
            case = self._submit(opening)
        self.mover = Mover(self.walker.stage, self.walker.subject, opening, case, self.walker.calls.values())
        self.recorder.note("admin" if opening.is_plain else "clerk", f"begins: {opening.spoken}")

    def _submit(self, opening: Opening) -> Any:
        clerk, submission = self.hall["clerk"], {"hall": HALL, "applicant": dict(opening.applicant)}
        rest = {"answers": dict(opening.answers), "materials": list(opening.materials)}
        if opening.alone is None:
            return clerk.submit(**submission, **rest, matter=opening.key)
        alone = clerk.submit(**submission, answers=dict(opening.answers), matter=opening.alone)
        return clerk.submit(**submission, **rest, matter=opening.key, adopt=[alone["items"][0]["number"]])

    def step(self) -> bool:
        """Let one thing happen; whether there was one."""
        with self.hall.database.reading() as session:
            standing = self.recorder.reader.read(session, self.mover.case["number"])
        waiting: list[Place] = [
            *standing.tasks,
            *standing.work,
            *standing.messages,
            *standing.signals,
            *standing.timers,
            *standing.variables,
        ]
        self.rests = {each.element for each in waiting if each.process == self.walker.subject}
        self.lacks = bool(standing.missing)
        moves = [move for move in self.mover.moves(standing) if move.key not in self.refused]
        chosen = None if standing.incidents or self._is_enough(moves) else self._choose(moves)
        if chosen is not None:
            self._make(chosen)
        return chosen is not None

    def _is_enough(self, moves: list[Move]) -> bool:
        """Whether the walk is over, or goes nowhere."""
        found = len(self.walker.coverage.reached) + len(self.known.done)
        self.found, self.idle = found, 0 if found > self.found else self.idle + 1
        if self.straight:
            return all(move.kind is Kind.TURN for move in moves) or len(self.recorder.play.lines) >= STEPS
        return not moves or self.idle > IDLE

    def _make(self, move: Move) -> None:
        """Make a move; one that is refused is not made again here."""
        if self.inclination is Inclination.DUE and move.due_at is not None:
            self._wait_until_the_day(move.due_at)
        try:
            move.act()
        except Refused as error:
            if error.status >= BROKEN:
                raise
            self.known.refused[self._in_such(move)] += 1
            self.refused.add(move.key)
            self.recorder.note(move.who, move.what, refused=error.words)
            return
        self.hall.tick()
        line = self.recorder.note(move.who, move.what)
        self.refused.clear()
        self.here[move.key] += 1
        self.known.done[move.key] += 1
        led_to = {each.element for each in line.reached if each.process == self.walker.subject}
        self.known.effects.setdefault(move.key, set()).update(led_to)

    def _wait_until_the_day(self, due_at: datetime) -> None:
        day = datetime.combine((due_at - ONE).astimezone(BEIJING).date(), MORNING, BEIJING)
        if day > datetime.now(BEIJING):
            self.hall.at(day)

    def _choose(self, moves: list[Move]) -> Move | None:
        """Choose what is new, then what leads soonest to something new, by inclination among equals; None: nothing does."""
        if self.straight:
            return min(moves, key=lambda move: self._inclined(move, plainly=True))
        if new := [move for move in moves if self._is_new(move)]:
            return self.walker.chance.choice(new)
        distances = self.walker.coverage.distances()
        promises = {move.key: self._promise(move, distances) for move in moves}
        hopeful = [move for move in moves if promises[move.key] < FAR]
        if not hopeful and not self.rests:  # the process that is tried out has not begun, or has been left
            return min(moves, key=self._inclined)
        return min(hopeful, key=lambda move: (promises[move.key], *self._inclined(move)), default=None)

    def _is_new(self, move: Move) -> bool:
        """Whether a move was never done, and may be possible."""
        return not self.known.done[move.key] and self.known.refused[self._in_such(move)] < REFUSALS

    def _in_such(self, move: Move) -> str:
        """Name a move in a case that began like this one: what is refused in one may be possible in another."""
        return f"{move.key} when {self.opening.label}{', and something is missing' if self.lacks else ''}"

    def _promise(self, move: Move, distances: Mapping[str, int]) -> int:
        """Say how far what a move once led to is from something that was never reached; less is hoped of it in this walk each time."""
        led_to = self.known.effects.get(move.key) or self.rests
        nearest = min((distances[element] for element in led_to if element in distances), default=FAR)
        return nearest + PATIENCE * self.here[move.key]

    def _inclined(self, move: Move, *, plainly: bool = False) -> tuple[Any, ...]:
        """Order moves by inclination, the preferred first."""
        late = move.due_at.timestamp() if move.due_at else 0.0
        seldom = self.here[move.key]
        orders: dict[Inclination, tuple[Any, ...]] = {
            Inclination.DUE: (move.kind, late, move.rank),
            Inclination.PROMPT: (move.kind, move.rank + seldom),
            Inclination.UNWILLING: (move.kind, seldom - move.rank),
            Inclination.LATE: (move.kind is not Kind.TIME, move.kind, seldom),
            Inclination.FICKLE: (self.walker.chance.random(),),
        }
        return orders[Inclination.PROMPT if plainly and self.inclination is not Inclination.DUE else self.inclination]
