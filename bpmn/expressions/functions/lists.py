"""Built-in functions on lists, booleans and contexts."""

from __future__ import annotations

import collections
import functools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, feel
from bpmn.expressions.decimals import CONTEXT, Number
from bpmn.expressions.functions import arguments
from bpmn.expressions.functions.registry import builtin
from bpmn.expressions.scope import Scope


@builtin("not(negand)")
def negate(value: Any) -> bool:
    """Turn true into false and false into true."""
    return not feel.truth(value, "after not")


@builtin("is defined(value)", nulls=True)
def is_defined(value: Any) -> bool:
    """Tell whether a value is not null."""
    return value is not None


@builtin("list contains(list, element)", nulls=True, scoped=True)
def list_contains(scope: Scope, members: Any, element: Any) -> bool:
    """Tell whether a list has a member."""
    return any(feel.equal(member, element, scope) is True for member in arguments.listing(members))


@builtin("count(list…)")
def count(members: Sequence[Any]) -> int:
    """Count members."""
    return len(members)


@builtin("min(list…)", weight=3)
def minimum(members: Sequence[Any]) -> Any:
    """Find the least member; null for an empty list."""
    return _extreme("<", members)


@builtin("max(list…)", weight=3)
def maximum(members: Sequence[Any]) -> Any:
    """Find the greatest member; null for an empty list."""
    return _extreme(">", members)


def _extreme(symbol: str, members: Sequence[Any]) -> Any:
    present = [member for member in members if member is not None]
    return functools.reduce(lambda best, each: each if feel.compare(symbol, each, best) else best, present) if present else None


@builtin("sum(list…)", weight=2)
def total(members: Sequence[Any]) -> Number | None:
    """Add numbers up; null for an empty list, or when one is null."""
    return None if not members or None in members else functools.reduce(decimals.add, map(decimals.number, members))


@builtin("product(list…)", weight=2)
def product(members: Sequence[Any]) -> Number | None:
    """Multiply numbers; null for an empty list, or when one is null."""
    return None if not members or None in members else functools.reduce(decimals.multiply, map(decimals.number, members))


@builtin("mean(list…)", weight=2)
def mean(members: Sequence[Any]) -> Number | None:
    """Average of numbers; null for an empty list, or when one is null."""
    added = total(members)
    return None if added is None else decimals.divide(added, len(members))


@builtin("median(list…)", weight=2)
def median(members: Sequence[Any]) -> Number | None:
    """Middle number, or the mean of the two in the middle; null for an empty list, or when one is null."""
    if not members or None in members:
        return None
    ordered = sorted(map(decimals.number, members))
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else decimals.divide(decimals.add(ordered[middle - 1], ordered[middle]), 2)


@builtin("stddev(list…)", weight=4)
def stddev(members: Sequence[Any]) -> Number | None:
    """Standard deviation of a sample; null for fewer than two numbers, or when one is null."""
    average = mean(members)
    if average is None or len(members) < 2:  # noqa: PLR2004 - one number does not deviate
        return None
    deviations = [decimals.subtract(decimals.number(member), average) for member in members]
    squares = [decimals.multiply(deviation, deviation) for deviation in deviations]
    return CONTEXT.sqrt(Decimal(decimals.divide(functools.reduce(decimals.add, squares), len(members) - 1)))


@builtin("all(list…)", nulls=True)
def every(members: Any) -> bool | None:
    """Tell whether all members are true; null when one is unknown and none is false."""
    answers = [feel.truth(member, "in the list") for member in arguments.listing(members)]
    return False if False in answers else None if None in answers else True


@builtin("any(list…)", nulls=True)
def some(members: Any) -> bool | None:
    """Tell whether a member is true; null when one is unknown and none is true."""
    answers = [feel.truth(member, "in the list") for member in arguments.listing(members)]
    return True if True in answers else None if None in answers else False


