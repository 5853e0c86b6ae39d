"""Halls (大厅), to which people come: looked up by all, made, renamed and deleted by administrators."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth, paging
from api.contract import answer, contract
from api.shapes import Body, Line, Page, Paged, Shape
from api.transactions import reading, transaction
from engine import offices
from engine.models import Hall

bp = Blueprint("halls", __name__, url_prefix="/halls")


class HallData(Body):
    """What is said of a hall."""

    #: What people read.
    name: Line
    #: city, county, street …
    level: Line


class HallShown(Shape):
    """A hall."""

    #: What cases say in `hall`.
    code: str
    name: str
    level: str


@bp.get("")
@contract(summary="大厅列表 · List halls", query=Paged, answer=Page[HallShown])
def list_halls(query: Paged) -> Response:
    """List halls by code."""
    after = paging.last(query.cursor, str) or ""
    with reading() as session:
        found = offices.listing(session, Hall, after=after, limit=query.limit + 1)
        return answer(paging.page(found, query.limit, key=lambda h: (h.code,), present=_presented))


@bp.put("/<code>")
@contract(summary="设置大厅 · Make or rename a hall", body=HallData, answer=HallShown, made=201)
def put(code: str, body: HallData) -> Response:
    """Make a hall (201), or give the one of this code another name and level (200: city, county, street …)."""
    with transaction() as session:
        hall, made = offices.put_hall(session, code, actor=auth.actor(), name=body.name, level=body.level)
        return answer(_presented(hall), made=made)


@bp.delete("/<code>")
@contract(summary="删除大厅 · Delete a hall", answer=HallShown, problems=(409,))
def delete(code: str) -> Response:
    """Delete a hall, unless somebody has a role there, or a case is of it, an ended one, too (409)."""
    with transaction() as session:
        return answer(_presented(offices.delete_hall(session, code, actor=auth.actor())))


def _presented(hall: Hall) -> dict[str, Any]:
    return {"code": hall.code, "name": hall.name, "level": hall.level}
