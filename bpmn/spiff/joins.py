"""Joins: the tokens that wait for other tokens, and when they may go on."""

from __future__ import annotations

from SpiffWorkflow.task import TaskState

from bpmn.spiff import reach
from bpmn.spiff.gateways import InclusiveGateway
from bpmn.spiff.token import Token

#: Tokens at one join, by the flow they came by, oldest first.
Arrived = dict[str, list[Token]]


class Joins:
    """All tokens of a process that wait at a gateway.

    They are kept per gateway and per scope: two activations of one subprocess never share a join.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], Arrived] = {}

    def add(self, token: Token) -> None:
        """Keep a token at its gateway."""
        token.rest(TaskState.WAITING)
        self._waiting.setdefault(_place(token), {}).setdefault(token.flow or "", []).append(token)

    def remove(self, token: Token) -> None:
        """Let go of a token."""
        flow, arrived = token.flow or "", self.arrived(token)
        arrived[flow].remove(token)
        if not arrived[flow]:
            del arrived[flow]
        if not arrived:
            del self._waiting[_place(token)]

    def arrived(self, token: Token) -> Arrived:
        """Return what waits together with a token."""
        return self._waiting[_place(token)]

    def open(self, token: Token) -> None:
        """Take the oldest token of each flow at the gateway of this one: the first goes on, the others end in it."""
        self._merge([tokens[0] for tokens in self.arrived(token).values()])

    def open_by_number(self, token: Token, number: int) -> None:
        """Take so many tokens, the oldest first, whatever flow they came by; fewer go on waiting."""
        here = [each for tokens in self.arrived(token).values() for each in tokens]
        if len(here) >= number:
            self._merge(sorted(here, key=lambda each: each.id)[:number])

    def _merge(self, tokens: list[Token]) -> None:
        """Let the oldest token go on; the others end in it."""
        first, *others = sorted(tokens, key=lambda each: each.id)
        self.remove(first)
        first.joined = tuple(other.id for other in others)
        first.run_again()
        for other in others:
            self.remove(other)
            other.rest(TaskState.COMPLETED)
            other.workflow.discard(other)

    def open_next(self) -> bool:
        """Open the first inclusive join that no token can reach any more; to be asked when nothing else moves."""
        for arrived in self._waiting.values():
            token = next(iter(arrived.values()))[0]
            gateway = token.task_spec
            if isinstance(gateway, InclusiveGateway) and reach.may_open(gateway, token.scope):
                self.open(token)
                return True
        return False

    def stuck(self) -> list[tuple[Token, str]]:
        """Say for each token here what it lacks."""
        return [
            (token, token.task_spec.lacks(arrived)) for arrived in self._waiting.values() for tokens in arrived.values() for token in tokens
        ]


def _place(token: Token) -> tuple[int, str]:
    return token.scope.id, token.task_spec.name
