"""Effects: what completing a task of a kind means to the domain.  One table; a kind that is not in it only moves the token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import commitments, corrections, decisions, follow_on, intake, issuance, procedures, ratings
from engine.holdings import HeldTask
from engine.runs import Run

#: `onething.kind` of a user task → the verb that applies its form, with its guard.
EFFECTS: dict[str, Callable[[Run, HeldTask, dict[str, Any]], None]] = {
    "intake": intake.decide,
    "follow-on": follow_on.decide,
    "supplement": corrections.answer,
    "decision": decisions.decide,
    procedures.KIND: procedures.end,
    "issuance": issuance.issue,
    "rating": ratings.rate,
    commitments.KIND: commitments.verify,
}


def apply(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Apply the completed form of a task before its token moves.  Raises EngineError; then nothing changed."""
    effect = EFFECTS.get(task.kind)
    if effect is not None:
        effect(run, task, data)
