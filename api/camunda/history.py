"""History: what ran, and what runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers, asked, values
from api.camunda.deployments import LONGEST_LIST
from api.camunda.shown import definition_id, read_definition_id
from api.camunda.tasks import shown
from api.transactions import reading
from engine import processes, task_lists
from engine.errors import NotFound
from engine.models import Definition, Instance
from engine.processes import Wanted
from engine.states import InstanceStatus

bp = Blueprint("history", __name__, url_prefix="/history")
_STATES = {
    InstanceStatus.RUNNING: "ACTIVE",
    InstanceStatus.COMPLETED: "COMPLETED",
    InstanceStatus.FAILED: "INTERNALLY_TERMINATED",
    InstanceStatus.CANCELED: "EXTERNALLY_TERMINATED",
}


@bp.get("/process-instance")
def list_instances() -> Response:
    """List instances, ended ones among them."""
    first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST_LIST)
    return answers.json(_instances()[first : first + limit])


@bp.get("/process-instance/count")
def count_instances() -> Response:
    """Count instances, ended ones among them."""
    return answers.json({"count": len(_instances())})


@bp.get("/process-instance/<found>")
def show_instance(found: str) -> Response:
    """Show one instance, also when it has ended."""
    with reading() as session:
        rows = processes.search(session, Wanted(ids=frozenset({asked.uuid(found, "Process instance")}), ended=True), actor=auth.actor())
        if not rows:
            raise NotFound(f"Historic process instance with id {found} does not exist")
        return answers.json(_shown(*rows[0]))


@bp.get("/task")
def list_tasks() -> Response:
    """List tasks, ended ones among them."""
    first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST_LIST)
    instance = request.args.get("processInstanceId")
    wanted = task_lists.Wanted(instance_id=asked.uuid(instance, "Process instance") if instance else None, ended=True)
    with reading() as session:
        rows = task_lists.search(session, wanted, actor=auth.actor())[first : first + limit]
        ends = ({"startTime": answers.moment(row.task.created_at), "endTime": answers.moment(row.task.ended_at)} for row in rows)
        return answers.json([shown(row) | end for row, end in zip(rows, ends, strict=True)])


@bp.get("/variable-instance")
def list_variables() -> Response:
    """List the variables of one instance, also when it has ended."""
    found, deserialize = request.args.get("processInstanceId", ""), asked.flag("deserializeValues", default=True)
    with reading() as session:
        row = processes.get(session, asked.uuid(found, "Process instance"), auth.actor())
        typed = values.encode_all(row.variables, row.types, deserialize=deserialize)
    return answers.json([{"id": f"{found}:{name}", "name": name, "processInstanceId": found, **one} for name, one in typed.items()])


def _instances() -> list[dict[str, Any]]:
    query = request.args
    wanted = Wanted(
        key=query.get("processDefinitionKey"),
        definition_id=read_definition_id(query["processDefinitionId"]) if "processDefinitionId" in query else None,
        business_key=query.get("processInstanceBusinessKey"),
        ended=True,
    )
    finished, unfinished = asked.flag("finished"), asked.flag("unfinished")
    with reading() as session:
        rows = processes.search(session, wanted, actor=auth.actor())
        return [
            _shown(row, of) for row, of in rows if not (finished and row.ended_at is None) and not (unfinished and row.ended_at is not None)
        ]


def _shown(row: Instance, of: Definition) -> dict[str, Any]:
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
        "startUserId": None,
        "startActivityId": None,
        "endActivityId": row.end,
        "deleteReason": None,
        "superProcessInstanceId": str(row.parent_id) if row.parent_id else None,
        "rootProcessInstanceId": None if row.parent_id else str(row.id),
        "caseInstanceId": None,
        "tenantId": None,
        "state": _STATES[row.status],
    }
