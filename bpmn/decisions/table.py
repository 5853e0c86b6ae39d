"""Decision tables: which rules hit, and what comes of them (DMN 1.3, chapter 8)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from bpmn.decisions import types
from bpmn.decisions.types import Type
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, UnaryTests, decimals, feel, plain
from bpmn.expressions.scope import Scope
from bpmn.expressions.values import describe


class HitPolicy(StrEnum):
    """What a table does with the rules that hit."""

    UNIQUE = "UNIQUE"  #: at most one may hit
    ANY = "ANY"  #: several may hit when they say the same
    FIRST = "FIRST"  #: the first in the table counts
    PRIORITY = "PRIORITY"  #: the one whose outputs stand first among the output values counts
    RULE_ORDER = "RULE ORDER"  #: all, in the order of the table
    OUTPUT_ORDER = "OUTPUT ORDER"  #: all, in the order of the output values
    COLLECT = "COLLECT"  #: all, or one number made of them


#: Policies whose result is a list, also when one rule hits.
LISTING = frozenset({HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER, HitPolicy.COLLECT})


class Aggregation(StrEnum):
    """What COLLECT makes of the values."""

    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


class Cell(Protocol):
    """An input cell."""

    def within(self, value: Any, scope: Scope) -> bool:
        """Tell whether a value passes."""


@dataclass(frozen=True)
class JuelCell:
    """An input cell in JUEL: a condition over `cellInput`."""

    condition: Expression
    variable: str

    def within(self, value: Any, scope: Scope) -> bool:
        """Tell whether the condition holds."""
        return self.condition.test({**scope.flat().variables, self.variable: value}, scope.functions)


@dataclass(frozen=True)
class NamedCell:
    """An input cell that mentions its value by name instead of `?`, as Camunda 7 allows."""

    cell: Cell
    variable: str

    def within(self, value: Any, scope: Scope) -> bool:
        """Tell whether a value passes."""
        return self.cell.within(value, scope.child({self.variable: value}))


@dataclass(frozen=True, kw_only=True)
class Input:
    """An input column."""

    label: str
    expression: Expression
    kind: Type | None
    #: Input values: what may come in; None when the column lists none.
    allowed: UnaryTests | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output column."""

    name: str
    label: str
    kind: Type | None
    #: Output values in the order of their priority; empty when the column lists none.
    values: tuple[Any, ...] = ()
    #: What the column says when no rule hits.
    default: Expression | None = None

    def judge(self, value: Any) -> Any:
        """Pass a value on that is one of the output values; null always is."""
        scope = Scope({}, {})
        if value is None or not self.values or any(feel.meets(value, each, scope) is True for each in self.values):
            return value
        raise ExpressionError(f"Expected one of the output values, but it is {describe(value)}")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row of the table."""

    id: str
    number: int
    cells: tuple[Cell, ...]
    #: None: an empty cell, which gives null.
    outputs: tuple[Expression | None, ...]
    #: Annotation at the end of the row.
    description: str
    line: int

    def __str__(self) -> str:
        return f"rule {self.number} ({self.id})"


class Hit(NamedTuple):
    """A rule that hit, and what it says."""

    rule: Rule
    row: dict[str, Any]


class Outcome(NamedTuple):
    """What a decision comes to."""

    rows: list[dict[str, Any]]
    #: Whether the result is a list by its kind.
    listing: bool

    def value(self) -> Any:
        """The result as one value: that of the only output, a context of several, or a list of these."""
        several = len(self.rows[0]) > 1 if self.rows else False
        values = [dict(row) if several else next(iter(row.values())) for row in self.rows]
        return values if self.listing else values[0] if values else None


@dataclass(frozen=True, kw_only=True)
class DecisionTable:
    """A table, ready to be evaluated."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    hit_policy: HitPolicy
    aggregation: Aggregation | None

    def decide(self, scope: Scope) -> Outcome:
        """Find the rules that hit and apply the hit policy; errors name rule and column."""
        scope.spend(len(self.rules))
        values = [self._input(column, scope) for column in self.inputs]
        hits = [Hit(rule, self._row(rule, scope)) for rule in self.rules if self._hits(rule, values, scope)]
        listing = self.hit_policy in LISTING and not self.aggregation
        if not hits and any(output.default for output in self.outputs):
            return Outcome([self._default(scope)], listing)
        kept = _POLICIES[self.hit_policy](self, hits)
        rows = _aggregate(self.aggregation, self.outputs[0].name, kept) if self.aggregation else [hit.row for hit in kept]
        return Outcome(rows, listing)

    def _input(self, column: Input, scope: Scope) -> Any:
        place = f"input {column.label!r}"
        value = _evaluate(place, column.expression, column.kind, scope)
        if value is None or column.allowed is None or column.allowed.within(value, scope):
            return value
        raise ExpressionError(f"{place}: Expected one of the input values {column.allowed.source}, but it is {describe(value)}")

    def _hits(self, rule: Rule, values: list[Any], scope: Scope) -> bool:
        for column, cell, value in zip(self.inputs, rule.cells, values, strict=True):
            try:
                if not cell.within(value, scope):
                    return False
            except ExpressionError as error:
                raise ExpressionError(f"{rule}, input {column.label!r}: {error}") from error
        return True

    def _row(self, rule: Rule, scope: Scope) -> dict[str, Any]:
        return {
            column.name: self._output(f"{rule}, output {column.label!r}", column, cell, scope)
            for column, cell in zip(self.outputs, rule.outputs, strict=True)
        }

    def _default(self, scope: Scope) -> dict[str, Any]:
        return {column.name: self._output(f"default of {column.label!r}", column, column.default, scope) for column in self.outputs}

    def _output(self, place: str, column: Output, cell: Expression | None, scope: Scope) -> Any:
        value = None if cell is None else _evaluate(place, cell, column.kind, scope)
        try:
            return column.judge(value)
        except ExpressionError as error:
            raise ExpressionError(f"{place}: {error}") from error


