"""Unary tests: what stands in an input cell of a decision table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions.expression import NO_FUNCTIONS, excerpt, failure
from bpmn.expressions.feel_parser import FeelParser
from bpmn.expressions.feel_types import NO_TYPES, Check
from bpmn.expressions.scope import Invocation, Run, Scope


@dataclass(frozen=True)
class UnaryTests:
    """Tests of one cell; a value passes when it meets one of them."""

    #: As written in the cell.
    source: str
    #: Variables that the tests mention beside the tested value.
    names: frozenset[str]
    calls: frozenset[str]
    tests: tuple[Run, ...]
    #: `not(…)`: a value passes when it is known to meet none.
    negated: bool = False
    #: Calls, with what is written between their brackets.
    invocations: tuple[Invocation, ...] = ()

    def matches(self, value: Any, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> bool:
        """Tell whether a value passes; raises ExpressionError when it cannot be compared with what the cell says."""
        return self.within(value, Scope(variables, functions))

    def within(self, value: Any, scope: Scope) -> bool:
        """Tell whether a value passes inside a larger evaluation."""
        if not self.tests:
            return True
        inner = scope.child({"?": value})
        try:
            if self.negated:
                return all(test(inner) is False for test in self.tests)
            return any(test(inner) is True for test in self.tests)
        except (ExpressionError, ArithmeticError, RecursionError) as error:
            raise failure(error, self.source) from error


def parse_unary_tests(text: str, names: Iterable[str] = (), *, types: Mapping[str, Check] = NO_TYPES) -> UnaryTests:
    """Read an input cell: `-` (or nothing) for any value, values, comparisons, ranges and lists of them, `not(…)`, `?` for the value.

    Raises ExpressionError.
    """
    if text.strip() in ("", "-"):
        return UnaryTests(text, frozenset(), frozenset(), ())
    try:
        parser = FeelParser(text, names, types)
        tests, negated = parser.parse_tests()
    except (ExpressionError, ArithmeticError) as error:
        raise ExpressionError(f"{error}, in {excerpt(text)}") from error
    runs = tuple(test.run for test in tests)
    return UnaryTests(text, parser.names, frozenset(parser.calls), runs, negated, tuple(parser.invocations))
