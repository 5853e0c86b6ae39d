"""Steps: what a diagram asks of the engine itself, as external tasks with a topic of our own.  One table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bpmn.waits import Wait
from engine import commitments, corrections, decisions, issuance, silence, supervision, supplements, tolerances
from engine.errors import InvalidInput
from engine.runs import Run

PREFIX = "onething."


def _give_up(run: Run, properties: Any) -> None:
    tolerances.give_up(run, properties.get("onething.outcome", "returned"))


def _plain(step: Callable[[Run], None]) -> Callable[[Run, Any], None]:
    return lambda run, _properties: step(run)


#: Topic → what is done.  Each step may be repeated: what was done already is left alone.
STEPS: dict[str, Callable[[Run, Any], None]] = {
    "onething.accept-deemed": _plain(silence.accept),
    "onething.return": _plain(supplements.lapse),
    "onething.return-lacking": _plain(corrections.return_lacking),
    "onething.remind": _plain(supervision.remind),
    "onething.overdue": _plain(supervision.overdue),
    "onething.tolerance-overdue": _plain(tolerances.overdue),
    "onething.tolerance-return": _give_up,
    "onething.split-issuance": _plain(issuance.split),
    "onething.decide": _plain(decisions.decide_automatically),
    "onething.post-check": _plain(commitments.plan_check),
}


def is_ours(topic: str | None) -> bool:
    """Whether a topic belongs to the engine; others belong to their workers."""
    return (topic or "").startswith(PREFIX)


def perform(run: Run, wait: Wait) -> dict[str, Any]:
    """Perform a step; returns the variables that it leaves (none).  Raises EngineError."""
    step = STEPS.get(wait.name or "")
    if step is None:
        raise InvalidInput(f"Expected a topic of the engine ({', '.join(STEPS)}), but {wait.element} has {wait.name!r}")
    step(run, run.loaded.definition.elements[wait.element].properties)
    return {}
