"""Solving (求解): samples for which the conditions along a path come true."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from bpmn.definition import Definition, ElementType
from bpmn.errors import BpmnError
from bpmn.expressions import Expression
from bpmn.simulation import paths
from bpmn.simulation.telling import Telling

#: A condition, and what it must be.
Wanted = tuple[Expression, bool]
#: Combinations that are put to the conditions of one path.
TRIES = 5_000


class Conditions:
    """What must be true on each path of a process."""

    def __init__(self, process: Definition) -> None:
        self.process = process

    def solve(self, choices: Telling, variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield, for each path on which values make a difference, values with which a token would take it; as few as can be."""
        known = choices.keys() | variables.keys()
        tried: set[tuple[Wanted, ...]] = set()
        for conditions in self._wanted:
            told = tuple(each for each in conditions if each[0].names & choices.keys() and each[0].names <= known and not each[0].calls)
            if told and told not in tried:
                tried.add(told)
                yield from itertools.islice(_solutions(told, choices, variables), 1)

    @cached_property
    def _wanted(self) -> list[tuple[Wanted, ...]]:
        """The conditions of whole paths first, then each by itself."""
        along = [tuple(each for key in path.keys for each in self._of(key)) for path in paths.of(self.process)]
        return [*along, *((each,) for some in along for each in some)]

    def _of(self, key: str) -> Iterator[Wanted]:
        """Yield what must be so for a flow to be taken: its condition, and no other one where it is the default, or they come before."""
        flow = self.process.flows.get(key)
        if flow is None:
            return
        source = self.process.elements[flow.source]
        before = source.outgoing[: source.outgoing.index(key)] if source.type is ElementType.EXCLUSIVE_GATEWAY else ()
        for other in source.outgoing if source.default == key else before:
            if (condition := self.process.flows[other].condition) is not None:
                yield condition, False
        if flow.condition is not None and source.default != key:
            yield flow.condition, True


def _solutions(wanted: Sequence[Wanted], choices: Telling, variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = [name for name in choices if any(name in condition.names for condition, _ in wanted)]
    for values in itertools.islice(itertools.product(*(choices[name] for name in names)), TRIES):
        sample = dict(zip(names, values, strict=True))
        if all(_is(condition, {**variables, **sample}, truth) for condition, truth in wanted):
            yield sample


def _is(condition: Expression, variables: Mapping[str, Any], truth: bool) -> bool:
    try:
        return condition.test(variables) is truth
    except BpmnError:
        return False
