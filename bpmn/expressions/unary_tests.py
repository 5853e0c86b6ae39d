"""Unary tests: what stands in an input cell of a decision table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions.expression import NO_FUNCTIONS, excerpt
from bpmn.expressions.feel_parser import FeelParser
from bpmn.expressions.scope import Run, Scope


@dataclass(frozen=True)
class UnaryTests:
    """Tests of one cell; a value passes when it meets one of them."""

    #: As written in the cell.
    source: str
    #: Variables that the tests mention beside the tested value.
    names: frozenset[str]
    calls: frozenset[str]
    tests: tuple[Run, ...]
    #: `not(…)`: a value passes when it meets none.
    negated: bool = False

    def matches(self, value: Any, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> bool:
        """Tell whether a value passes; raises ExpressionError when it cannot be compared with what the cell says."""
        if not self.tests:
            return True
        scope = Scope(variables, functions).child({"?": value})
        try:
            return any(test(scope) is True for test in self.tests) is not self.negated
        except ExpressionError as error:
            raise ExpressionError(f"{error}, in {excerpt(self.source)}") from error
        except (ArithmeticError, RecursionError) as error:
            raise ExpressionError(f"Expected numbers and lists within bounds, but they are too large, in {excerpt(self.source)}") from error


def parse_unary_tests(text: str, names: Iterable[str] = ()) -> UnaryTests:
    """Read an input cell: `-` (or nothing) for any value, values, comparisons, ranges and lists of them, `not(…)`, `?` for the value.

    Raises ExpressionError.
    """
    if text.strip() in ("", "-"):
        return UnaryTests(text, frozenset(), frozenset(), ())
    try:
        parser = FeelParser(text, names)
        tests, negated = parser.parse_tests()
    except (ExpressionError, ArithmeticError) as error:
        raise ExpressionError(f"{error}, in {excerpt(text)}") from error
    return UnaryTests(text, parser.names, frozenset(parser.calls), tuple(test.run for test in tests), negated)
