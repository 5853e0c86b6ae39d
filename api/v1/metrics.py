"""Metrics (运行指标), for supervisors."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response

from api import auth
from api.contract import answer, contract
from api.shapes import Day, Query, Shape
from api.transactions import database
from engine import metrics
from engine.errors import InvalidInput

bp = Blueprint("metrics", __name__, url_prefix="/metrics")


class Period(Query):
    """From one day to another, both included."""

    since: Day
    until: Day


class FiguresShown(Shape):
    """What the cases of one matter show that were submitted in the period."""

    matter: str
    name: str
    submitted: int
    ended: int
    #: open, all_granted, partial, none_granted, withdrawn: cases.
    outcomes: dict[str, int]
    #: 联办量: cases by the number of items that they bundle.
    joint: dict[int, int]
    items: int
    #: Items that came from a case of their own (接续).
    adopted: int
    #: 退件率 = sent_away ÷ items.
    sent_away: int
    #: Items whose promise was broken.
    overdue: int
    #: 一次性备齐率 = (submitted - incomplete) ÷ submitted.
    incomplete: int
    #: 相对办件量 = submitted ÷ alone.
    alone: int
    #: 好差评: cases by mark; who gave none is not counted.
    ratings: dict[int, int]


class MetricsShown(Shape):
    """All matters."""

    since: dt.date
    until: dt.date
    data: list[FiguresShown]


@bp.get("")
@contract(summary="运行指标 · Metrics", query=Period, answer=MetricsShown)
def get_metrics(query: Period) -> Response:
    """Count the cases of a period, by matter; a supervisor's in its halls."""
    if query.until < query.since:
        raise InvalidInput.of_field("until", f"Expected a period that ends on {query.since} or later, but it ends on {query.until}")
    with database().snapshot() as session:
        found = metrics.collect(session, auth.actor(), since=query.since, until=query.until)
        return answer({"since": query.since, "until": query.until, "data": [vars(figures) for figures in found]})
