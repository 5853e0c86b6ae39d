"""Incidents (异常): what failed and waits, and trying it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.contract import answer, contract
from api.shapes import Shape
from api.transactions import reading, transaction
from api.v1 import present
from engine import incidents, keys
from engine.case_models import Case
from engine.database import Session
from engine.models import Incident

bp = Blueprint("incidents", __name__, url_prefix="/incidents")


class IncidentShown(Shape):
    """Something that failed; the case waits there, others go on."""

    id: UUID
    #: None: a process that could not begin by itself.
    case: str | None
    element: str
    message: str
    raised_at: datetime
    resolved_at: datetime | None


class IncidentList(Shape):
    """What stands."""

    data: list[IncidentShown]


@bp.get("")
@contract(summary="异常列表 · List incidents", answer=IncidentList)
def list_incidents() -> Response:
    """List what stands in the cases that are yours to see, oldest first; at most 200."""
    with reading() as session:
        return answer({"data": [row._asdict() for row in incidents.with_cases(session, auth.actor(), 200)]})


@bp.post("/<uuid:incident_id>/retry")
@contract(summary="重试 · Try again", answer=IncidentShown, problems=(409,))
def retry(incident_id: UUID) -> Response:
    """Try again what failed."""
    with transaction() as session:
        return answer(_shown(session, incidents.retry(session, incident_id, actor=auth.actor())))


def _shown(session: Session, row: Incident) -> dict[str, Any]:
    shown = present.fields(row, "id element message raised_at resolved_at")
    return shown | {"case": keys.get_one(session, Case, row.case_id, row).number if row.instance_id else None}
