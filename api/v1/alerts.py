"""Alerts (电子监察): what went wrong, or is about to, across cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth, paging, tables, words
from api.contract import contract
from api.shapes import Dated, Line, Page, Shape
from api.tables import Column, Listed
from api.transactions import reading
from api.v1 import present
from engine import alerts
from engine.alerts import AlertFilter, AlertKind
from engine.clock import Light

bp = Blueprint("alerts", __name__, url_prefix="/alerts")
COLUMNS = {
    "发生时间": Column("raised_at"),
    "预警类型": Column("kind", words.ALERTS),
    "红黄灯": Column("light", words.LIGHTS),
    "办件编号": Column("case"),
    "一件事": Column("matter"),
    "大厅": Column("hall"),
    "事项编号": Column("item"),
    "事项名称": Column("name"),
    "部门": Column("department"),
    "说明": Column("message"),
}


class AlertQuery(Dated, Listed):
    """Which alerts."""

    hall: Line | None = None
    department: Line | None = None
    matter: Line | None = None
    kind: AlertKind | None = None


class AlertListed(Shape):
    """An alert, and what it is about."""

    raised_at: datetime
    #: E.g. overdue, reminder, breach, as they are asked for.
    kind: str
    light: Light
    case: str
    matter: str
    hall: str
    #: Null: it is about the bundle as a whole.
    item: str | None
    #: Of the item.
    name: str | None
    department: str | None
    message: str


@bp.get("")
@contract(summary="监察预警 · List alerts", query=AlertQuery, answer=Page[AlertListed], columns=COLUMNS)
def list_alerts(query: AlertQuery) -> Response:
    """List the alerts that are yours to see, the newest first: those of cases that are not in the archive."""
    after = paging.last(query.cursor, UUID)
    wanted = AlertFilter(**{name: getattr(query, name) for name in ("hall", "department", "matter", "kind", "since", "until")})
    with reading() as session:
        found = alerts.listing(session, auth.actor(), wanted, after=after, limit=query.rows + 1)
        return tables.answer(session, found, query, key=lambda row: (row.id,), present=_shown)


def _shown(row: Any) -> dict[str, Any]:
    return present.fields(row, *AlertListed.model_fields) | {"light": Light(row.light)}
