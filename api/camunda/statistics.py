"""Statistics: how much of each process runs, where in its diagram, and what has failed there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from api import auth
from api.camunda import addresses, answers, asked
from api.camunda.shown import definition, definition_id
from api.transactions import reading
from engine import statistics
from engine.statistics import Figures

bp = Blueprint("statistics", __name__, url_prefix="/process-definition")
_RESULT = "org.camunda.bpm.engine.rest.dto.repository.{}StatisticsResultDto"


@bp.get("/statistics")
def list_versions() -> Response:
    """Count the running instances of each version."""
    with reading() as session:
        found = statistics.of_versions(session, actor=auth.actor())
    kind = _RESULT.format("ProcessDefinition")
    return answers.json(
        [{"@class": kind, "id": definition_id(row), **_shown(figures), "definition": definition(row)} for row, figures in found]
    )


@addresses.of_version(bp, "/statistics")
def list_elements(wanted: UUID) -> Response:
    """Count what is at each element of one version."""
    with reading() as session:
        found = statistics.of_elements(session, wanted, actor=auth.actor())
    kind = _RESULT.format("Activity")
    return answers.json([{"@class": kind, "id": element, **_shown(figures)} for element, figures in found.items()])


def _shown(figures: Figures) -> dict[str, Any]:
    """Show figures: incidents when they are asked for, all or of one type; else none, as in Camunda."""
    wanted = request.args.get("incidentsForType")
    told = figures.incidents.items() if asked.flag("incidents") or wanted else ()
    return {
        "instances": figures.instances,
        "failedJobs": figures.incidents["failedJob"] if asked.flag("failedJobs") else 0,
        "incidents": [{"incidentType": name, "incidentCount": number} for name, number in told if wanted in {None, name}],
    }
