"""How much an expression may ask for.  Diagrams come from outside: everything hostile is refused, in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.errors import ExpressionError

#: Characters of source.
SOURCE = 10_000
#: Tokens of source.
TOKENS = 3_000
#: Brackets, conditions and calls within one another.
NESTING = 50
#: Longest chain of operations that wait for one another (a sum of n terms counts n).
DEPTH = 150
#: Rounds of loops, weighed by what each does, and what built-in functions read and make.
STEPS = 50_000
#: The same for a decision, with all cells and all decisions that it requires.
DECISION = 1_000_000
#: Functions of an expression (`function(x) …`) that call one another, or themselves.
CALLS = 40
#: Characters of a text that an expression makes.
STRING = 100_000
#: Members of a list that an expression makes.
ITEMS = 10_000
#: Members of a value that leaves an expression, inner ones included.
MEMBERS = 50_000
#: Lists and maps within one another in such a value; readers of JSON bear little more.
LAYERS = 200
#: Integers of JUEL are Java's `Long`.
LONG = 2**63 - 1


def size(value: Any) -> int:
    """Count the members of a value, inner ones included, as far as that matters."""
    count = 0
    waiting = [value]
    while waiting and count <= STEPS:
        value = waiting.pop()
        count += 1
        if isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
    return count


def long(value: int) -> int:
    """Pass an integer on that Java's `Long` can hold."""
    if -LONG - 1 <= value <= LONG:
        return value
    raise ExpressionError("Expected a number of at most 64 bits, but the result is larger")


def text(value: str) -> str:
    """Pass a text on that is not too long."""
    if len(value) <= STRING:
        return value
    raise ExpressionError(f"Expected a text of at most {STRING} characters, but the result has {len(value)}")


def items(value: list[Any]) -> list[Any]:
    """Pass a list on that is not too long."""
    if len(value) <= ITEMS:
        return value
    raise ExpressionError(f"Expected a list of at most {ITEMS} members, but the result has {len(value)}")
