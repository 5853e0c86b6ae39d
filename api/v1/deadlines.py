"""Deadlines (时限一览): what is due when, and in which light."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from api import auth, paging, tables, words
from api.contract import contract
from api.shapes import Line, Page, Shape
from api.tables import Column, Listed
from api.transactions import reading
from api.v1 import present
from api.v1.hindrances import HindranceShown
from api.v1.shown import Due
from engine import deadlines
from engine.clock import Light
from engine.deadlines import Deadline, DeadlineFilter
from engine.states import ClockStatus

bp = Blueprint("deadlines", __name__, url_prefix="/deadlines")
COLUMNS = {
    "办件编号": Column("case"),
    "事项编号": Column("item"),
    "名称": Column("name"),
    "部门": Column("department"),
    "时限状态": Column("clock", words.CLOCKS),
    "承诺办结日": Column("promised.date"),
    "法定办结日": Column("statutory.date"),
    "剩余工作日": Column("remaining"),
    "红黄灯": Column("light", words.LIGHTS),
    "原因": Column("waits_for", say=words.hindrance, between="；"),
}


class DeadlineQuery(Listed):
    """Which clocks."""

    light: Light | None = None
    due_before: date | None = None
    department: Line | None = None
    hall: Line | None = None
    matter: Line | None = None
    paused: Annotated[bool | None, Field(description="true：只列暂停计时的事项 · true: items whose clock is paused, only.")] = None


class DeadlineShown(Shape):
    """A clock that runs, is paused, or has not started yet."""

    case: str
    #: Null: the promise of the bundle itself.
    item: str | None
    name: str
    department: str | None
    clock: ClockStatus
    #: Null while a pause is open.
    promised: Due | None
    statutory: Due | None
    #: Working days left after today; negative: overdue.
    remaining: int | None
    light: Light | None
    #: What holds it up now, as far as it is yours to see; of a bundle, its own tasks and its items that are not decided.
    waits_for: list[HindranceShown]


@bp.get("")
@contract(summary="时限列表 · List deadlines", query=DeadlineQuery, answer=Page[DeadlineShown], columns=COLUMNS)
def list_deadlines(query: DeadlineQuery) -> Response:
    """List the clocks that are yours to see, the soonest due first."""
    place = paging.after(query.cursor, _day, str)
    wanted = DeadlineFilter(**{name: getattr(query, name) for name in ("light", "due_before", "department", "hall", "matter", "paused")})
    with reading() as session:
        found = deadlines.open_ones(session, auth.actor(), wanted, after=(place[0], place[1]) if place else None, limit=query.rows + 1)
        return tables.answer(session, found, query, key=lambda each: each.place, present=_shown)


def _day(text: str) -> date | None:
    return None if text == str(None) else date.fromisoformat(text)


def _shown(found: Deadline) -> dict[str, Any]:
    shown = found._asdict()
    shown["promised"], shown["statutory"] = present.due(found.promised), present.due(found.statutory)
    shown["waits_for"] = [each._asdict() for each in found.waits_for]
    return shown
