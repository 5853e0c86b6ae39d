"""What becomes of a word of a diagram."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What the compiler does with it."""

    RUNS = "runs"  #: with the meaning it has in BPMN and Camunda 7
    REWRITTEN = "rewritten"  #: runs, as something plainer that means the same
    IGNORED = "ignored"  #: accepted; it says nothing about what happens
    WARNED = "ignored with a warning"  #: accepted, but the designer should know that it has no effect
    REFUSED = "refused"  #: the deployment is refused: it would run differently from what it says


@dataclass(frozen=True, kw_only=True)
class Word:
    """An element, an event, an attribute or an extension."""

    name: str
    fate: Fate
    #: What it means here; for what is refused, what to draw instead (an imperative sentence without a full stop).
    note: str
    #: What Camunda Modeler's users in China call it.
    chinese: str = ""
    #: Tags that it may stand on or in; empty: anywhere.
    owners: frozenset[str] = frozenset()
    #: Values that mean the same as leaving it out.
    harmless: frozenset[str] = frozenset()
