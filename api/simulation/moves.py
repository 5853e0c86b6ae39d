"""Moves: everything that can happen next where a case rests."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import partial
from typing import Any

from api.simulation import plain
from api.simulation.lines import written
from api.simulation.stage import Stage
from engine import simulation
from engine.simulation.openings import Opening
from engine.simulation.standing import Open, OpenTask, OpenTimer, OpenWork, Standing

#: Message by which a case that is taken back leaves its tasks; other messages of a case come from what people do.
WITHDRAWN = "withdrawn"
REASON = "申请人撤回"


class Kind(IntEnum):
    """What comes first where nothing else matters."""

    TASK = 0  #: somebody does what is waited for
    TIME = 1  #: a timer runs out
    MATERIAL = 2  #: what is missing follows
    TURN = 3  #: an error, a withdrawal, a message, an item more: what need not be


@dataclass(frozen=True, kw_only=True)
class Move:
    """Something that can happen."""

    #: What it is, whenever it comes up: once done it is nothing new.
    key: str
    #: What it answers, and whether that is in the process that is tried out.
    answers: Open | None = None
    is_own: bool = False
    #: Whether it is an error or an escalation.
    is_raised: bool = False
    who: str
    what: str
    act: Callable[[], object]
    #: Tasks: when due, and which of their samples it is.
    due_at: datetime | None = None
    rank: int = 0
    kind: Kind


class Mover:
    """Knows the moves of one case, as seen from the process that is tried out."""

    def __init__(self, stage: Stage, subject: str, opening: Opening, case: Any, *, called: Collection[str], carried: bool) -> None:
        self.subject, self.opening, self.case, self.called, self.carried = subject, opening, case, called, carried
        self.people = stage.hall

    def moves(self, open_now: Standing) -> list[Move]:
        """List everything that can happen, in the order of the database."""
        found = [move for task in open_now.tasks for move in self._complete(task)]
        found += [move for work in open_now.work for move in self._work(work)]
        found += [move for message in open_now.messages for move in self._send(message)]
        found += [self._throw(signal) for signal in open_now.signals]
        # Who waits for a later timer lets the earlier ones run out, too.
        own = [timer for timer in open_now.timers[1:] if timer.process == self.subject]
        found += [self._wait(timer) for timer in [*open_now.timers[:1], *own]]
        found += self._change(open_now) if self.opening.is_plain else self._join(open_now)
        return found

    def _complete(self, task: OpenTask) -> Iterator[Move]:
        who, of = task.by or ", ".join(task.groups) or "anybody", f" of {task.item}" if task.item else ""
        for rank, sample in enumerate(task.samples):
            yield Move(
                **self._named(task, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=who,
                what=f"completes {task.name}{of}{written(sample)}",
                act=partial(plain.complete, self.people, task, sample),
                due_at=task.due_at,
                rank=rank,
                kind=Kind.TASK,
            )
        for verb, codes in (("error", task.errors), ("escalation", task.escalations)):
            for code in codes:
                act = partial(plain.raise_at, self.people, task, verb, code, {})
                what = f"raises the {verb} {code} at {task.name}{of}"
                yield Move(**self._named(task, f"{verb} {code}"), who=who, what=what, act=act, kind=Kind.TURN, is_raised=True)

    def _work(self, work: OpenWork) -> Iterator[Move]:
        for rank, sample in enumerate(work.samples):
            yield Move(
                **self._named(work, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=simulation.WORKER,
                what=f"does {work.name}{written(sample)}",
                act=partial(plain.report, self.people, work, sample),
                rank=rank,
                kind=Kind.TASK,
            )
        for code in work.errors:
            act = partial(plain.report, self.people, work, {}, error=code)
            what = f"raises the error {code} at {work.name}"
            yield Move(**self._named(work, f"error {code}"), who=simulation.WORKER, what=what, act=act, kind=Kind.TURN, is_raised=True)

    def _send(self, message: Open) -> Iterator[Move]:
        """Send a message; those that a case waits for come from what people do."""
        clerk, number = self.people["clerk"], self.case["number"]
        if self.opening.is_plain:
            yield Move(
                **self._named(message, "message"),
                who="",
                what=f"the message {message.what} comes in",
                act=partial(plain.send, self.people, message.what, {}, instance=message.instance),
                kind=Kind.TASK if message.host is None else Kind.TURN,
            )
        elif message.what == WITHDRAWN:
            act = partial(clerk.post, f"/cases/{number}/withdraw", {"reason": REASON})
            yield Move(**self._named(message, "message"), who=clerk.name, what="withdraws the case", act=act, kind=Kind.TURN)

    def _throw(self, signal: Open) -> Move:
        return Move(
            **self._named(signal, "signal"),
            who="",
            what=f"the signal {signal.what} is thrown",
            act=partial(plain.throw, self.people, signal.what, {}),
            kind=Kind.TASK if signal.host is None else Kind.TURN,
        )

    def _wait(self, timer: OpenTimer) -> Move:
        act = partial(self.people.at, timer.due_at)
        return Move(**self._named(timer, "time"), who="", what=f"time passes: {timer.name}", act=act, kind=Kind.TIME)

    def _change(self, open_now: Standing) -> Iterator[Move]:
        """A variable changes, at which a conditional event looks."""
        for variable in open_now.variables:
            for value in variable.values:
                act = partial(plain.change, self.people, variable.instance, variable.name, value)
                key, what = f"variable {variable.name}={value!r}", f"{variable.name} becomes {value}"
                yield Move(key=key, who="", what=what, act=act, kind=Kind.TURN)

    def _join(self, open_now: Standing) -> Iterator[Move]:
        """Materials follow, items join or are taken back, while something of the case is open."""
        clerk, number = self.people["clerk"], self.case["number"]
        here = next((task.element for task in open_now.tasks if task.process == self.subject), "the departments")
        if missing := open_now.missing:
            key, what = f"materials at {here}", f"hands in {'、'.join(missing)}"
            yield Move(key=key, who=clerk.name, what=what, act=partial(clerk.hand_in, number, *missing), kind=Kind.MATERIAL)
        if others := [code for code in self.called if code not in open_now.items]:
            key, what = f"join at {here}", f"adds {others[0]}"
            yield Move(key=key, who=clerk.name, what=what, act=partial(clerk.follow_on, number, others[0]), kind=Kind.TURN)
        if open_now.withdrawable:
            item, code = open_now.withdrawable[-1]
            act = partial(clerk.post, f"/items/{item}/withdraw", {"reason": REASON})
            key, what = f"withdrawal at {here}", f"withdraws {code}"
            yield Move(key=key, who=clerk.name, what=what, act=act, kind=Kind.TURN)

    def _named(self, what: Open, how: str) -> dict[str, Any]:
        """Name a move by what it answers; in the processes that it calls, time is one thing."""
        place = f"{what.process}.{what.element} {how}"
        if what.process == self.subject:
            return {"key": place, "answers": what, "is_own": True}
        once = isinstance(what, OpenTimer) and not self.carried
        return {"key": f"called {how}" if once else place, "answers": what}
