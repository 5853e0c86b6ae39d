"""Joins: the tokens that wait for other tokens, and when they may go on."""

from __future__ import annotations

from SpiffWorkflow.task import TaskState

from bpmn.spiff.token import Token

#: Tokens at one join, by the flow they came by, oldest first.
Arrived = dict[str, list[Token]]


class Joins:
    """All tokens of a process that wait at a gateway.

    They are kept per gateway and per scope: two activations of one subprocess never share a join.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], list[Token]] = {}

    def add(self, token: Token) -> None:
        """Keep a token at its gateway."""
        token.rest(TaskState.WAITING)
        self._waiting.setdefault(_place(token), []).append(token)

    def remove(self, token: Token) -> None:
        """Let go of a token."""
        tokens = self._waiting[_place(token)]
        tokens.remove(token)
        if not tokens:
            del self._waiting[_place(token)]

    def arrived(self, token: Token) -> Arrived:
        """Return what waits together with a token."""
        return _by_flow(self._waiting[_place(token)])

    def open(self, token: Token) -> None:
        """Take the oldest token of each flow at the gateway of this one: the first goes on, the others end in it."""
        first, *others = sorted((tokens[0] for tokens in self.arrived(token).values()), key=lambda each: each.id)
        self.remove(first)
        first.run_again()
        for other in others:
            self.remove(other)
            other.rest(TaskState.COMPLETED)
            other.workflow.discard(other)

    def open_next(self) -> bool:
        """Open the first inclusive join that no token can reach any more; to be asked when nothing else moves."""
        blockers: dict[int, list[Token]] = {}
        for tokens in self._waiting.values():
            token = tokens[0]
            blocking = token.task_spec.blockers(token.scope, _by_flow(tokens))
            if blocking == []:
                self.open(token)
                return True
            if blocking:
                blockers |= dict.fromkeys((each.id for each in tokens), blocking)
        circle = _circle(blockers)
        if circle is None:
            return False
        self.open(next(token for tokens in self._waiting.values() for token in tokens if token.id == circle))
        return True

    def stuck(self) -> list[tuple[Token, str]]:
        """Say for each token here what it lacks."""
        return [(token, token.task_spec.lacks(_by_flow(tokens))) for tokens in self._waiting.values() for token in tokens]


def _circle(blockers: dict[int, list[Token]]) -> int | None:
    """Find joins that wait for nothing but each other, which would be for ever; return the token that came first."""
    held = {token for token, blocking in blockers.items() if any(each.id not in blockers for each in blocking)}
    while more := {token for token, blocking in blockers.items() if any(each.id in held for each in blocking)} - held:
        held |= more
    return min(blockers.keys() - held, default=None)


def _by_flow(tokens: list[Token]) -> Arrived:
    flows: Arrived = {}
    for token in tokens:
        flows.setdefault(token.flow or "", []).append(token)
    return flows


def _place(token: Token) -> tuple[int, str]:
    return token.scope.id, token.task_spec.name
