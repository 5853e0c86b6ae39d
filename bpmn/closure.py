"""Closure: all that some things lead to, step by step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
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
