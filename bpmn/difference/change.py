"""A change, and how two versions of one thing are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

Thing = TypeVar("Thing")


class ChangeKind(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"
    MOVED = "moved"  #: into another scope
    REROUTED = "rerouted"  #: a flow has another source or target


class Subject(StrEnum):
    """What kind of thing changed."""

    PROCESS = "process"
    ELEMENT = "element"
    FLOW = "flow"
    DECISION = "decision"
    COLUMN = "column"
    RULE = "rule"
    FORM = "form"
    FIELD = "field"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that changed."""

    kind: ChangeKind
    subject: Subject
    id: str
    #: What people call it; empty: only its id.
    name: str = ""
    #: The process, decision or form that it is in; empty: it is one itself.
    within: str = ""
    #: What exactly changed, as the executor calls it: `candidate_groups`, `event.when`, `properties.onething.kind`.
    attribute: str = ""
    #: How it was and how it is, as written; None: not at all.
    before: str | None = None
    after: str | None = None


#: What is written on a thing, by attribute.
Facts = Mapping[str, str]


def changed(before: Facts, after: Facts) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the attributes that differ, with both values."""
    for attribute in dict.fromkeys([*before, *after]):
        if before.get(attribute) != after.get(attribute):
            yield attribute, before.get(attribute), after.get(attribute)


def paired(before: Mapping[str, Thing], after: Mapping[str, Thing]) -> Iterator[tuple[Thing | None, Thing | None]]:
    """Yield what is there now, with what it was; then what is gone."""
    for key, thing in after.items():
        yield before.get(key), thing
    for key, thing in before.items():
        if key not in after:
            yield thing, None


def compare(
    before: Mapping[str, Thing], after: Mapping[str, Thing], told: Callable[[Thing, ChangeKind], Change], facts: Callable[[Thing], Facts]
) -> Iterator[Change]:
    """Yield what was added, removed and changed; `told` makes a change of a thing, `facts` says what is written on it."""
    for old, new in paired(before, after):
        if old is None and new is not None:
            yield told(new, ChangeKind.ADDED)
        elif new is None and old is not None:
            yield told(old, ChangeKind.REMOVED)
        elif old is not None and new is not None:
            for attribute, was, now in changed(facts(old), facts(new)):
                kind = ChangeKind.RENAMED if attribute == "name" else ChangeKind.CHANGED
                yield replace(told(new, kind), attribute=attribute, before=was, after=now)
