"""Jobs: timers, and tokens that the engine carries on by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, values
from api.camunda.shown import definition_id
from api.transactions import database, reading
from engine import scheduled_work
from engine.database import Session
from engine.errors import Failed, InvalidInput
from engine.filters import Listing
from engine.places import Place
from engine.scheduled_work import DUE

bp = Blueprint("jobs", __name__, url_prefix="/job")


@bp.get("/<job>")
def show(job: str) -> Response:
    """Show one job."""
    with reading() as session:
        return answers.json(_shown(session, scheduled_work.get(session, _id(job), actor=auth.actor())))


@bp.get("/<job>/stacktrace")
def show_failure(job: str) -> Response:
    """Show what went wrong last, as text."""
    with reading() as session:
        return Response(scheduled_work.get(session, _id(job), actor=auth.actor()).error or "", content_type="text/plain")


@bp.post("/<job>/execute")
def execute(job: str) -> Response:
    """Do it now; when it fails, that counts as an attempt."""
    try:
        with database().transaction() as session:
            scheduled_work.execute(session, _id(job), actor=auth.actor())
    except Failed as failure:
        with database().transaction() as session:
            scheduled_work.remember_failure(session, _id(job), failure.__cause__ or failure, actor=auth.actor())
        raise
    return answers.nothing()


@bp.put("/<job>/retries")
def set_retries(job: str) -> Response:
    """Allow more attempts."""
    retries = asked.needed(asked.body(), "retries", int, most=asked.INT)
    with database().transaction() as session:
        scheduled_work.set_retries(session, _id(job), retries, actor=auth.actor())
    return answers.nothing()


@bp.put("/<job>/duedate")
def set_due_date(job: str) -> Response:
    """Let it be due at another moment; without one, now."""
    given = asked.body()
    if asked.field(given, "cascade", bool):
        raise InvalidInput("Expected one due date to change, but cascade asks for those that follow, too")
    moment = values.moment(given, "duedate") if given.get("duedate") is not None else None
    with database().transaction() as session:
        scheduled_work.set_due(session, _id(job), moment, actor=auth.actor())
    return answers.nothing()


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find jobs."""
    conditions = lists.conditions(given, scheduled_work.FILTERS, besides=("dueDates",))
    return scheduled_work.search(auth.actor(), *conditions, *_due(given), order=lists.order(given, scheduled_work.SORTABLE))


def _due(given: dict[str, Any]) -> list[Any]:
    """Read `dueDates`: `gt_…,lt_…` in a query, objects with operator and value in a body."""
    wanted = given.get("dueDates") or []
    if isinstance(wanted, str):
        parts = [text.partition("_") for text in wanted.split(",")]
        wanted = [{"operator": operator, "value": value} for operator, _, value in parts]
    if not isinstance(wanted, list) or not all(isinstance(e, dict) and str(e.get("operator")) in DUE and "value" in e for e in wanted):
        raise InvalidInput(f"Expected dueDates compared by {' or '.join(DUE)}, but got {wanted!r:.80}")
    return [DUE[entry["operator"]].condition(values.moment(entry, "value")) for entry in wanted]


def _shown(_session: Session, found: Any) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "jobDefinitionId": None,
        "processInstanceId": str(found.instance_id) if found.Instance else None,
        "executionId": str(Place(found.instance_id, found.holder)) if found.Instance else None,
        "processDefinitionId": definition_id(found.Definition),
        "processDefinitionKey": found.Definition.key,
        "retries": found.retries,
        "exceptionMessage": found.error,
        "failedActivityId": found.element if found.error is not None else None,
        "dueDate": answers.moment(found.due_at),
        "suspended": found.Instance is not None and found.Instance.suspended,
        "priority": found.priority,
        "tenantId": None,
        "createTime": None,
        "batchId": None,
    }


def _id(text: str) -> UUID:
    return asked.uuid(text, "Job")


lists.serve(bp, _find, _shown)
