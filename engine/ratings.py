"""Ratings (好差评): the applicant's mark, once a case; nobody else's, and never a default."""

from __future__ import annotations

from typing import Any

from engine import alerts, entered, journal, keys, moments
from engine.alerts import AlertKind
from engine.case_models import Rating
from engine.clock import Light
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.runs import Run

WORST, BEST = 1, 5
#: 不满意、非常不满意: the applicant is to be asked, and something done about it (国办发〔2019〕51号).
BAD = frozenset({1, 2})
#: Some forms give a mark as text.
_WRITTEN = frozenset(map(str, range(WORST, BEST + 1)))


def rate(run: Run, _task: HeldTask, data: dict[str, Any]) -> None:
    """Take the mark: 1 (very dissatisfied) to 5 (very satisfied); who supervises is told of a bad one at once."""
    score = data.get("score")
    value = int(score) if isinstance(score, str) and score in _WRITTEN else score
    if isinstance(value, bool) or not isinstance(value, int) or not WORST <= value <= BEST:
        raise InvalidInput.of_field("score", f"Expected score to be a number from {WORST} to {BEST}, but it is {score!r:.80}")
    comment = entered.text(data, "comment")
    if keys.get(run.session, Rating, run.case.id, run.case) is not None:
        raise InvalidState(f"Expected the one rating of case {run.case.number}, but it was rated already")
    run.session.add(Rating(**run.case.key, score=value, comment=comment, rated_at=moments.now(), rated_by=run.actor.name))
    if value in BAD:
        said = f"：{comment}" if comment else ""
        alerts.raise_alert(run.session, run.case, AlertKind.BAD_RATING, Light.YELLOW, f"办件 {run.case.number} 差评（{value} 分）{said}")
    journal.record(run.session, run.row, actor=run.actor, what="case rated", score=value)
