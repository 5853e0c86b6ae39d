"""Tasks of people, as Tasklist-like programs read and complete them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, values
from api.camunda.shown import definition_id
from api.transactions import database, reading
from engine import task_lists, tasks
from engine.database import Session
from engine.errors import InvalidInput, NotFound
from engine.filters import Listing
from engine.states import TaskStatus
from engine.task_lists import Listed

bp = Blueprint("tasks", __name__, url_prefix="/task")
#: Groups whose tasks are asked for are asked for what is to be had: as in Camunda, without what somebody has, unless that is wanted, too.
_CANDIDATES = ("candidateGroup", "candidateGroups", "candidateUser")
_STATES = {TaskStatus.OPEN: "Created", TaskStatus.COMPLETED: "Completed", TaskStatus.CANCELED: "Deleted"}


@bp.get("/<task>")
def show(task: str) -> Response:
    """Show one task."""
    with reading() as session:
        return answers.json(shown(_get(session, task)))


@bp.post("/<task>/claim")
def claim(task: str) -> Response:
    """Take a task for oneself; nobody takes it for somebody else."""
    _require_oneself(asked.field(asked.body(), "userId", str))
    with database().transaction() as session:
        tasks.claim(session, _id(task), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/unclaim")
def unclaim(task: str) -> Response:
    """Give a task back to its groups."""
    with database().transaction() as session:
        tasks.release(session, _id(task), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/assignee")
def set_assignee(task: str) -> Response:
    """Take a task for oneself, or give it back (`userId` null)."""
    user = asked.field(asked.body(), "userId", str)
    if user is None:
        return unclaim(task)
    return claim(task)


@bp.post("/<task>/complete")
@bp.post("/<task>/submit-form", endpoint="submit_form")
def complete(task: str) -> Response:
    """Complete a task; its form is checked in both ways of doing so."""
    given = asked.body()
    data = dict(values.decode(given.get("variables")).values)
    with database().transaction() as session:
        row = tasks.complete(session, _id(task), actor=auth.actor(), data=data)
        if not asked.field(given, "withVariablesInReturn", bool):
            return answers.nothing()
        instance = task_lists.get(session, row.id, actor=auth.actor(), ended=True).instance
        return answers.json(values.encode_all(instance.variables, instance.types))


@bp.get("/<task>/form")
def show_form(task: str) -> Response:
    """Say which form a task has."""
    with reading() as session:
        return answers.json({"key": None, "camundaFormRef": _form_ref(session, _get(session, task)), "contextPath": None})


@bp.get("/<task>/deployed-form")
def show_deployed_form(task: str) -> Response:
    """Give the form itself."""
    with reading() as session:
        found = _get(session, task)
        if _form_ref(session, found) is None:
            raise InvalidInput(f"Expected task {found.task.name} to have a form, but it has none")
        content = task_lists.form_file(session, found)
    if content is None:
        raise NotFound(f"Expected the form of task {found.task.name} among the files of its deployment, but it is not there")
    return Response(content, content_type="application/json")


@bp.get("/<task>/form-variables")
@bp.get("/<task>/variables", endpoint="list_variables")
def list_form_variables(task: str) -> Response:
    """Give the variables that a form may show."""
    deserialize = asked.flag("deserializeValues", default=True)
    with reading() as session:
        row = _get(session, task).instance
        return answers.json(values.encode_all(row.variables, row.types, deserialize=deserialize))


@bp.get("/<task>/identity-links")
def list_identity_links(task: str) -> Response:
    """Say whose task it is, and whose it may be."""
    with reading() as session:
        found = _get(session, task)
        groups = tasks.groups(session, [found.task.id])[found.task.id]
    mine = [{"userId": found.task.assignee, "groupId": None, "type": "assignee"}] if found.task.assignee else []
    return answers.json([*mine, *({"userId": None, "groupId": group, "type": "candidate"} for group in groups)])


def shown(found: Listed) -> dict[str, Any]:
    """Show one task."""
    task = found.task
    return {
        "id": str(task.id),
        "name": task.name,
        "assignee": task.assignee,
        "created": answers.moment(task.created_at),
        "due": answers.moment(task.due_at),
        "followUp": None,
        "lastUpdated": None,
        "delegationState": None,
        "description": None,
        "executionId": str(task.instance_id),
        "owner": None,
        "parentTaskId": None,
        "priority": task.priority,
        "processDefinitionId": definition_id(found.definition),
        "processInstanceId": str(task.instance_id),
        "taskDefinitionKey": task.element,
        "caseExecutionId": None,
        "caseInstanceId": None,
        "caseDefinitionId": None,
        "suspended": found.instance.suspended,
        "formKey": None,
        "camundaFormRef": None,
        "tenantId": None,
        "taskState": _STATES[task.status],
    }


def _find(session: Session, given: dict[str, Any]) -> Listing:
    """Find open tasks."""
    if any(given.get(name) for name in _CANDIDATES) and not any(asked.true(given, name) for name in ("includeAssignedTasks", "assigned")):
        given = given | {"unassigned": True}
    conditions = lists.conditions(given, task_lists.FILTERS, besides=("candidateUser", "includeAssignedTasks", "processVariables"))
    if user := asked.field(given, "candidateUser", str):
        conditions.append(task_lists.for_candidate(session, user))
    variables = lists.comparisons(given, "processVariables")
    return task_lists.search(auth.actor(), *conditions, order=lists.order(given, task_lists.SORTABLE), variables=variables)


lists.serve(bp, _find, lambda _session, row: shown(task_lists.listed(row)))


def _require_oneself(user: str | None) -> None:
    if user not in {None, auth.actor().name}:
        raise InvalidInput(f"Expected to take a task for oneself ({auth.actor().name}), but userId is {user!r:.80}")


def _form_ref(session: Session, found: Listed) -> dict[str, Any] | None:
    ref = task_lists.drawn(session, found).process.elements[found.task.element].form_ref
    return None if ref is None else {"key": ref, "binding": "deployment", "version": None}


def _get(session: Session, task: str) -> Listed:
    return task_lists.get(session, _id(task), actor=auth.actor())


def _id(text: str) -> UUID:
    return asked.uuid(text, "Task")
