"""Conditions: conditional events are evaluated again when a variable changes that they may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bpmn import errors
from bpmn.waits import WaitKind

if TYPE_CHECKING:
    from bpmn.spiff.process import Process
    from bpmn.spiff.token import Token

#: The scope that has the variable (None: the process), its name, and whether it was created, updated or deleted.
Change = tuple["Token | None", str, str]
#: Stands for the value of a variable that was not there.
_ABSENT = object()


class Conditions:
    """The changes of variables since the conditions of a process were last evaluated.  Every variable is set through here."""

    def __init__(self, process: Process) -> None:
        self._process = process
        #: What has changed since the conditions were evaluated last.
        self.changes: list[Change] = []
        #: What was set since `all_or_none` began: the scope's variables, the name, the value before.  None: outside of such a block.
        self._before: list[tuple[dict[str, Any], str, Any]] | None = None

    def set(self, scope: Token | None, name: str, value: Any) -> None:
        """Set a variable of a scope (None: of the process)."""
        variables = self._process.variables if scope is None else scope.facts["local"]
        self._note(scope, name, "update" if name in variables else "create")
        if self._before is not None:
            self._before.append((variables, name, variables.get(name, _ABSENT)))
        variables[name] = value

    def remove(self, scope: Token | None, name: str) -> None:
        """Remove a variable of a scope (None: of the process), if it is there."""
        variables = self._process.variables if scope is None else scope.facts.get("local", {})
        if name in variables:
            del variables[name]
            self._note(scope, name, "delete")

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """When the block raises, take back every variable that was set in it."""
        self._before, changes = [], len(self.changes)
        try:
            yield
        except BaseException:
            for variables, name, value in reversed(self._before):
                variables[name] = value
                if value is _ABSENT:
                    del variables[name]
            del self.changes[changes:]
            raise
        finally:
            self._before = None

    def forget(self) -> None:
        """Forget the changes until now: no condition is evaluated because of them."""
        self.changes.clear()

    def evaluate(self) -> None:
        """Evaluate the conditions that the changes concern, until nothing has changed any more: what one sets off may change others."""
        while self.changes:
            changes, self.changes = self.changes, []
            waiting = self._process.tasks.at(self._process.spec.catching)
            for token in [token for token in waiting if token.kind is WaitKind.CONDITION]:
                if not token.gone and _sees(token, changes):
                    _evaluate(token)

    def _note(self, scope: Token | None, name: str, change: str) -> None:
        if self._process.spec.has_conditions:
            self.changes.append((scope, name, change))


def _evaluate(token: Token) -> None:
    event = token.task_spec
    try:
        if event.holds(token):
            event.trigger(token)
    except errors.BpmnError as error:
        token.error()
        token.facts["error"] = str(error)


def _sees(token: Token, changes: list[Change]) -> bool:
    """Whether a change concerns the condition that a token waits for."""
    scopes = set(map(id, token.outwards()))
    return any(token.task_spec.concerns(name, change) for scope, name, change in changes if scope is None or id(scope) in scopes)
