"""Closure: all that some things lead to, step by step; and circles, by which they lead back to themselves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)


def of(begins: Iterable[Thing], following: Callable[[Thing], Iterable[Thing]]) -> set[Thing]:
    """Return these things, and all to which they lead; each is asked once for what follows it."""
    found = set(begins)
    left = list(found)
    while left:
        fresh = set(following(left.pop())) - found
        found |= fresh
        left += fresh
    return found


def circle(before: Mapping[Thing, Iterable[Thing]]) -> list[Thing]:
    """Find things of which each comes before the next, and the last is the first; empty when there are none.

    `before`: what comes before each thing.
    """
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