def _evaluate(place: str, expression: Expression, kind: Type | None, scope: Scope) -> Any:
    try:
        return types.convert(expression.within(scope), kind)
    except ExpressionError as error:
        raise ExpressionError(f"{place}: {error}") from error


def _names(hits: list[Hit]) -> str:
    return ", ".join(str(hit.rule) for hit in hits)


def _unique(_table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    if len(hits) > 1:
        raise ExpressionError(f"Expected one rule to hit (hit policy UNIQUE), but several do: {_names(hits)}")
    return hits


def _any(_table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    if any(plain(hit.row) != plain(hits[0].row) for hit in hits):
        raise ExpressionError(f"Expected the rules that hit to say the same (hit policy ANY), but they differ: {_names(hits)}")
    return hits[:1]


def _first(_table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    return hits[:1]


def _all(_table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    return hits


def _by_priority(table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=functools.partial(_priority, table))


def _highest(table: DecisionTable, hits: list[Hit]) -> list[Hit]:
    return _by_priority(table, hits)[:1]


def _priority(table: DecisionTable, hit: Hit) -> list[int]:
    """Places of the outputs among the output values; an empty cell comes last."""
    scope = Scope({}, {})
    return [
        next(
            (place for place, each in enumerate(output.values) if feel.equal(hit.row[output.name], each, scope) is True), len(output.values)
        )
        for output in table.outputs
    ]


_POLICIES: dict[HitPolicy, Callable[[DecisionTable, list[Hit]], list[Hit]]] = {
    HitPolicy.UNIQUE: _unique,
    HitPolicy.ANY: _any,
    HitPolicy.FIRST: _first,
    HitPolicy.PRIORITY: _highest,
    HitPolicy.RULE_ORDER: _all,
    HitPolicy.OUTPUT_ORDER: _by_priority,
    HitPolicy.COLLECT: _all,
}


def _aggregate(aggregation: Aggregation, name: str, hits: list[Hit]) -> list[dict[str, Any]]:
    """Make one number of all values; an empty cell gives none.  Without any, COUNT is 0, and the others have no row."""
    values = [hit.row[name] for hit in hits if hit.rule.outputs[0] is not None]
    if aggregation is Aggregation.COUNT:
        return [{name: len(values)}]
    try:
        return [{name: functools.reduce(_AGGREGATIONS[aggregation], map(decimals.number, values))}] if values else []
    except ExpressionError as error:
        raise ExpressionError(f"Expected numbers to aggregate ({aggregation}), but {_names(hits)} give others: {error}") from error


_AGGREGATIONS: dict[Aggregation, Callable[[Any, Any], Any]] = {
    Aggregation.SUM: decimals.add,
    Aggregation.MIN: lambda best, each: each if feel.compare("<", each, best) else best,
    Aggregation.MAX: lambda best, each: each if feel.compare(">", each, best) else best,
}
