"""Executions: an instance has one, itself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, values
from api.transactions import database, reading
from engine import correlation, instance_lists, processes
from engine.database import Session
from engine.filters import Listing
from engine.models import Instance

bp = Blueprint("executions", __name__, url_prefix="/execution")


@bp.get("/<found>")
def show(found: str) -> Response:
    """Show an instance as an execution."""
    with reading() as session:
        return answers.json(shown(processes.get(session, asked.uuid(found, "Execution"), auth.actor())))


@bp.post("/<found>/signal")
def signal(found: str) -> Response:
    """Let a receive task go on."""
    variables = values.decode(asked.body().get("variables"))
    with database().transaction() as session:
        correlation.trigger(session, asked.uuid(found, "Execution"), actor=auth.actor(), given=variables)
    return answers.nothing()


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find executions of running instances."""
    return instance_lists.search(
        auth.actor(),
        *lists.conditions(given, instance_lists.EXECUTIONS, besides=("variables", "processVariables")),
        order=lists.order(given, instance_lists.SORTABLE),
        variables=[*lists.comparisons(given, "variables"), *lists.comparisons(given, "processVariables")],
    )


def shown(row: Instance) -> dict[str, Any]:
    """Show an instance as an execution."""
    return {"id": str(row.id), "processInstanceId": str(row.id), "ended": row.ended_at is not None, "tenantId": None}


lists.serve(bp, _find, lambda _session, row: shown(row.Instance))
