"""Diagnoses: what the doctor has looked at, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"  #: serves, but somebody should see to it
    FAILED = "failed"  #: must not serve like this


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    what: str
    status: CheckStatus = CheckStatus.OK
    found: str
    #: What to do about it; empty when it is in order.
    advice: str = ""
    #: Whether a failure may be over in a moment, without anything done about it here.
    passing: bool = False
