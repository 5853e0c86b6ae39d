"""Built-in functions that compare points and ranges (DMN 1.3, table 78).  A point is a range that begins and ends with it."""

from __future__ import annotations

from typing import Any

from bpmn.expressions import feel
from bpmn.expressions.feel import Range
from bpmn.expressions.functions.registry import builtin


def _range(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(value, value)


def _below(left: Any, right: Any) -> bool:
    return feel.compare("<", left, right) is True


def _same(left: Any, right: Any) -> bool:
    return feel.compare("<=", left, right) is True and feel.compare(">=", left, right) is True


def _begins_first(first: Range, second: Range) -> bool:
    """The first begins before the second, or together with it."""
    return _below(first.low, second.low) or (_same(first.low, second.low) and (first.low_closed or not second.low_closed))


def _ends_last(first: Range, second: Range) -> bool:
    """The first ends after the second, or together with it."""
    return _below(second.high, first.high) or (_same(first.high, second.high) and (first.high_closed or not second.high_closed))


def _begin_together(first: Range, second: Range) -> bool:
    return _same(first.low, second.low) and first.low_closed is second.low_closed


def _end_together(first: Range, second: Range) -> bool:
    return _same(first.high, second.high) and first.high_closed is second.high_closed


@builtin("before(point1, point2)", "before(point, range)", "before(range, point)", "before(range1, range2)")
def before(first: Any, second: Any) -> bool:
    """Tell whether the first ends before the second begins."""
    one, other = _range(first), _range(second)
    return _below(one.high, other.low) or (_same(one.high, other.low) and not (one.high_closed and other.low_closed))


@builtin("after(point1, point2)", "after(point, range)", "after(range, point)", "after(range1, range2)")
def after(first: Any, second: Any) -> bool:
    """Tell whether the first begins after the second ends."""
    return before(second, first)


@builtin("meets(range1, range2)")
def meets(first: Any, second: Any) -> bool:
    """Tell whether the first ends with the point with which the second begins."""
    one, other = _range(first), _range(second)
    return one.high_closed and other.low_closed and _same(one.high, other.low)


@builtin("met by(range1, range2)")
def met_by(first: Any, second: Any) -> bool:
    """Tell whether the first begins with the point with which the second ends."""
    return meets(second, first)


@builtin("overlaps(range1, range2)")
def overlaps(first: Any, second: Any) -> bool:
    """Tell whether two ranges have a point in common."""
    return not before(first, second) and not before(second, first)


@builtin("overlaps before(range1, range2)")
def overlaps_before(first: Any, second: Any) -> bool:
    """Tell whether the first begins before the second and ends within it, or with it."""
    one, other = _range(first), _range(second)
    return not _begins_first(other, one) and overlaps(one, other) and _ends_last(other, one)


@builtin("overlaps after(range1, range2)")
def overlaps_after(first: Any, second: Any) -> bool:
    """Tell whether the first begins within the second and ends after it, or with it."""
    return overlaps_before(second, first)


@builtin("finishes(point, range)", "finishes(range1, range2)")
def finishes(first: Any, second: Any) -> bool:
    """Tell whether the first lies within the second and ends with it."""
    one, other = _range(first), _range(second)
    return _end_together(one, other) and _begins_first(other, one)


@builtin("finished by(range, point)", "finished by(range1, range2)")
def finished_by(first: Any, second: Any) -> bool:
    """Tell whether the second lies within the first and ends with it."""
    return finishes(second, first)


@builtin("includes(range, point)", "includes(range1, range2)")
def includes(first: Any, second: Any) -> bool:
    """Tell whether the second lies within the first."""
    one, other = _range(first), _range(second)
    return _begins_first(one, other) and _ends_last(one, other)


@builtin("during(point, range)", "during(range1, range2)")
def during(first: Any, second: Any) -> bool:
    """Tell whether the first lies within the second."""
    return includes(second, first)


@builtin("starts(point, range)", "starts(range1, range2)")
def starts(first: Any, second: Any) -> bool:
    """Tell whether the first lies within the second and begins with it."""
    one, other = _range(first), _range(second)
    return _begin_together(one, other) and _ends_last(other, one)


@builtin("started by(range, point)", "started by(range1, range2)")
def started_by(first: Any, second: Any) -> bool:
    """Tell whether the second lies within the first and begins with it."""
    return starts(second, first)


@builtin("coincides(point1, point2)", "coincides(range1, range2)")
def coincides(first: Any, second: Any) -> bool:
    """Tell whether two points or two ranges are the same."""
    one, other = _range(first), _range(second)
    return _begin_together(one, other) and _end_together(one, other)
