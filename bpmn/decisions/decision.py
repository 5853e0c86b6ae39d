"""A decision: its logic, and what it requires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.decisions import types
from bpmn.decisions.boxed import KnowledgeModel
from bpmn.decisions.table import DecisionTable, Outcome
from bpmn.decisions.types import Type
from bpmn.errors import ExpressionError
from bpmn.expressions import plain
from bpmn.expressions.closures import Closure
from bpmn.expressions.expression import NO_FUNCTIONS
from bpmn.expressions.scope import DecisionScope, Invocation, Node, Scope


@dataclass(frozen=True, kw_only=True)
class BoxedExpression:
    """A decision whose logic is not a table at its top: an expression, a context, an invocation or a list."""

    #: Name of the variable that takes the value.
    name: str
    body: Node
    #: What the variable must be.
    kind: Type | None = None

    def decide(self, scope: Scope) -> Outcome:
        """Evaluate it."""
        return Outcome([{self.name: types.convert(self.body.run(scope), self.kind)}], listing=False)


@dataclass(frozen=True, kw_only=True)
class InputData:
    """A variable that the document declares."""

    name: str
    kind: Type


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision, ready to be evaluated."""

    id: str
    name: str
    logic: DecisionTable | BoxedExpression
    #: Id, name and variable name: under each of them, others find the result.
    names: tuple[str, ...]
    #: Decisions that are evaluated first.
    requires: tuple[Decision, ...] = ()
    #: Functions that it may call.
    knowledge: tuple[KnowledgeModel, ...] = ()
    #: Variables with a type of their own.
    inputs: tuple[InputData, ...] = ()
    #: What the result must be, where that is an item definition.
    kind: Type | None = None
    #: Variables that it (not what it requires) mentions, and functions that must be supplied.
    reads: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    #: What it gives to functions and methods.
    invocations: tuple[Invocation, ...] = ()
    line: int = 0

    def evaluate(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> list[dict[str, Any]]:
        """Return the result, a row per rule that hits and counts, as JSON.

        Raises ExpressionError, which names the decision, the rule and the column.
        """
        rows = _Evaluation(variables, DecisionScope({}, functions)).outcome(self).rows
        return [{name: plain(value) for name, value in row.items()} for row in rows]


class _Evaluation:
    """One evaluation of a decision and all that it requires; each is decided once."""

    def __init__(self, variables: Mapping[str, Any], root: Scope) -> None:
        self._variables = variables
        self._root = root
        self._done: dict[str, Outcome] = {}
        self._closures: dict[str, Closure] = {}

    def outcome(self, decision: Decision) -> Outcome:
        if decision.id not in self._done:
            known = dict(self._variables)
            for required in decision.requires:
                known |= _publish(required, self.outcome(required))
            known |= {model.name: model.close(self._root, self._closures) for model in decision.knowledge}
            try:
                self._done[decision.id] = self._decide(decision, known)
            except ExpressionError as error:
                raise ExpressionError(f"Decision {decision.name} ({decision.id}), {error}") from error
        return self._done[decision.id]

    def _decide(self, decision: Decision, known: dict[str, Any]) -> Outcome:
        for declared in decision.inputs:
            if declared.name in known:
                known[declared.name] = _made("input data", declared.name, known[declared.name], declared.kind)
        outcome = decision.logic.decide(self._root.child(known))
        if decision.kind:
            _made("the result", decision.name, outcome.value(), decision.kind)
        return outcome


def _made(what: str, name: str, value: Any, kind: Type) -> Any:
    try:
        return types.convert(value, kind)
    except ExpressionError as error:
        raise ExpressionError(f"{what} {name!r}: {error}") from error


def _publish(decision: Decision, outcome: Outcome) -> dict[str, Any]:
    """Return the variables in which a decision finds the result of another one that it requires.

    Each name of the required decision holds the value (a context, when there are several outputs), or a list of values.
    The name of each output holds its value, or the list of its values, as in Camunda 7.
    """
    if outcome.listing:
        outputs = {name: [row[name] for row in outcome.rows] for row in outcome.rows[:1] for name in row}
    else:
        outputs = outcome.rows[0] if outcome.rows else {}
    return outputs | dict.fromkeys(decision.names, outcome.value())
