"""Alerts (电子监察): what went wrong, or is about to, across cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth, paging
from api.contract import answer, contract
from api.shapes import Dated, Line, Page, Shape
from api.transactions import reading
from api.v1 import present
from engine import alerts
from engine.alerts import AlertFilter, AlertKind
from engine.clock import Light

bp = Blueprint("alerts", __name__, url_prefix="/alerts")


class AlertQuery(Dated):
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
@contract(summary="监察预警 · List alerts", query=AlertQuery, answer=Page[AlertListed])
def list_alerts(query: AlertQuery) -> Response:
    """List the alerts that are yours to see, the newest first: those of cases that are not in the archive."""
    start = paging.after(query.cursor, UUID)
    wanted = AlertFilter(**{name: getattr(query, name) for name in ("hall", "department", "matter", "kind", "since", "until")})
    with reading() as session:
        found = alerts.listing(session, auth.actor(), wanted, after=start[0] if start else None, limit=query.limit + 1)
        return answer(paging.page(found, query.limit, key=lambda row: (row.id,), present=_shown))


def _shown(row: Any) -> dict[str, Any]:
    return present.fields(row, *AlertListed.model_fields) | {"light": Light(row.light)}
