"""Joins: the tokens that wait for other tokens, and when they may go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from SpiffWorkflow.task import TaskState

from bpmn.instructions import PROCESS
from bpmn.snapshot import Row
from bpmn.spiff import reach
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.token import Token

if TYPE_CHECKING:
    from bpmn.spiff.process import Process

#: Numbers of the tokens at one join, by the flow they came by, oldest first.
Arrived = defaultdict[str, list[int]]


class Joins:
    """All tokens of a process that wait at a gateway.

    They are kept per gateway and per scope: two activations of one subprocess never share a join.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        #: Of those that wait: their numbers, by the scope and the gateway, and by the flow they came by.
        self.waiting: defaultdict[tuple[int, str], Arrived] = defaultdict(lambda: defaultdict(list))

    def lay(self, rows: Iterable[Row]) -> None:
        """Keep the waiting tokens among those of a snapshot."""
        for row in rows:
            if row.state == TaskState.WAITING:
                self.waiting[PROCESS if row.scope is None else row.scope, row.element][row.flow or ""] += [row.id]

    def add(self, token: Token) -> None:
        """Let a token wait at its gateway."""
        token.rest(TaskState.WAITING)
        self.arrived(token)[token.flow or ""].append(token.id)

    def remove(self, token: Token) -> None:
        """Let a token wait no longer."""
        flow, arrived = token.flow or "", self.arrived(token)
        arrived[flow].remove(token.id)
        if not arrived[flow]:
            del arrived[flow]
        if not arrived:
            del self.waiting[_place(token)]

    def arrived(self, token: Token) -> Arrived:
        """Return the tokens that wait at the gateway of a token, in the same scope."""
        return self.waiting[_place(token)]

    def open(self, token: Token) -> None:
        """Take the oldest token of each flow at the gateway of this one: the first goes on, the others end in it."""
        self._merge(numbers[0] for numbers in self.arrived(token).values())

    def open_by_number(self, token: Token, number: int) -> None:
        """Take so many tokens, the oldest first, whatever flow they came by; fewer go on waiting."""
        here = sorted(each for numbers in self.arrived(token).values() for each in numbers)
        if len(here) >= number:
            self._merge(here[:number])

    def _merge(self, numbers: Iterable[int]) -> None:
        """Let the oldest token go on; the others end in it."""
        first, *others = [self._process.tasks[number] for number in sorted(numbers)]
        self.remove(first)
        first.joined = tuple(other.id for other in others)
        first.run_again()
        for other in others:
            self.remove(other)
            other.rest(TaskState.COMPLETED)
            other.workflow.discard(other)

    def open_next(self) -> bool:
        """Open the first inclusive join that no other token can reach any more; returns whether there is one.

        To be asked only when no token can run: what runs may still come.
        """
        for (scope, element), arrived in self.waiting.items():
            gateway = self._process.spec.task_specs[element]
            if isinstance(gateway, InclusiveGateway) and reach.may_open(gateway, self._process.tasks[scope]):
                self.open(self._process.tasks[next(iter(arrived.values()))[0]])
                return True
        return False

    def stuck(self) -> Iterator[tuple[int, str]]:
        """Yield each token that waits here, with what it lacks."""
        for (_, element), arrived in self.waiting.items():
            lack = self._process.spec.task_specs[element].lacks(arrived)
            yield from ((number, lack) for numbers in arrived.values() for number in numbers)


def _place(token: Token) -> tuple[int, str]:
    return token.scope.id, token.task_spec.name
