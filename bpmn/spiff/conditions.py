"""Conditions: conditional events are put the question again when variables change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn import errors
from bpmn.waits import WaitKind

if TYPE_CHECKING:
    from bpmn.spiff.process import Process
    from bpmn.spiff.token import Token

#: The scope that has the variable (None: the process), its name, and whether it was created, updated or deleted.
Change = tuple["Token | None", str, str]


class Conditions:
    """The variables of a process that have changed since its conditions were last put."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._changes: list[Change] = []

    def set(self, scope: Token | None, name: str, value: Any) -> None:
        """Set a variable of a scope (None: of the process)."""
        variables = self._process.variables if scope is None else scope.facts["local"]
        self._note(scope, name, "update" if name in variables else "create")
        variables[name] = value

    def remove(self, scope: Token | None, name: str) -> None:
        """Remove a variable of a scope (None: of the process), if it is there."""
        variables = self._process.variables if scope is None else scope.facts.get("local", {})
        if name in variables:
            del variables[name]
            self._note(scope, name, "delete")

    def forget(self) -> None:
        """Put no condition for what has changed until now."""
        self._changes.clear()

    def put(self) -> None:
        """Put every condition that a change concerns; what it starts may change more."""
        while self._changes:
            changes, self._changes = self._changes, []
            for token in [token for token in self._process.tasks.values() if token.kind is WaitKind.CONDITION]:
                if not token.gone and _sees(token, changes):
                    _put(token)

    def _note(self, scope: Token | None, name: str, change: str) -> None:
        if self._process.spec.has_conditions:
            self._changes.append((scope, name, change))


def _put(token: Token) -> None:
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
