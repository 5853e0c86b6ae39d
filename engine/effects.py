"""Effects: what completing a task of a kind means to the domain.  One table; a kind that is not in it only moves the token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from engine import commitments, corrections, decisions, follow_on, intake, issuance, procedures, ratings
from engine.errors import InvalidInput
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

#: `onething.kind` → the verb that refuses what its form does not take, with all else that is in the way.
REFUSALS: dict[str, Callable[[Run, Mapping[str, Any], InvalidInput], NoReturn]] = {"supplement": corrections.refuse}


def apply(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Apply the completed form of a task before its token moves.  Raises EngineError; then nothing changed."""
    effect = EFFECTS.get(task.kind)
    if effect is not None:
        effect(run, task, data)


def refuse(run: Run, task: HeldTask, data: Mapping[str, Any], wrong: InvalidInput) -> NoReturn:
    """Refuse what the form of a task does not take: raises what is `wrong` with it, together with all else that is in the way."""
    refusal = REFUSALS.get(task.kind)
    if refusal is not None:
        refusal(run, data, wrong)
    raise wrong
