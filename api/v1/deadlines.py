"""Deadlines (时限一览): what is due when, and in which light."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response

from api import auth, paging
from api.contract import answer, contract
from api.shapes import Line, Page, Paged, Shape
from api.transactions import reading
from api.v1 import present
from api.v1.shown import Due
from engine import deadlines
from engine.clock import Light
from engine.deadlines import Deadline
from engine.states import ClockStatus

bp = Blueprint("deadlines", __name__, url_prefix="/deadlines")


class DeadlineQuery(Paged):
    """Which clocks."""

    light: Light | None = None
    due_before: date | None = None
    department: Line | None = None


class DeadlineShown(Shape):
    """A clock that runs, or is paused."""

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


@bp.get("")
@contract(summary="时限列表 · List deadlines", query=DeadlineQuery, answer=Page[DeadlineShown])
def list_deadlines(query: DeadlineQuery) -> Response:
    """List the clocks that are yours to see, the soonest due first."""
    start = paging.after(query.cursor, str, str, str)
    with reading() as session:
        found = deadlines.open_ones(session, auth.actor(), light=query.light, due_before=query.due_before)
        wanted = [d for d in found if query.department in {None, d.department} and (start is None or _place(d) > start)]
        return answer(paging.page(wanted[: query.limit + 1], query.limit, key=_place, present=_shown))


def _place(found: Deadline) -> tuple[str, str, str]:
    """Where a deadline stands in the list; those without a date stand last."""
    return (found.promised.date if found.promised else date.max).isoformat(), found.case, found.item or ""


def _shown(found: Deadline) -> dict[str, Any]:
    shown = {name: getattr(found, name) for name in ("case", "item", "name", "department", "clock", "remaining", "light")}
    return shown | {"promised": present.due(found.promised), "statutory": present.due(found.statutory)}
