"""Decision tables: which rules hit, and what comes of them (DMN 1.3, chapter 8)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from bpmn.decisions import types
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, decimals, feel, plain
from bpmn.expressions.scope import Functions


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

    def matches(self, value: Any, variables: Mapping[str, Any], functions: Functions) -> bool:
        """Tell whether a value passes."""


@dataclass(frozen=True)
class JuelCell:
    """An input cell in JUEL: a condition over `cellInput`."""

    condition: Expression
    variable: str

    def matches(self, value: Any, variables: Mapping[str, Any], functions: Functions) -> bool:
        """Tell whether the condition holds."""
        return self.condition.test({**variables, self.variable: value}, functions)


@dataclass(frozen=True)
class NamedCell:
    """An input cell that mentions its value by name instead of `?`, as Camunda 7 allows."""

    cell: Cell
    variable: str

    def matches(self, value: Any, variables: Mapping[str, Any], functions: Functions) -> bool:
        """Tell whether a value passes."""
        return self.cell.matches(value, {**variables, self.variable: value}, functions)


@dataclass(frozen=True, kw_only=True)
class Input:
    """An input column."""

    label: str
    expression: Expression
    type_ref: str | None


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output column."""

    name: str
    label: str
    type_ref: str | None
    #: Output values in the order of their priority; empty when the column lists none.
    values: tuple[Any, ...] = ()


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
    #: Ids of the rules that hit and count, in the order of the rows.
    rules: tuple[str, ...]
    #: Whether the result is a list by its kind.
    listing: bool


@dataclass(frozen=True, kw_only=True)
class DecisionTable:
    """A table, ready to be evaluated."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    hit_policy: HitPolicy
    aggregation: Aggregation | None

    def decide(self, variables: Mapping[str, Any], functions: Functions) -> Outcome:
        """Find the rules that hit and apply the hit policy; errors name rule and column."""
        values = [_evaluate(f"input {column.label!r}", column.expression, column.type_ref, variables, functions) for column in self.inputs]
        matching = [rule for rule in self.rules if self._hits(rule, values, variables, functions)]
        hits = [Hit(rule, self._row(rule, variables, functions)) for rule in matching]
        kept = _POLICIES[self.hit_policy](self, hits)
        rows = [_aggregate(self.aggregation, self.outputs[0].name, kept)] if self.aggregation else [hit.row for hit in kept]
        return Outcome(rows, tuple(hit.rule.id for hit in kept), self.hit_policy in LISTING and not self.aggregation)

    def _hits(self, rule: Rule, values: list[Any], variables: Mapping[str, Any], functions: Functions) -> bool:
        for column, cell, value in zip(self.inputs, rule.cells, values, strict=True):
            try:
                if not cell.matches(value, variables, functions):
                    return False
            except ExpressionError as error:
                raise ExpressionError(f"{rule}, input {column.label!r}: {error}") from error
        return True

    def _row(self, rule: Rule, variables: Mapping[str, Any], functions: Functions) -> dict[str, Any]:
        return {
            column.name: None
            if cell is None
            else _evaluate(f"{rule}, output {column.label!r}", cell, column.type_ref, variables, functions)
            for column, cell in zip(self.outputs, rule.outputs, strict=True)
        }


def _evaluate(place: str, expression: Expression, type_ref: str | None, variables: Mapping[str, Any], functions: Functions) -> Any:
    try:
        return types.convert(expression.evaluate(variables, functions), type_ref)
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
    places = []
    for output in table.outputs:
        value = hit.row[output.name]
        if output.values and value not in output.values:
            raise ExpressionError(f"{hit.rule}, output {output.label!r}: Expected one of the output values, but it is {plain(value)!r}")
        places.append(output.values.index(value) if output.values else 0)
    return places


_POLICIES: dict[HitPolicy, Callable[[DecisionTable, list[Hit]], list[Hit]]] = {
    HitPolicy.UNIQUE: _unique,
    HitPolicy.ANY: _any,
    HitPolicy.FIRST: _first,
    HitPolicy.PRIORITY: _highest,
    HitPolicy.RULE_ORDER: _all,
    HitPolicy.OUTPUT_ORDER: _by_priority,
    HitPolicy.COLLECT: _all,
}


def _aggregate(aggregation: Aggregation, name: str, hits: list[Hit]) -> dict[str, Any]:
    """Make one number of all values; without any, SUM, MIN and MAX are null and COUNT is 0."""
    if aggregation is Aggregation.COUNT:
        return {name: len(hits)}
    values = [hit.row[name] for hit in hits]
    try:
        return {name: functools.reduce(_AGGREGATIONS[aggregation], map(decimals.number, values)) if values else None}
    except ExpressionError as error:
        raise ExpressionError(f"Expected numbers to aggregate ({aggregation}), but {_names(hits)} give others: {error}") from error


_AGGREGATIONS: dict[Aggregation, Callable[[Any, Any], Any]] = {
    Aggregation.SUM: decimals.add,
    Aggregation.MIN: lambda best, each: each if feel.compare("<", each, best) else best,
    Aggregation.MAX: lambda best, each: each if feel.compare(">", each, best) else best,
}
