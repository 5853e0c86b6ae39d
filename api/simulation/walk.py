"""One walk (走查): a case goes through a drawing as long as it comes upon anything new, and leaves the rest of what is new to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from api.simulation import plain
from api.simulation.hall import Refused
from api.simulation.moves import Kind, Move, Mover
from api.simulation.plays import Play, Recorder
from api.simulation.rests import Behind, Rest
from engine import samples
from engine.calendars import BEIJING

if TYPE_CHECKING:
    from api.simulation.walks import Branch, Order, Walker

#: Steps of one walk; others go on from where it ends.
STEPS = 80
#: Where everything is submitted.
HALL = next(iter(samples.HALLS))
#: What went wrong inside, not what was asked for.
BROKEN = 500
#: When somebody does on the last day what is due that day.
MORNING, ONE = time(9), timedelta(microseconds=1)


class Walk:
    """One walk."""

    def __init__(self, walker: Walker, branch: Branch) -> None:
        self.walker, self.branch, self.opening = walker, branch, branch.opening
        self.stage, self.hall, self.choices = walker.stage, walker.stage.hall, walker.choices
        #: Whether it goes straight to the end; and whether everything is done on the day it is due.
        self.straight = branch.rest is None and walker.is_new(branch.opening)
        self.due = walker.walked == 1
        #: Moves that it has made, and in which situation.
        self.done: set[tuple[Hashable, str]] = set()

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
            move = self.branch.move or self._chosen()
            while move is not None:
                self._make(move)
                move = self._chosen()
        except Refused as error:
            self.recorder.play.failure = str(error)
            return self.recorder.end()
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
            living=Counter(each.trails for each in self.walker.trails.living()),
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
        """Make a move; where it is refused, everything stays as it was."""
        before = self.rest
        self.walker.steps += 1
        self.done.add((before.situation, move.key))
        if not (self.due and move.due_at is not None and self._waits_until_the_day(move.due_at)):
            self.choices.explored.add((before.situation, move.key))
        try:
            move.act()
        except Refused as error:
            if error.status >= BROKEN:
                raise
            self.choices.refuse(move, before.likeness, error.words)
            self.recorder.note(move.who, move.what, refused=error.words)
            return
        if move.kind is not Kind.TIME:
            self.hall.tick()
        self.recorder.note(move.who, move.what)
        self.choices.note(move, before.tokens(move), before.beside(move))
        self.choices.times[self.walker.alike(before, move)] += 1
        self.rest = self._rest(before.mover, here=before.here + Counter([move.key]), events=before.after(move))

    def _waits_until_the_day(self, due_at: datetime) -> bool:
        """Wait until it is due, unless it is by now; so it is done in another situation."""
        day = datetime.combine((due_at - ONE).astimezone(BEIJING).date(), MORNING, BEIJING)
        if day <= datetime.now(BEIJING):
            return False
        self.hall.at(day)
        return True

    # What is chosen ---------------------------------------------------------------------------------------------------------------------

    def _chosen(self) -> Move | None:
        """Choose what is best, and put off what else is worth something; None: the walk is over."""
        rest, walker = self.rest, self.walker
        is_known = rest.situation in walker.situations and rest.scene is None
        walker.situations.add(rest.situation)
        if rest.standing.incidents or (is_known and not self.straight):
            return None
        ordered = [(order, move) for move in rest.moves if (order := walker.order(rest, move)) is not None]
        chosen = self._plain() if self.straight else self._best(ordered)
        others = [move for _, move in ordered if move is not chosen]
        if others and rest.scene is None:
            rest.scene = self.stage.scene()
            for move in walker.chance.sample(others, len(others)):
                walker.plan(self.branch.at(rest, move))
        return chosen

    def _plain(self) -> Move | None:
        """Choose what usually comes next."""
        rest = self.rest
        if len(self.recorder.play.lines) >= STEPS:
            return None
        plainly = [move for move in rest.moves if move.kind is not Kind.TURN and (rest.situation, move.key) not in self.done]
        return min(plainly, key=self._plainness, default=None)

    def _best(self, ordered: list[tuple[Order, Move]]) -> Move | None:
        """Choose what is best, where nothing better was put off."""
        best = min((order for order, _ in ordered), default=None)
        waiting = self.walker.next()
        if best is None or (waiting is not None and waiting < best) or len(self.recorder.play.lines) >= STEPS:
            return None
        return min((move for order, move in ordered if order == best), key=self._plainness)

    def _plainness(self, move: Move) -> tuple[Any, ...]:
        """Order moves as they usually come."""
        if self.due:
            return (move.kind, move.due_at.timestamp() if move.due_at else 0.0, move.rank + self.rest.here[move.key])
        return (move.kind, move.rank + self.rest.here[move.key])