@builtin("sublist(list, start position, length?)")
def sublist(members: Any, start: Any, length: Any = None) -> list[Any]:
    """Take members from a position on; positions count from 1, negative ones from the end."""
    whole, position = arguments.listing(members), decimals.integer(start)
    first = position - 1 if position > 0 else len(whole) + position
    if position == 0 or not 0 <= first <= len(whole):
        raise ExpressionError(f"Expected a position within the list of {len(whole)}, but it is {position}")
    return whole[first:] if length is None else whole[first : first + max(0, decimals.integer(length))]


@builtin("append(list, item…)", nulls=True)
def append(members: Any, *items: Any) -> list[Any]:
    """Put members at the end."""
    return [*arguments.listing(members), *items]


@builtin("concatenate(list…)", nulls=True)
def concatenate(members: Any) -> list[Any]:
    """Join lists."""
    return [member for each in members or [] for member in arguments.listing(each)]


@builtin("insert before(list, position, newItem)", nulls=True)
def insert_before(members: Any, position: Any, item: Any) -> list[Any]:
    """Put a member at a position."""
    whole = arguments.listing(members)
    index = _index(whole, position)
    return [*whole[:index], item, *whole[index:]]


@builtin("remove(list, position)")
def remove(members: Any, position: Any) -> list[Any]:
    """Leave the member at a position out."""
    whole = arguments.listing(members)
    index = _index(whole, position)
    return [*whole[:index], *whole[index + 1 :]]


def _index(members: list[Any], position: Any) -> int:
    taken = decimals.integer(position)
    index = taken - 1 if taken > 0 else len(members) + taken
    if taken == 0 or not 0 <= index < len(members):
        raise ExpressionError(f"Expected a position within the list of {len(members)}, but it is {taken}")
    return index


@builtin("reverse(list)")
def reverse(members: Any) -> list[Any]:
    """Turn the order round."""
    return arguments.listing(members)[::-1]


@builtin("index of(list, match)", nulls=True, scoped=True)
def index_of(scope: Scope, members: Any, match: Any) -> list[int]:
    """Find all positions of a member."""
    return [place for place, member in enumerate(arguments.listing(members), 1) if feel.equal(member, match, scope) is True]


@builtin("distinct values(list)", scoped=True)
def distinct_values(scope: Scope, members: Any) -> list[Any]:
    """Keep each value once, in order."""
    kept: list[Any] = []
    for member in arguments.listing(members):
        if not any(feel.equal(member, other, scope) is True for other in kept):
            kept.append(member)
    return kept


@builtin("union(list…)", scoped=True, nulls=True)
def union(scope: Scope, lists: Any) -> list[Any]:
    """Join lists and keep each value once."""
    return distinct_values(scope, concatenate(lists))


@builtin("flatten(list)", scoped=True)
def flatten(scope: Scope, members: Any) -> list[Any]:
    """Put the members of inner lists in their place."""
    flat: list[Any] = []
    for member in arguments.listing(members):
        scope.spend(1)
        flat += flatten(scope, member) if isinstance(member, (list, tuple)) else [member]
    return flat


@builtin("mode(list…)", weight=3)
def mode(members: Any) -> list[Any] | None:
    """Find the numbers that stand most often, in ascending order; null when one is null."""
    if None in members:
        return None
    counts = collections.Counter(map(decimals.number, members))
    most = max(counts.values(), default=0)
    return sorted(number for number, count in counts.items() if count == most)


@builtin("sort(list, precedes?)", scoped=True)
def sort(scope: Scope, members: Any, precedes: Any = None) -> list[Any]:
    """Put members in order: ascending numbers, texts or dates, or as a function of two members says (true when the first comes first)."""
    order = _ascending if precedes is None else functools.partial(_by, precedes)
    found = arguments.listing(members)
    scope.spend(3 * len(found) * len(found).bit_length())
    return sorted(found, key=functools.cmp_to_key(order))


def _ascending(left: Any, right: Any) -> int:
    return -1 if feel.compare("<", left, right) else 1 if feel.compare(">", left, right) else 0


def _by(precedes: Any, left: Any, right: Any) -> int:
    function = arguments.function(precedes)
    return -1 if function.invoke([left, right]) is True else 1 if function.invoke([right, left]) is True else 0
