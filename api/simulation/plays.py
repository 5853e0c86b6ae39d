"""Plays: what happened on a stage, step by step, as it is reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from api.simulation import course
from api.simulation.choices import Survey
from api.simulation.hall import Refused, Unmet
from api.simulation.lines import Line, written
from api.simulation.scenario import Scenario, Step
from api.simulation.stage import Stage
from engine import simulation
from engine.calendars import BEIJING
from engine.simulation import Figure
from engine.simulation.reading import Reader
from engine.simulation.standing import Standing


@dataclass(kw_only=True)
class Play:
    """One walk, or one scenario."""

    name: str
    lines: list[Line] = field(default_factory=list)
    #: Of a walk: its number; that of the walk that it goes on from, and how many lines of that are its first ones.
    number: int = 0
    after: int = 0
    shared: int = 0
    #: Why it went wrong; empty: it did not.
    failure: str = ""
    #: Names of the tasks that were open at the end, by group.
    open: dict[str, list[str]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    #: How many nodes and flows nobody had reached before.
    gained: int = 0


@dataclass(frozen=True, kw_only=True)
class Played:
    """Everything that was played in one process; what was chosen in it, unless scenarios were played."""

    plays: Sequence[Play] = ()
    survey: Survey | None = None

    @property
    def telling(self) -> list[Play]:
        """The first play, and those that reached something or failed."""
        return [play for place, play in enumerate(self.plays) if place == 0 or play.gained or play.failure or self.survey is None]


class Recorder:
    """Writes a play down while it goes on."""

    def __init__(self, stage: Stage, play: Play, reader: Reader) -> None:
        self.stage, self.reader, self.play = stage, reader, play
        self._before = self._reached()

    def note(self, who: str, what: str, refused: str = "") -> Line:
        """Write down what was done just now, with what came of it."""
        line = Line(
            at=datetime.now(BEIJING),
            who=who,
            what=what,
            reached=tuple(self.stage.witness.take()),
            refused=refused,
        )
        self.play.lines.append(line)
        return line

    def end(self, standing: Standing | None = None) -> Play:
        """Write down how it ended; what stands open is read, where nobody knows it."""
        with self.stage.hall.database.reading() as session:
            standing = standing or self.reader.read(session)
            self.play.figures = simulation.figures(session)
        for task in standing.tasks:
            for group in task.groups or ("",):
                self.play.open.setdefault(group, []).append(task.name)
        if standing.incidents and not self.play.failure:
            first = standing.incidents[0]
            self.play.failure = f"{first.name} ({first.element}) failed: {first.what}"
        self.play.gained = self._reached() - self._before
        return self.play

    def _reached(self) -> int:
        return sum(len(covered.reached) for covered in self.stage.witness.coverage.values())


def perform(stage: Stage, scenario: Scenario) -> Play:
    """Play a scenario from the furnished stage; where it goes another way, the play has failed."""
    stage.begin_anew()
    recorder = Recorder(stage, Play(name=scenario.name), Reader())
    told = Telling(recorder)
    try:
        course.play(stage.hall, scenario, told.tell)
    except (Unmet, Refused) as error:
        recorder.play.failure = str(error)
    return recorder.end()


class Telling:
    """Says in words what a step of a scenario does."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def tell(self, step: Step | None) -> None:
        """Write down a step that was played; None: the case was begun."""
        words = list(_words(step)) if step is not None else ["begins"]
        if words:
            self.recorder.note(step.actor if step is not None else "clerk", ", ".join(words))


def _words(step: Step) -> Iterator[str]:
    if step.wait_until is not None:
        yield "time passes"
    if step.complete is not None:
        yield f"completes {step.complete}" + (f" of {step.item}" if step.item else "") + written(step.data)
    for verb, what in (("hands in", step.hand_in), ("adds", step.follow_on)):
        if what:
            yield f"{verb} {'、'.join(what)}"
    yield from _of_processes(step)
    if step.adopt is not None:
        yield f"adopts {step.adopt}"
    if step.withdraw is not None:
        yield f"withdraws {'the case' if step.withdraw == '*' else step.withdraw}"


def _of_processes(step: Step) -> Iterator[str]:
    """Say what a step does in a process without a matter."""
    if step.perform is not None:
        yield (f"raises the error {step.error} at {step.perform}" if step.error else f"does {step.perform}") + written(step.data)
    if step.raise_at is not None:
        kind, code = ("error", step.error) if step.error is not None else ("escalation", step.escalation)
        yield f"raises the {kind} {code} at {step.raise_at}" + written(step.data)
    if step.signal is not None:
        yield f"the signal {step.signal} is thrown" + written(step.data)
    if step.send is not None:
        yield f"the message {step.send} comes in" + (" for" + written(step.keys) if step.keys else "") + written(step.data)
