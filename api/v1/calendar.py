"""The working calendar (工作日历): the published years."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response
from pydantic import Field

from api import auth
from api.contract import answer, contract
from api.shapes import Body, Line, Shape
from api.transactions import reading, transaction
from api.v1 import present
from engine import dials, holidays, publications, recomputing
from engine.calendar_years import FIRST_YEAR, LAST_YEAR, DayKind
from engine.case_models import CalendarYear
from engine.case_models import Recomputation as Walk

bp = Blueprint("calendar", __name__, url_prefix="/calendar")


class Notice(Body):
    """The notice (通知) that arranges the holidays of a year, or amends them."""

    #: Number of the document (文号).
    number: Line
    #: Its title.
    title: Line
    #: Who has issued it.
    issued_by: Line
    #: When it was issued.
    date: dt.date
    #: Where it can be read.
    url: Line


class Day(Body):
    """One day that is not what its weekday says; the weekday (周一 …) must fit the date."""

    #: The day.
    date: dt.date
    #: As the notice says it: 周一 to 周日.
    weekday: Line
    #: Whether it is off or worked.
    kind: DayKind
    #: Name of the holiday to which it belongs.
    holiday: Line


class Year(Body):
    """The arrangement of one year, as it is published."""

    #: The year.
    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    #: The notices from which it was taken.
    sources: list[Notice] = Field(min_length=1, max_length=20)
    #: Days that are not what their weekdays say.
    days: list[Day] = Field(max_length=200)


class YearShown(Shape):
    """A published year."""

    year: int
    sources: list[dict[str, str]]
    days: list[dict[str, str]]
    loaded_at: dt.datetime
    loaded_by: str


class YearList(Shape):
    """All published years; beyond them due dates are provisional."""

    data: list[YearShown]
    #: The year that should be published by now, and is not (from 15 November on the next one): whoever publishes is to be told.
    missing: int | None


class Recomputation(Shape):
    """A walk over all open cases, on which every clock was counted anew because a calendar was published."""

    requested_at: dt.datetime
    requested_by: str
    #: None: it is under way, and goes on whatever dies.
    ended_at: dt.datetime | None
    #: Cases that were looked at, and those that are still to be; a bar shows the one of both.
    cases: int
    ahead: int
    #: How many clocks were counted, changed and moved, by how many days, and how many timers with them.
    report: dict[str, int]
    #: Numbers of what is late by it, a thousand at most.
    late: list[str]


class RecomputationList(Shape):
    """The last of them, the newest first."""

    data: list[Recomputation]


@bp.get("/recomputations")
@contract(summary="重算进度与结果 · What publishing has moved", answer=RecomputationList)
def list_recomputations() -> Response:
    """Say how far it is with counting all clocks anew, and what has moved."""
    with reading() as session:
        rows = recomputing.of_late(session, actor=auth.actor())
        ahead = recomputing.ahead(session)
        return answer({"data": [_told(row, ahead) for row in rows]})


@bp.get("")
@contract(summary="工作日历 · Working calendar", answer=YearList)
def get_calendar() -> Response:
    """Give the published years with their holidays and make-up days."""
    with reading() as session:
        missing = holidays.calendar(session).missing(dials.today())
        return answer({"data": [_shown(row) for row in publications.years(session)], "missing": missing})


@bp.post("")
@contract(summary="发布年度日历 · Publish a year", body=Year, answer=YearShown, status=201)
def publish(body: Year) -> Response:
    """Publish a year or its amendment; due dates, lights and timers follow, a batch of cases at a time."""
    with transaction() as session:
        return answer(_shown(publications.publish_year(session, body.model_dump(mode="json"), actor=auth.actor())))


def _shown(row: CalendarYear) -> dict[str, Any]:
    return {name: row.content[name] for name in ("year", "sources", "days")} | present.fields(row, "loaded_at loaded_by")


def _told(row: Walk, ahead: int) -> dict[str, Any]:
    counted = {name: count for name, count in row.report.items() if name not in {"late", "cases"}}
    return present.fields(row, "requested_at requested_by ended_at") | {
        "cases": recomputing.done(row),
        "ahead": 0 if row.ended_at else ahead,
        "report": counted,
        "late": row.report["late"],
    }
