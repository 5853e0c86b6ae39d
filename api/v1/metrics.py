"""Metrics (运行指标), for supervisors."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import Field

from api import auth, tables, words
from api.contract import answer, contract
from api.shapes import Day, Query, Shape
from api.tables import Column
from api.transactions import database
from engine import metrics
from engine.errors import InvalidInput
from engine.metrics import Figures
from engine.ratings import BEST, WORST

bp = Blueprint("metrics", __name__, url_prefix="/metrics")


#: What a form for the month asks, in the file: each rate as the two numbers it is made of.
COLUMNS = {
    "一件事": Column("name"),
    "办件": Column("submitted"),
    "已归档（其余各栏不含）": Column("archived"),
    "办结": Column("ended"),
    **{words.OUTCOMES[outcome]: Column(outcome) for outcome in ("open", "all_granted", "partial", "none_granted", "withdrawn")},
    "事项": Column("items"),
    "接续事项": Column("adopted"),
    "不予受理和退件事项": Column("sent_away"),
    "超期事项": Column("overdue"),
    "未一次备齐": Column("incomplete"),
    "单独申报的同类事项": Column("alone"),
    "已决定事项": Column("decided"),
    "办理工作日合计": Column("days"),
    "平均办理工作日": Column("average"),
    "最长办理工作日": Column("longest"),
    "超期办结事项": Column("late"),
    **{f"评价 {mark} 分": Column(f"rated_{mark}") for mark in range(BEST, WORST - 1, -1)},
}


class Period(Query):
    """From one day to another, both included."""

    since: Day
    until: Day
    by: Annotated[
        metrics.Day,
        Field(description="按申报日还是办结日统计 · Count what was submitted in the period, or what has ended in it."),
    ] = metrics.Day.SUBMITTED
    format: Annotated[Literal["json", "csv"], Field(description="csv：导出为一个文件 · csv: as a file.")] = "json"


class DurationsShown(Shape):
    """For how long a department handled what it has decided, as the clocks of its items have counted."""

    department: str
    #: Items that are counted: decided, and not imported.
    decided: int
    #: Working days that they took together, without pauses: 平均办理时间 = days ÷ decided.
    days: int
    #: Working days of the one that took the most.
    longest: int
    #: Items that were decided after the last day of their promise: 超期率 = late ÷ decided.
    late: int


class FiguresShown(Shape):
    """What the cases of one matter show that were submitted, or have ended, in the period."""

    matter: str
    name: str
    #: Cases that are counted: all that were submitted in the period, or all that have ended in it.
    submitted: int
    #: Cases of the period, too, that are in the archive: no other figure counts them.
    archived: int
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
    #: 办理时间: of the items that were decided, by department.
    durations: list[DurationsShown]


class MetricsShown(Shape):
    """All matters."""

    since: dt.date
    until: dt.date
    by: metrics.Day
    data: list[FiguresShown]


@bp.get("")
@contract(summary="运行指标 · Metrics", query=Period, answer=MetricsShown, columns=COLUMNS)
def get_metrics(query: Period) -> Response:
    """Count the cases of a period, by matter; a supervisor's in its halls."""
    if query.until < query.since:
        raise InvalidInput.of_field("until", f"Expected a period that ends on {query.since} or later, but it ends on {query.until}")
    with database().snapshot() as session:
        found = metrics.collect(session, auth.actor(), since=query.since, until=query.until, by=query.by)
        if query.format == "csv":
            return tables.file(session, map(_row, found))
        return answer({"since": query.since, "until": query.until, "by": query.by, "data": [_shown(figures) for figures in found]})


def _shown(figures: Figures) -> dict[str, Any]:
    by_department = sorted(figures.durations.items())
    return vars(figures) | {"durations": [{"department": department, **vars(took)} for department, took in by_department]}


def _row(figures: Figures) -> dict[str, Any]:
    """Make one row of the file: what counts by outcome, or by mark, has a column for each; all departments are told together."""
    marks = {f"rated_{mark}": figures.ratings[mark] for mark in range(WORST, BEST + 1)}
    took = figures.whole
    average = {"average": round(took.days / took.decided, 1) if took.decided else None}
    return vars(figures) | {outcome: figures.outcomes[outcome] for outcome in words.OUTCOMES} | marks | vars(took) | average
