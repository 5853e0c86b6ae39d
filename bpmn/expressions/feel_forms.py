"""The forms of FEEL that bind names or look into values: loops, quantifiers, filters, paths, contexts."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, feel, limits, temporal
from bpmn.expressions.scope import Node, Run, Scope
from bpmn.expressions.temporal import YearsMonths
from bpmn.expressions.values import describe

#: A loop variable, and what it runs over.
Iteration = tuple[str, Node]


def variable(name: str) -> Run:
    """Read a name; an unknown one is null."""
    return lambda scope: scope.find(name)


def interval(low: Run, high: Run, *, low_closed: bool, high_closed: bool) -> Run:
    """`[low..high)`."""
    return lambda scope: feel.Range(low(scope), high(scope), low_closed, high_closed)


def choice(condition: Run, yes: Run, no: Run) -> Run:
    """`if … then … else …`: null counts as false."""
    return lambda scope: yes(scope) if feel.truth(condition(scope), "after if") is True else no(scope)


def listing(members: Sequence[Run]) -> Run:
    """`[a, b, c]`."""
    return lambda scope: [member(scope) for member in members]


def context(entries: Sequence[tuple[str, Run]]) -> Run:
    """`{a: 1, b: a + 1}`: later entries see the earlier ones."""

    def run(scope: Scope) -> dict[str, Any]:
        values: dict[str, Any] = {}
        inner = scope.child(values)
        for name, entry in entries:
            values[name] = entry(inner)
        return values

    return run


def _rounds(iterations: Sequence[Iteration], scope: Scope, weight: int) -> Iterator[Scope]:
    """Walk through all combinations of the loop variables; each round costs what its body weighs."""
    if not iterations:
        scope.spend(weight)
        yield scope
        return
    (name, domain), *rest = iterations
    for member in _members(domain.run(scope)):
        scope.spend(1)
        yield from _rounds(rest, scope.child({name: member}), weight)


def _members(domain: Any) -> Iterator[Any]:
    """Iterate over a list, or over the whole numbers or the days of a range, in either direction."""
    if isinstance(domain, feel.Range):
        if type(domain.low) is type(domain.high) is dt.date:
            return map(dt.date.fromordinal, _between(domain.low.toordinal(), domain.high.toordinal(), domain))
        return iter(_between(decimals.integer(domain.low), decimals.integer(domain.high), domain))
    if isinstance(domain, (list, tuple)):
        return iter(domain)
    return iter(() if domain is None else (domain,))


def _between(low: int, high: int, span: feel.Range) -> range:
    step = 1 if low <= high else -1
    return range(low if span.low_closed else low + step, high + step if span.high_closed else high, step)


def loop(iterations: Sequence[Iteration], body: Node, *, partial: bool) -> Run:
    """`for x in xs, y in ys return …`; the body may ask for the results so far, as `partial`."""

    def run(scope: Scope) -> list[Any]:
        results: list[Any] = []
        for each in _rounds(iterations, scope, body.weight):
            inner = each
            if partial:
                scope.spend(len(results) // 8)
                # A copy: a list of results must not come to hold itself.
                inner = each.child({"partial": [*results]})
            results.append(body.run(inner))
            limits.items(results)
        return results

    return run


def quantifier(iterations: Sequence[Iteration], body: Node, *, every: bool) -> Run:
    """`some x in xs satisfies …` and `every …`: null when an unknown answer could decide, and no other does."""
    decisive = not every

    def run(scope: Scope) -> bool | None:
        unknown = False
        for inner in _rounds(iterations, scope, body.weight):
            answer = feel.truth(body.run(inner), "after satisfies")
            if answer is decisive:
                return decisive
            unknown = unknown or answer is None
        return None if unknown else every

    return run


def unary_test(value: Run, *, decides: bool, literal: bool = False) -> Run:
    """Tell whether `?` meets a value: what is true is met, except by a literal; else it is to be equal to it, or within it.

    A value that is a test by its form (`decides`) is met when it is true, and not otherwise.
    """

    def run(scope: Scope) -> bool | None:
        answer = value(scope)
        if answer is True and not literal:
            return True
        if decides and (answer is None or answer is False):
            return answer
        return feel.meets(scope.find("?"), answer, scope)

    return run


def inclusion(value: Run, tests: Sequence[Run]) -> Run:
    """`value in (…)`: meets one of the tests; null when it may meet one that is unknown."""

    def run(scope: Scope) -> bool | None:
        inner = scope.child({"?": value(scope)})
        answers = [test(inner) for test in tests]
        return True if True in answers else None if None in answers else False

    return run


def instance(base: Run, check: Callable[[Any], bool]) -> Run:
    """`value instance of type`."""

    def run(scope: Scope) -> bool:
        value = base(scope)
        if isinstance(value, (list, tuple, Mapping)):
            scope.spend(limits.size(value))
        return check(value)

    return run


def filtering(base: Run, condition: Node) -> Run:
    """`list[2]` (positions count from 1, negative ones from the end) and `list[price > 3]` (members are `item`)."""

    def run(scope: Scope) -> Any:
        value = base(scope)
        members = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
        kept: list[Any] = []
        for member in members:
            scope.spend(condition.weight)
            answer = condition.run(_within(member, scope))
            if decimals.is_number(answer):
                return _pick(members, answer)
            if feel.truth(answer, "or a position between [ and ]") is True:
                kept.append(member)
        return kept if members else _of_nothing(condition, scope)

    return run


def _within(member: Any, scope: Scope) -> Scope:
    """See a member as `item`, and its own entries by name."""
    inner = scope.child({"item": member})
    return inner.child(member) if isinstance(member, Mapping) else inner


def _of_nothing(condition: Node, scope: Scope) -> list[Any] | None:
    """Filter an empty list: a position gives null, as in any list that is too short."""
    with contextlib.suppress(ExpressionError):
        if decimals.is_number(condition.run(_within(None, scope))):
            return None
    return []


def _pick(members: Sequence[Any], position: Any) -> Any:
    if abs(position) > len(members):
        return None
    place = decimals.integer(position)
    index = place - 1 if place > 0 else place + len(members)
    return members[index] if place else None


def path(base: Run, name: str) -> Run:
    """`a.b` on contexts, on dates and durations, and on each member of a list."""

    def run(scope: Scope) -> Any:
        value = base(scope)
        if isinstance(value, (list, tuple)):
            scope.spend(len(value))
            return [_member(each, name) for each in value]
        return _member(value, name)

    return run


def _member(value: Any, name: str) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return value.get(name)
    for kind, members in _MEMBERS:
        if isinstance(value, kind) and name in members:
            return members[name](value)
    raise ExpressionError(f"Expected a context to take {name} from, but it is {describe(value)}")


def _sign(value: dt.timedelta) -> int:
    return -1 if value < dt.timedelta() else 1


#: What can be asked of dates, times and durations; nothing else of Python's objects is reachable.
_DATE = {
    "year": lambda value: value.year,
    "month": lambda value: value.month,
    "day": lambda value: value.day,
    "weekday": lambda value: value.isoweekday(),
}
_TIME = {
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": lambda value: value.second,
    "time offset": lambda value: value.utcoffset(),
    "timezone": temporal.zone_name,
}
_MEMBERS: tuple[tuple[type, Mapping[str, Any]], ...] = (
    (dt.datetime, {**_DATE, **_TIME}),
    (dt.date, _DATE),
    (dt.time, _TIME),
    (
        dt.timedelta,
        {
            "days": lambda value: _sign(value) * abs(value).days,
            "hours": lambda value: _sign(value) * (abs(value).seconds // 3600),
            "minutes": lambda value: _sign(value) * (abs(value).seconds // 60 % 60),
            "seconds": lambda value: _sign(value) * (abs(value).seconds % 60),
        },
    ),
    (
        YearsMonths,
        {"years": lambda value: int(value.months / 12), "months": lambda value: int(math.fmod(value.months, 12))},
    ),
    (
        feel.Range,
        {
            "start": lambda value: value.low,
            "end": lambda value: value.high,
            "start included": lambda value: value.low_closed,
            "end included": lambda value: value.high_closed,
        },
    ),
)
