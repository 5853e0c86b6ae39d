"""Lines (记录): one step of a play, as it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.simulation import Activation


@dataclass(frozen=True, kw_only=True)
class Line:
    """One step: who did what when, and where the tokens went."""

    at: datetime
    who: str
    what: str
    reached: tuple[Activation, ...] = ()
    #: What the application said when it refused.
    refused: str = ""


def written(data: dict[str, object]) -> str:
    """Write what is filled in."""
    return "".join(f" {name}={value}" for name, value in data.items())
