"""Incidents: what failed and stands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers, asked
from api.camunda.deployments import LONGEST_LIST
from api.camunda.shown import definition_id
from api.transactions import reading
from engine import incidents

bp = Blueprint("incidents", __name__, url_prefix="/incident")


@bp.get("")
def list_incidents() -> Response:
    """List standing incidents, oldest first."""
    first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST_LIST)
    return answers.json(_listed()[first : first + limit])


@bp.get("/count")
def count() -> Response:
    """Count standing incidents."""
    return answers.json({"count": len(_listed())})


def _listed() -> list[dict[str, Any]]:
    asked_for = {
        name: request.args[name] for name in ("processInstanceId", "incidentType", "activityId", "configuration") if name in request.args
    }
    with reading() as session:
        found = [_shown(place) for place in incidents.places(session, actor=auth.actor())]
    return [one for one in found if all(one[name] == value for name, value in asked_for.items())]


def _shown(place: incidents.Place) -> dict[str, Any]:
    row = place.incident
    return {
        "id": str(row.id),
        "processDefinitionId": definition_id(place.definition),
        "processInstanceId": str(row.instance_id),
        "executionId": str(row.instance_id),
        "incidentTimestamp": answers.moment(row.raised_at),
        "incidentType": "failedExternalTask" if place.external_task_id else "failedJob",
        "activityId": row.element,
        "failedActivityId": row.element,
        "causeIncidentId": str(row.id),
        "rootCauseIncidentId": str(row.id),
        "configuration": str(place.external_task_id or row.job_id or row.id),
        "incidentMessage": row.message,
        "tenantId": None,
        "jobDefinitionId": None,
        "annotation": None,
    }
