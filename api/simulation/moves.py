"""Moves: everything that can happen next where a case rests."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from api.simulation.hall import Person
from api.simulation.plays import written
from api.simulation.stage import Stage
from engine import simulations, standing
from engine.openings import Opening
from engine.standing import Open, OpenTask, OpenTimer, OpenWork, Standing

#: Message by which a case that is taken back leaves its tasks; other messages of a case come from what people do.
WITHDRAWN = "withdrawn"
REASON = "申请人撤回"
#: How long a worker holds what it does, milliseconds.
LOCK = 60_000


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
        # Who waits for a later timer lets the earlier ones run out, too.
        own = [timer for timer in open_now.timers[1:] if timer.process == self.subject]
        found += [self._wait(timer) for timer in [*open_now.timers[:1], *own]]
        if not self.opening.is_plain:
            found += self._join(open_now)
        return found

    def _complete(self, task: OpenTask) -> Iterator[Move]:
        who = self.people[task.by or "admin"]
        for rank, sample in enumerate(task.samples):
            yield Move(
                key=self._key(task, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=who.name if task.by else ", ".join(task.groups) or "anybody",
                what=f"completes {task.name}{f' of {task.item}' if task.item else ''}{written(sample)}",
                act=lambda sample=sample: self._do(task, who, sample),  # type: ignore[misc]
                due_at=task.due_at,
                rank=rank,
                kind=Kind.TASK,
            )

    def _do(self, task: OpenTask, who: Person, sample: Mapping[str, Any]) -> None:
        if not task.by:
            with self.people.database.transaction() as session:
                standing.let_anybody(session, task.id)
        who.post(f"/tasks/{task.id}/complete", sample)

    def _work(self, work: OpenWork) -> Iterator[Move]:
        worker = self.people[simulations.WORKER]
        for rank, sample in enumerate(work.samples):
            body = {"workerId": worker.name, "variables": typed(sample)}
            yield Move(
                key=self._key(work, json.dumps(sample, ensure_ascii=False, sort_keys=True)),
                who=worker.name,
                what=f"does {work.name}{written(sample)}",
                act=lambda body=body: self._report(work, "complete", body),  # type: ignore[misc]
                rank=rank,
                kind=Kind.TASK,
            )
        for code in work.errors:
            body = {"workerId": worker.name, "errorCode": code}
            yield Move(
                key=self._key(work, f"error {code}"),
                who=worker.name,
                what=f"raises the error {code} at {work.name}",
                act=lambda body=body: self._report(work, "bpmnError", body),  # type: ignore[misc]
                rank=len(work.samples),
                kind=Kind.TURN,
            )

    def _report(self, work: OpenWork, verb: str, body: Mapping[str, Any]) -> None:
        worker = self.people[simulations.WORKER]
        worker.camunda(f"/external-task/{work.id}/lock", {"workerId": worker.name, "lockDuration": LOCK})
        worker.camunda(f"/external-task/{work.id}/{verb}", body)

    def _send(self, message: Open) -> Iterator[Move]:
        """Send a message; those that a case waits for come from what people do."""
        clerk, number = self.people["clerk"], self.case["number"]
        if self.opening.is_plain:
            body, kind = (
                {"messageName": message.what, "processInstanceId": str(message.instance)},
                Kind.TURN if message.beside else Kind.TASK,
            )
            act: Callable[[], object] = lambda: self.people["admin"].camunda("/message", body)  # noqa: E731
            yield Move(key=self._key(message, "message"), who="", what=f"the message {message.what} comes in", act=act, kind=kind)
        elif message.what == WITHDRAWN:
            act = lambda: clerk.post(f"/cases/{number}/withdraw", {"reason": REASON})  # noqa: E731
            yield Move(key=self._key(message, "message"), who=clerk.name, what="withdraws the case", act=act, kind=Kind.TURN)

    def _wait(self, timer: OpenTimer) -> Move:
        return Move(
            key=self._key(timer, "time"),
            who="",
            what=f"time passes: {timer.name}",
            act=lambda: self.people.at(timer.due_at),
            kind=Kind.TIME,
        )

    def _join(self, open_now: Standing) -> Iterator[Move]:
        """Materials follow, items join or are taken back, while something of the case is open."""
        clerk, number = self.people["clerk"], self.case["number"]
        here = next((task.element for task in open_now.tasks if task.process == self.subject), "the departments")
        if missing := open_now.missing:
            act: Callable[[], object] = lambda: clerk.hand_in(number, *missing)  # noqa: E731
            yield Move(key=f"materials at {here}", who=clerk.name, what=f"hands in {'、'.join(missing)}", act=act, kind=Kind.MATERIAL)
        others = [code for code in self.called if code not in open_now.items]
        if others:
            act = lambda: clerk.follow_on(number, others[0])  # noqa: E731
            yield Move(key=f"join at {here}", who=clerk.name, what=f"adds {others[0]}", act=act, kind=Kind.TURN)
        if open_now.withdrawable:
            item, code = open_now.withdrawable[-1]
            act = lambda: clerk.post(f"/items/{item}/withdraw", {"reason": REASON})  # noqa: E731
            yield Move(key=f"withdrawal at {here}", who=clerk.name, what=f"withdraws {code}", act=act, kind=Kind.TURN)

    def _key(self, what: Open, how: str) -> str:
        """Name a move; what happens in the processes that are called counts once, wherever it happens."""
        return f"{what.element if what.process == self.subject else 'called'} {how}"


def typed(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Write variables as Camunda's clients do."""
    return {
        name: {"value": json.dumps(value), "type": "Json"} if isinstance(value, (list, dict)) else {"value": value}
        for name, value in sample.items()
    }
