"""History: what ran, and what runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers, asked, lists, values
from api.camunda.shown import definition_id
from api.camunda.tasks import shown
from api.transactions import reading
from engine import instance_lists, processes, task_lists
from engine.database import Session
from engine.errors import NotFound
from engine.filters import Listing
from engine.states import InstanceStatus

bp = Blueprint("history", __name__, url_prefix="/history")
_STATES = {
    InstanceStatus.RUNNING: "ACTIVE",
    InstanceStatus.COMPLETED: "COMPLETED",
    InstanceStatus.FAILED: "INTERNALLY_TERMINATED",
    InstanceStatus.CANCELED: "EXTERNALLY_TERMINATED",
}


def _find_instances(_session: Session, given: dict[str, Any]) -> Listing:
    """Find instances, ended ones among them."""
    return instance_lists.search(
        auth.actor(),
        *lists.conditions(given, instance_lists.HISTORY, besides=("variables",)),
        order=lists.order(given, instance_lists.SORTABLE),
        variables=lists.comparisons(given, "variables"),
        ended=True,
    )


@bp.get("/process-instance/<found>")
def show_instance(found: str) -> Response:
    """Show one instance, also when it has ended."""
    with reading() as session:
        rows = _find_instances(session, {"processInstanceId": found}).rows(session)
        if not rows:
            raise NotFound(f"Historic process instance with id {found} does not exist")
        return answers.json(_instance(session, rows[0]))


def _find_tasks(_session: Session, given: dict[str, Any]) -> Listing:
    """Find tasks, ended ones among them."""
    return task_lists.search(auth.actor(), *lists.conditions(given, task_lists.FILTERS), ended=True)


@bp.get("/variable-instance")
def list_variables() -> Response:
    """List the variables of one instance, also when it has ended."""
    found, deserialize = request.args.get("processInstanceId", ""), asked.flag("deserializeValues", default=True)
    with reading() as session:
        row = processes.get(session, asked.uuid(found, "Process instance"), auth.actor())
        typed = values.encode_all(row.variables, row.types, deserialize=deserialize)
    return answers.json([{"id": f"{found}:{name}", "name": name, "processInstanceId": found, **one} for name, one in typed.items()])


def _instance(_session: Session, found: Any) -> dict[str, Any]:
    row, of = found.Instance, found.Definition
    took = None if row.ended_at is None else int((row.ended_at - row.started_at).total_seconds() * 1000)
    return {
        "id": str(row.id),
        "businessKey": row.business_key,
        "processDefinitionId": definition_id(of),
        "processDefinitionKey": of.key,
        "processDefinitionName": of.name,
        "processDefinitionVersion": of.version,
        "startTime": answers.moment(row.started_at),
        "endTime": answers.moment(row.ended_at),
        "durationInMillis": took,
        "startUserId": found.Case.submitted_by,
        "startActivityId": None,
        "endActivityId": row.end,
        "deleteReason": None,
        "superProcessInstanceId": str(row.parent_id) if row.parent_id else None,
        "rootProcessInstanceId": None if row.parent_id else str(row.id),
        "caseInstanceId": None,
        "tenantId": None,
        "state": _STATES[row.status],
    }


def _task(session: Session, row: Any) -> dict[str, Any]:
    task = task_lists.listed(row)
    return shown(session, task) | {"startTime": answers.moment(task.task.created_at), "endTime": answers.moment(task.task.ended_at)}


lists.serve(bp, _find_instances, _instance, at="/process-instance")
lists.serve(bp, _find_tasks, _task, at="/task")
