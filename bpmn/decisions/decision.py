"""A decision: its logic, and the decisions that it requires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.decisions import types
from bpmn.decisions.table import DecisionTable, Outcome
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, plain
from bpmn.expressions.expression import NO_FUNCTIONS
from bpmn.expressions.scope import Functions


@dataclass(frozen=True, kw_only=True)
class LiteralExpression:
    """A decision that is one expression."""

    #: Name of the variable that takes the value.
    name: str
    expression: Expression
    type_ref: str | None

    def decide(self, variables: Mapping[str, Any], functions: Functions) -> Outcome:
        """Evaluate it."""
        value = types.convert(self.expression.evaluate(variables, functions), self.type_ref)
        return Outcome([{self.name: value}], (), listing=False)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision, ready to be evaluated."""

    id: str
    name: str
    logic: DecisionTable | LiteralExpression
    #: Id, name and variable name: under each of them, others find the result.
    names: tuple[str, ...]
    #: Decisions that are evaluated first.
    requires: tuple[Decision, ...] = ()
    #: Variables that it (not what it requires) mentions, and functions that must be supplied.
    reads: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    line: int = 0

    def evaluate(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> list[dict[str, Any]]:
        """Return the result, a row per rule that hits and counts, as JSON.

        Raises ExpressionError, which names the decision, the rule and the column.
        """
        rows = self._decide(variables, functions, {}).rows
        return [{name: plain(value) for name, value in row.items()} for row in rows]

    def explain(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> tuple[str, ...]:
        """Return the ids of the rules that hit and count, in the order of the rows (all of them, when they are aggregated)."""
        return self._decide(variables, functions, {}).rules

    def _decide(self, variables: Mapping[str, Any], functions: Functions, done: dict[str, Outcome]) -> Outcome:
        if self.id not in done:
            known = dict(variables)
            for required in self.requires:
                known |= required.publish(required._decide(variables, functions, done))  # noqa: SLF001 - of the same class
            try:
                done[self.id] = self.logic.decide(known, functions)
            except ExpressionError as error:
                raise ExpressionError(f"Decision {self.name} ({self.id}), {error}") from error
        return done[self.id]

    def publish(self, outcome: Outcome) -> dict[str, Any]:
        """Return what a decision that requires this one sees of the result.

        Under the decision's names: the value (a context, when there are several outputs), or a list of them.
        Under the name of each output, as Camunda 7 has it: the value, or the list of values.
        """
        several = len(outcome.rows[0]) > 1 if outcome.rows else False
        values = [dict(row) if several else next(iter(row.values())) for row in outcome.rows]
        if outcome.listing:
            outputs = {name: [row[name] for row in outcome.rows] for row in outcome.rows[:1] for name in row}
            return outputs | dict.fromkeys(self.names, values)
        return (outcome.rows[0] if outcome.rows else {}) | dict.fromkeys(self.names, values[0] if values else None)
