"""Executions: a process instance is one, and so is each activation that lasts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, values
from api.transactions import database, reading
from engine import correlation, execution_lists, places
from engine.database import Session
from engine.filters import Listing
from engine.models import Subscription
from engine.places import Place

bp = Blueprint("executions", __name__, url_prefix="/execution")


@bp.get("/<found>")
def show(found: str) -> Response:
    """Show an execution."""
    with reading() as session:
        return answers.json(_shown(session, execution_lists.get(session, places.read(found), auth.actor())))


@bp.post("/<found>/signal")
def signal(found: str) -> Response:
    """Let a receive task go on."""
    variables = values.decode(asked.body().get("variables"))
    with database().transaction() as session:
        correlation.trigger(session, places.read(found), actor=auth.actor(), given=variables)
    return answers.nothing()


@bp.get("/<found>/messageSubscriptions/<name>")
def show_subscription(found: str, name: str) -> Response:
    """Show that an execution waits for a message."""
    with reading() as session:
        place = places.read(found)
        row = execution_lists.get(session, place, auth.actor()).Instance
        return answers.json(_subscription(execution_lists.subscriptions(session, row, place.number, name)[0]))


@bp.post("/<found>/messageSubscriptions/<name>/trigger")
def trigger(found: str, name: str) -> Response:
    """Deliver a message to an execution."""
    variables = values.decode(asked.body().get("variables"))
    with database().transaction() as session:
        correlation.deliver(session, places.read(found), name, actor=auth.actor(), given=variables)
    return answers.nothing()


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find executions of running instances."""
    conditions = lists.conditions(given, execution_lists.FILTERS, besides=("variables", "processVariables"))
    local, of_process = (lists.comparisons(given, name) for name in ("variables", "processVariables"))
    order = lists.order(given, execution_lists.SORTABLE)
    return execution_lists.search(auth.actor(), *conditions, order=order, local=local, of_process=of_process)


def shown(place: Place, *, ended: bool = False) -> dict[str, Any]:
    """Show an execution."""
    return {"id": str(place), "processInstanceId": str(place.instance_id), "ended": ended, "tenantId": None}


def _shown(_session: Session, row: Any) -> dict[str, Any]:
    return shown(Place(row.instance_id, row.number))


def _subscription(row: Subscription) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "eventType": row.kind,
        "eventName": row.name,
        "executionId": str(Place(row.instance_id, row.holder)),
        "processInstanceId": str(row.instance_id),
        "activityId": row.element,
        "createdDate": None,
        "tenantId": None,
    }


lists.serve(bp, _find, _shown)
