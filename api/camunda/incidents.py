"""Incidents: what failed and stands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from api import auth
from api.camunda import answers, lists
from api.camunda.shown import definition_id
from engine import incidents
from engine.database import Session
from engine.filters import Listing
from engine.places import Place

bp = Blueprint("incidents", __name__, url_prefix="/incident")


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find standing incidents, oldest first."""
    conditions = lists.conditions(given, incidents.FILTERS)
    return incidents.listing(auth.actor(), *conditions, order=lists.order(given, incidents.SORTABLE))


def _shown(_session: Session, found: Any) -> dict[str, Any]:
    row = found.Incident
    return {
        "id": str(row.id),
        "processDefinitionId": definition_id(found.Definition),
        "processInstanceId": str(row.instance_id) if row.instance_id else None,
        "executionId": str(Place(row.instance_id, found.holder)) if row.instance_id else None,
        "incidentTimestamp": answers.moment(row.raised_at),
        "incidentType": incidents.type_of(found),
        "activityId": row.element,
        "failedActivityId": row.element,
        "causeIncidentId": str(row.id),
        "rootCauseIncidentId": str(row.id),
        "configuration": str(found.tried_id or row.id),
        "incidentMessage": row.message or None,
        "tenantId": None,
        "jobDefinitionId": None,
        "annotation": None,
    }


lists.serve(bp, _find, _shown, methods=("GET",))
