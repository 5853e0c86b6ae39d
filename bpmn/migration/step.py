"""What becomes of one token."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of one token."""

    KEPT = "kept"  #: it waits on as it is
    RESET = "reset"  #: its timer, signal or condition reads otherwise now, and is evaluated anew from when it was set
    STARTED = "started"  #: a boundary event that is new begins to watch
    STOPPED = "stopped"  #: a boundary event that is gone no longer watches
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What becomes of one token, and why."""

    #: Number of the token; the wait of a task, a timer …
    id: int
    #: Where it is, and where it is then (None: nowhere).
    element: str | None
    to: str | None
    verdict: Verdict
    reason: str = ""
