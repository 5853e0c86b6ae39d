"""Instructions of a modification: what is to be cancelled, and where something is to start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

#: Number of the process itself, among its activations.
PROCESS = -1


class Verb(StrEnum):
    """What a modification does."""

    CANCEL = "cancel"  #: an activation, by its number
    BEFORE = "before"  #: start before an element
    AFTER = "after"  #: start after an element, by the only flow out of it
    ALONG = "along"  #: start along a sequence flow


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One step of a modification."""

    verb: Verb
    target: str | int
    #: To start: the activation around it in which (`PROCESS`: anew in all of them); None: it follows from what runs.
    within: int | None = None
    #: To start: local variables of what starts.
    local: Mapping[str, Any] = field(default_factory=dict)
    #: Whether no input and output parameters are carried out until the instance has come to rest.
    skips_mappings: bool = False
