"""One walk (走查): a case goes through a drawing as long as it comes upon anything new, and leaves the rest of what is new to others."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from api.simulation import plain
from api.simulation.choices import Worth
from api.simulation.hall import Refused
from api.simulation.moves import Kind, Move, Mover
from api.simulation.plays import Play, Recorder
from api.simulation.rests import Behind, Rest
from engine import samples
from engine.calendars import BEIJING
from engine.trails import Step

if TYPE_CHECKING:
    from api.simulation.walks import Branch, Walker

#: Steps of a walk at most, and in a row that were worth nothing.
STEPS, IDLE = 80, 12
#: Where everything is submitted.
HALL = next(iter(samples.HALLS))
#: What went wrong inside, not what was asked for.
BROKEN = 500
#: When somebody does on the last day what is due that day.
MORNING, ONE = time(9), timedelta(microseconds=1)


class Walk:
    """One walk."""

    def __init__(self, walker: Walker, branch: Branch, worth: Worth) -> None:
        self.walker, self.branch, self.opening = walker, branch, branch.opening
        self.stage, self.hall, self.choices = walker.stage, walker.stage.hall, walker.choices
        #: Whether it goes straight to the end; and whether everything is done on the day it is due.
        self.straight = branch.rest is None and walker.is_new(branch.opening)
        self.due = walker.walked == 1
        self.hopes = worth is Worth.HOPE
        #: What it goes for.
        self.aims: set[Step] = set()
        #: Moves that were refused since the case last moved.
        self.refused: set[str] = set()

    def play(self) -> Play:
        """Walk, and tell what happened."""
        scene = self.branch.rest.scene if self.branch.rest else None
        if scene is not None:
            self.stage.show(scene)
        else:
            self.stage.begin_anew()
        self.recorder = Recorder(self.stage, self._empty(), self.walker.reader)
        try:
            self.rest = self.branch.rest or self._begun()
            if self.hopes and self.branch.rest is None and (aim := self.walker.outlook.aim(self.walker.beginnings)) is not None:
                self.aims.add(aim[1])
            move = self.branch.move or self._chosen()
            while move is not None:
                self._make(move)
                move = self._chosen()
        except Refused as error:
            self.recorder.play.failure = str(error)
            return self.recorder.end()
        for step in self.aims:
            step.tries += 1
        return self.recorder.end(self.rest.standing)

    def _empty(self) -> Play:
        """Name the play, and let it begin with what another walk has done already."""
        number, rest, move = self.walker.walked, self.branch.rest, self.branch.move
        name = f"walk {number}: {self.opening.label}"
        if rest is None or move is None:
            return Play(name=f"{name}; everything on the day it is due" if self.due else name, number=number)
        name += f"; as walk {rest.walk}, then {f'{move.who} {move.what}'.strip()}"
        return Play(name=name, lines=list(rest.lines), number=number, after=rest.walk, shared=len(rest.lines))

    # How it begins ----------------------------------------------------------------------------------------------------------------------

    def _begun(self) -> Rest:
        """Let the case begin."""
        case: Any = {"number": ""}
        opening = self.opening
        self.walker.begun |= {opening.label, *opening.items}
        self.walker.played.append(opening)
        if opening.moment is not None:
            self.hall.at(opening.moment)
        elif opening.signal is not None:
            plain.throw(self.hall, opening.signal, opening.variables)
        elif opening.is_plain:
            plain.begin(self.hall, opening.key, opening.variables, message=opening.message)
        else:
            case = self._submitted()
        mover = Mover(self.stage, self.walker.subject, opening, case, called=self.walker.calls.values(), carried=self.walker.carried)
        self.recorder.note("admin" if opening.is_plain else "clerk", f"begins: {opening.spoken}")
        return self._rest(mover)

    def _submitted(self) -> Any:
        opening = self.opening
        clerk, submission = self.hall["clerk"], {"hall": HALL, "applicant": dict(opening.applicant)}
        rest = {"answers": dict(opening.answers), "materials": list(opening.materials)}
        if opening.alone is None:
            return clerk.submit(**submission, **rest, matter=opening.key)
        alone = clerk.submit(**submission, answers=dict(opening.answers), matter=opening.alone)
        return clerk.submit(**submission, **rest, matter=opening.key, adopt=[alone["items"][0]["number"]])

    def _rest(self, mover: Mover, **how: Any) -> Rest:
        """See where the case stands, and what can be next."""
        with self.hall.database.reading() as session:
            standing = self.recorder.reader.read(session, mover.case["number"])
        moves = mover.moves(standing)
        rest = Rest(
            walk=self.walker.walked,
            opening=self.opening,
            mover=mover,
            standing=standing,
            moves=moves,
            behind={move.key: self._behind(move) for move in moves},
            living=frozenset(trail for each in self.walker.trails.living() for trail in each.trails),
            lines=tuple(self.recorder.play.lines),
            **how,
        )
        for move in moves:
            if move.is_own or not self.walker.carried:
                self.choices.see(move)
        return rest

    def _behind(self, move: Move) -> Behind:
        """Say how the tokens came that a move is about."""
        if move.answers is None or not move.is_own:
            return ()
        return self.walker.trails.behind(move.answers.instance, move.answers.element, raised=move.is_raised)

    # What is done -----------------------------------------------------------------------------------------------------------------------

    def _make(self, move: Move) -> None:
        """Make a move; one that is refused is not made again here."""
        before, known = self.rest, self._known()
        self.walker.steps += 1
        before.tried.add(move.key)
        if self.hopes and (aim := self.walker.aim(before, move)) is not None:
            self.aims.add(aim[1])
        if self.due and move.due_at is not None:
            self._wait_until_the_day(move.due_at)
        try:
            move.act()
        except Refused as error:
            if error.status >= BROKEN:
                raise
            self._refuse(move, error)
            return
        if move.kind is not Kind.TIME:
            self.hall.tick()
        reached = self.recorder.note(move.who, move.what).reached
        self.choices.note(move, before.tokens(move), before.beside(move), before.history)
        for key in {each.flow or each.element for each in reached if each.process == self.walker.subject}:
            self.choices.examples.setdefault(key, set()).update((self.opening.spoken, *before.here, *before.done, move.key, move.origin))
        idle = 0 if self._known() > known else before.idle + 1
        self.rest = self._rest(
            before.mover, here=before.here + Counter([move.key]), done=before.done | {move.origin}, events=before.after(move), idle=idle
        )
        self.choices.effects.setdefault((before.living, move.key), set()).add(self.rest.living)
        self.refused.clear()

    def _refuse(self, move: Move, error: Refused) -> None:
        self.choices.refuse(move, self.rest.likeness, error.words)
        self.refused.add(move.key)
        self.recorder.note(move.who, move.what, refused=error.words)

    def _known(self) -> int:
        return self.choices.known + self.walker.known

    def _wait_until_the_day(self, due_at: datetime) -> None:
        day = datetime.combine((due_at - ONE).astimezone(BEIJING).date(), MORNING, BEIJING)
        if day > datetime.now(BEIJING):
            self.hall.at(day)

    # What is chosen ---------------------------------------------------------------------------------------------------------------------

    def _chosen(self) -> Move | None:
        """Choose what is worth most, and put off what else is worth something; None: the walk is over."""
        rest, moves = self.rest, [move for move in self.rest.moves if move.key not in self.refused]
        if not moves or rest.standing.incidents or len(self.recorder.play.lines) >= STEPS or rest.idle > IDLE:
            return None
        worth = {move.key: self.walker.worth(rest, move) for move in moves}
        worthy = [move for move in moves if worth[move.key] is not Worth.NOTHING]
        # Who only hopes does so when nothing else is left to do anywhere.
        new = worthy if self.hopes else [move for move in worthy if worth[move.key] is not Worth.HOPE]
        plainly = [move for move in moves if move.kind is not Kind.TURN]
        if self.straight or not (new or self._has_begun()):
            chosen = min(plainly, key=self._plainness, default=None)
        else:
            chosen = min(new, key=partial(self._preference, worth), default=None)
        self._put_off([move for move in worthy if move is not chosen])
        return chosen

    def _put_off(self, moves: list[Move]) -> None:
        """Let other walks go on from here."""
        if moves and self.rest.scene is None:
            self.rest.scene = self.stage.scene()
            for move in self.walker.chance.sample(moves, len(moves)):
                self.walker.plan(self.branch.at(self.rest, move))

    def _has_begun(self) -> bool:
        """Whether the process that is tried out was ever come to."""
        return any(each.process == self.walker.subject for line in self.recorder.play.lines for each in line.reached)

    def _preference(self, worth: dict[str, Worth], move: Move) -> tuple[Any, ...]:
        return (worth[move.key], *self.walker.promise(self.rest, move, worth[move.key]), *self._plainness(move))

    def _plainness(self, move: Move) -> tuple[Any, ...]:
        """Order moves as they usually come."""
        if self.due:
            return (move.kind, move.due_at.timestamp() if move.due_at else 0.0, move.rank + self.rest.here[move.key])
        return (move.kind, move.rank + self.rest.here[move.key])
