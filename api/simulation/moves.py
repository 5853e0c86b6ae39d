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
from api.simulation.plays import written
from api.simulation.stage import Stage
from engine import simulations
from engine.openings import Opening
from engine.standing import Open, OpenTask, OpenTimer, OpenWork, Standing

#: Message by which a case that is taken back leaves its tasks; other messages of a case come from what people do.
WITHDRAWN = "withdrawn"
REASON = "申请人撤回"


class Kind(IntEnum):
    """What comes first where nothing else matters."""

    TASK = 0  #: somebody does what is waited for
    MATERIAL = 1  #: what is missing follows
    TIME = 2  #: a timer runs out
    TURN = 3  #: an error, a withdrawal, a message, an item more: what need not be


@dataclass(frozen=True, kw_only=True)
class Move:
    """Something that can happen."""

    #: What it is, whenever it comes up: once done it is nothing new.
    key: str
    who: str
    what: str
    act: Callable[[], object]
    #: Tasks: when due, and which of their samples it is.
    due_at: datetime | None = None
    rank: int = 0
    kind: Kind


class Mover:
    """Knows the moves of one case, as seen from the process that is tried out."""

    def __init__(self, stage: Stage, subject: str, opening: Opening, case: Any, called: Collection[str]) -> None:
        self.subject, self.opening, self.case, self.called = subject, opening, case, called
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
        for rank, sample in enumerate(task.samples):
            yield Move(
                key=self._key(task, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=task.by or ", ".join(task.groups) or "anybody",
                what=f"completes {task.name}{f' of {task.item}' if task.item else ''}{written(sample)}",
                act=partial(plain.complete, self.people, task, sample),
                due_at=task.due_at,
                rank=rank,
                kind=Kind.TASK,
            )

    def _work(self, work: OpenWork) -> Iterator[Move]:
        for rank, sample in enumerate(work.samples):
            yield Move(
                key=self._key(work, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=simulations.WORKER,
                what=f"does {work.name}{written(sample)}",
                act=partial(plain.report, self.people, work, sample),
                rank=rank,
                kind=Kind.TASK,
            )
        for code in work.errors:
            yield Move(
                key=self._key(work, f"error {code}"),
                who=simulations.WORKER,
                what=f"raises the error {code} at {work.name}",
                act=partial(plain.report, self.people, work, {}, error=code),
                rank=len(work.samples),
                kind=Kind.TURN,
            )

    def _send(self, message: Open) -> Iterator[Move]:
        """Send a message; those that a case waits for come from what people do."""
        clerk, number = self.people["clerk"], self.case["number"]
        if self.opening.is_plain:
            yield Move(
                key=self._key(message, "message"),
                who="",
                what=f"the message {message.what} comes in",
                act=partial(plain.send, self.people, message.what, {}, instance=message.instance),
                kind=Kind.TURN if message.beside else Kind.TASK,
            )
        elif message.what == WITHDRAWN:
            act = partial(clerk.post, f"/cases/{number}/withdraw", {"reason": REASON})
            yield Move(key=self._key(message, "message"), who=clerk.name, what="withdraws the case", act=act, kind=Kind.TURN)

    def _throw(self, signal: Open) -> Move:
        return Move(
            key=self._key(signal, "signal"),
            who="",
            what=f"the signal {signal.what} is thrown",
            act=partial(plain.throw, self.people, signal.what),
            kind=Kind.TURN if signal.beside else Kind.TASK,
        )

    def _wait(self, timer: OpenTimer) -> Move:
        return Move(
            key=self._key(timer, "time"),
            who="",
            what=f"time passes: {timer.name}",
            act=partial(self.people.at, timer.due_at),
            kind=Kind.TIME,
        )

    def _change(self, open_now: Standing) -> Iterator[Move]:
        """A variable changes, at which a conditional event looks."""
        for variable in open_now.variables:
            for value in variable.values:
                yield Move(
                    key=f"variable {variable.name}={value!r}",
                    who="",
                    what=f"{variable.name} becomes {value}",
                    act=partial(plain.change, self.people, variable.instance, variable.name, value),
                    kind=Kind.TURN,
                )

    def _join(self, open_now: Standing) -> Iterator[Move]:
        """Materials follow, items join or are taken back, while something of the case is open."""
        clerk, number = self.people["clerk"], self.case["number"]
        here = next((task.element for task in open_now.tasks if task.process == self.subject), "the departments")
        if missing := open_now.missing:
            yield Move(
                key=f"materials at {here}",
                who=clerk.name,
                what=f"hands in {'、'.join(missing)}",
                act=partial(clerk.hand_in, number, *missing),
                kind=Kind.MATERIAL,
            )
        if others := [code for code in self.called if code not in open_now.items]:
            act = partial(clerk.follow_on, number, others[0])
            yield Move(key=f"join at {here}", who=clerk.name, what=f"adds {others[0]}", act=act, kind=Kind.TURN)
        if open_now.withdrawable:
            item, code = open_now.withdrawable[-1]
            act = partial(clerk.post, f"/items/{item}/withdraw", {"reason": REASON})
            yield Move(key=f"withdrawal at {here}", who=clerk.name, what=f"withdraws {code}", act=act, kind=Kind.TURN)

    def _key(self, what: Open, how: str) -> str:
        """Name a move; what happens in the processes that are called counts once, wherever it happens."""
        return f"{what.element if what.process == self.subject else 'called'} {how}"
