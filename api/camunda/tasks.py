"""Tasks of people, as Tasklist-like programs read and complete them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, values
from api.camunda.deployments import LONGEST_LIST
from api.camunda.shown import definition_id
from api.transactions import database, reading
from engine import task_lists, tasks
from engine.database import Session
from engine.errors import InvalidInput, NotFound
from engine.states import TaskStatus
from engine.task_lists import Listed, Wanted

bp = Blueprint("tasks", __name__, url_prefix="/task")
#: Filters that are read; another one would give another list than was asked for, so it is refused.
_KNOWN = frozenset(
    [
        "taskId",
        "taskIdIn",
        "processInstanceId",
        "processInstanceBusinessKey",
        "processDefinitionKey",
        "taskDefinitionKey",
        "name",
        "assignee",
        "assigned",
        "unassigned",
        "candidateGroup",
        "candidateGroups",
        "includeAssignedTasks",
        "dueBefore",
        "dueAfter",
        "sortBy",
        "sortOrder",
        "sorting",
        "firstResult",
        "maxResults",
        "active",
    ]
)
_STATES = {TaskStatus.OPEN: "Created", TaskStatus.COMPLETED: "Completed", TaskStatus.CANCELED: "Deleted"}


@bp.get("")
@bp.post("", endpoint="search")
def list_tasks() -> Response:
    """List open tasks."""
    first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST_LIST)
    return answers.json(_listed()[first : first + limit])


@bp.get("/count")
@bp.post("/count", endpoint="count_searched")
def count() -> Response:
    """Count open tasks."""
    return answers.json({"count": len(_listed())})


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
        (found,) = task_lists.search(session, Wanted(ids=frozenset({row.id}), ended=True), actor=auth.actor())
        return answers.json(values.encode_all(found.instance.variables, found.instance.types))


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
        "suspended": False,
        "formKey": None,
        "camundaFormRef": None,
        "tenantId": None,
        "taskState": _STATES[task.status],
    }


def _listed() -> list[dict[str, Any]]:
    given = asked.criteria()
    unknown = {name for name, value in given.items() if value is not None} - _KNOWN
    if unknown:
        raise InvalidInput(f"Expected filters that are supported, but got {', '.join(sorted(unknown))}; see docs/reference/engine-rest.md")
    with reading() as session:
        return [shown(found) for found in task_lists.search(session, _wanted(given), actor=auth.actor(), sort=_sorting(given))]


def _wanted(given: dict[str, Any]) -> Wanted:
    group, task, instance = (asked.field(given, name, str) for name in ("candidateGroup", "taskId", "processInstanceId"))
    groups = asked.several(given, "candidateGroups") or ([group] if group else None)
    ids = asked.several(given, "taskIdIn") or ([task] if task else None)
    assigned = True if _true(given, "assigned") else False if _true(given, "unassigned") else None
    if groups is not None and assigned is None and not _true(given, "includeAssignedTasks"):
        assigned = False  # as in Camunda: who asks for a group's tasks asks for those that are to be had
    return Wanted(
        ids=None if ids is None else frozenset(map(_id, ids)),
        instance_id=asked.uuid(instance, "Process instance") if instance else None,
        element=asked.field(given, "taskDefinitionKey", str),
        name=asked.field(given, "name", str),
        definition_key=asked.field(given, "processDefinitionKey", str),
        business_key=asked.field(given, "processInstanceBusinessKey", str),
        assignee=asked.field(given, "assignee", str),
        assigned=assigned,
        groups=groups,
        due_before=_moment(given, "dueBefore"),
        due_after=_moment(given, "dueAfter"),
    )


def _sorting(given: dict[str, Any]) -> list[tuple[str, bool]]:
    entries = given.get("sorting") or ([{"sortBy": given["sortBy"], "sortOrder": given.get("sortOrder")}] if given.get("sortBy") else [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) and str(e.get("sortBy")) in task_lists.SORTABLE for e in entries):
        raise InvalidInput(f"Expected to sort by {', '.join(task_lists.SORTABLE)}, but got {entries!r:.80}")
    return [(entry["sortBy"], entry.get("sortOrder") == "desc") for entry in entries]


def _true(given: dict[str, Any], name: str) -> bool:
    return str(given.get(name)).lower() == "true"


def _moment(given: dict[str, Any], name: str) -> datetime | None:
    text = given.get(name)
    return None if text is None else datetime.fromisoformat(values.decode({name: {"value": text, "type": "Date"}}).values[name])


def _require_oneself(user: str | None) -> None:
    if user not in {None, auth.actor().name}:
        raise InvalidInput(f"Expected to take a task for oneself ({auth.actor().name}), but userId is {user!r:.80}")


def _form_ref(session: Session, found: Listed) -> dict[str, Any] | None:
    ref = task_lists.drawn(session, found).process.elements[found.task.element].form_ref
    return None if ref is None else {"key": ref, "binding": "deployment", "version": None}


def _get(session: Session, task: str) -> Listed:
    found = task_lists.search(session, Wanted(ids=frozenset({_id(task)})), actor=auth.actor())
    if not found:
        raise NotFound(f"No matching task with id {task}")
    return found[0]


def _id(text: str) -> UUID:
    return asked.uuid(text, "Task")
