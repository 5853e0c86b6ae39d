"""History: what ran, and what runs: instances, their tasks, and their variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers, asked, lists, values
from api.camunda.shown import NO_CASE, TASK_STATES, activity_id, definition_id
from api.transactions import reading
from engine import instance_lists, processes, task_lists, variable_lists
from engine.database import Session
from engine.errors import InvalidInput
from engine.filters import Listing
from engine.places import Place
from engine.states import InstanceStatus, TaskStatus
from engine.variable_lists import Variable, Variables
from engine.variables import Comparison

bp = Blueprint("history", __name__, url_prefix="/history")
_STATES = {
    InstanceStatus.RUNNING: "ACTIVE",
    InstanceStatus.COMPLETED: "COMPLETED",
    InstanceStatus.FAILED: "INTERNALLY_TERMINATED",
    InstanceStatus.CANCELED: "EXTERNALLY_TERMINATED",
}
#: Why a task that nobody completed is gone.
_REASONS = {TaskStatus.COMPLETED: "completed", TaskStatus.CANCELED: "deleted"}
#: Filters of variables that are not about their instances.
_OF_VARIABLES = (
    "variableName",
    "variableNameIn",
    "variableNameLike",
    "variableValue",
    "variableTypeIn",
    "deserializeValues",
    "activityInstanceIdIn",
)


@bp.get("/process-instance/<found>")
def show_instance(found: str) -> Response:
    """Show one instance, also when it has ended."""
    with reading() as session:
        wanted, otherwise = {"processInstanceId": found}, f"Historic process instance with id {found} does not exist"
        return answers.json(_instance(session, find_instances(session, wanted).one(session, otherwise)))


def find_instances(_session: Session, given: dict[str, Any]) -> Listing:
    """Find instances, ended ones among them."""
    return instance_lists.search(
        auth.actor(),
        *lists.conditions(given, instance_lists.HISTORY, besides=("variables",)),
        order=lists.order(given, instance_lists.SORTABLE),
        variables=lists.comparisons(given, "variables"),
        ended=True,
    )


def _find_tasks(_session: Session, given: dict[str, Any]) -> Listing:
    """Find tasks, ended ones among them."""
    conditions = lists.conditions(given, task_lists.HISTORY, besides=("processVariables",))
    order, variables = lists.order(given, task_lists.SORTABLE), lists.comparisons(given, "processVariables")
    return task_lists.search(auth.actor(), *conditions, order=order, variables=variables, ended=True)


def _find_variables(_session: Session, given: dict[str, Any]) -> Variables:
    """Find variables, those of ended instances among them."""
    conditions = lists.conditions(given, variable_lists.FILTERS, besides=_OF_VARIABLES)
    name, like, value = (given.get(key) for key in ("variableName", "variableNameLike", "variableValue"))
    names, types = asked.several(given, "variableNameIn"), asked.several(given, "variableTypeIn")
    at, executions = asked.several(given, "activityInstanceIdIn"), asked.several(given, "executionIdIn")
    if value is not None and name is None:
        raise InvalidInput("Expected variableName beside variableValue, but it is missing")
    wanted = [Comparison(name="name", operator="eq", value=name)] if name is not None else []
    wanted += [Comparison(name="name", operator="like", value=like)] if like is not None else []
    wanted += [Comparison(name="value", operator="eq", value=lists.scalar(value))] if value is not None else []

    def fits(one: Variable) -> bool:
        told = {"name": one.name, "value": one.value}
        named = all(comparison.holds(told) for comparison in wanted) and (names is None or one.name in names)
        there = (at is None or _at(one) in at) and (executions is None or str(_place(one)) in executions)
        return named and there and (types is None or _type(one).lower() in {kind.lower() for kind in types})

    order = [(_KEYS[name], descending) for name, descending in lists.order(given, _KEYS)]
    return variable_lists.search(auth.actor(), *conditions, fits=fits, order=order)


def _instance(session: Session, found: Any) -> dict[str, Any]:
    row, of = found.Instance, found.Definition
    failed = row.status is InstanceStatus.FAILED
    terminated = failed and row.error is None  # by an earlier release, which ended everything
    state = _STATES[InstanceStatus.COMPLETED if failed and not terminated else row.status]
    return {
        "id": str(row.id),
        "businessKey": row.business_key,
        "processDefinitionId": definition_id(of),
        "processDefinitionKey": of.key,
        "processDefinitionName": of.name,
        "processDefinitionVersion": of.version,
        "startTime": answers.moment(row.started_at),
        "endTime": answers.moment(row.ended_at),
        "removalTime": answers.moment(row.purge_at),
        "durationInMillis": answers.milliseconds(row.started_at, row.ended_at),
        "startUserId": found.Case.submitted_by,
        "startActivityId": found.start_element,
        "endActivityId": None if terminated else row.end,
        "deleteReason": f"Error {row.error or row.end} was caught by nothing" if failed else None,
        "uncaughtError": row.end if terminated else row.error,
        "superProcessInstanceId": str(row.parent_id) if row.parent_id else None,
        "rootProcessInstanceId": str(processes.root(session, row).id),
        "superCaseInstanceId": None,
        "caseInstanceId": None,
        "tenantId": None,
        "state": "SUSPENDED" if row.suspended and row.ended_at is None else state,
    }


def _task(session: Session, found: Any) -> dict[str, Any]:
    task, instance, of = found.Task, found.Instance, found.Definition
    return {
        "id": str(task.id),
        "processDefinitionKey": of.key,
        "processDefinitionId": definition_id(of),
        "processInstanceId": str(instance.id),
        "executionId": str(Place(instance.id, task.wait)),
        "activityInstanceId": activity_id(task.element, instance.id, task.wait),
        "name": task.name,
        "description": task.description,
        "deleteReason": _REASONS.get(task.status),
        "owner": task.owner,
        "assignee": task.assignee,
        "startTime": answers.moment(task.created_at),
        "endTime": answers.moment(task.ended_at),
        "duration": answers.milliseconds(task.created_at, task.ended_at),
        "taskDefinitionKey": task.element,
        "priority": task.priority,
        "due": answers.moment(task.due_at),
        "followUp": answers.moment(task.follow_up_at),
        "parentTaskId": None,
        "rootProcessInstanceId": str(processes.root(session, instance).id),
        "removalTime": None,
        **NO_CASE,
        "tenantId": None,
        "taskState": TASK_STATES[task.status],
    }


def _variable(session: Session, one: Variable) -> dict[str, Any]:
    row = one.instance
    deserialize = str(request.args.get("deserializeValues", "true")).lower() != "false"
    return {
        "id": f"{_place(one)}:{one.name}",
        "name": one.name,
        **values.encode(one.value, one.kept, deserialize=deserialize),
        "processDefinitionKey": one.definition.key,
        "processDefinitionId": definition_id(one.definition),
        "processInstanceId": str(row.id),
        "rootProcessInstanceId": str(processes.root(session, row).id),
        "executionId": str(_place(one)),
        "activityInstanceId": _at(one),
        "taskId": None,
        "errorMessage": None,
        "state": "CREATED",
        "createTime": answers.moment(row.started_at),
        "removalTime": None,
        **NO_CASE,
        "tenantId": None,
    }


def _type(one: Variable) -> str:
    """Name the type of a variable as it is shown."""
    return str(values.encode(one.value, one.kept)["type"])


def _place(one: Variable) -> Place:
    return Place(one.instance.id, one.number)


def _at(one: Variable) -> str:
    """The id of the activation that has a variable."""
    if one.number is None or one.element is None:
        return str(one.instance.id)
    return activity_id(one.element, one.instance.id, one.number)


#: By what variables are sorted.
_KEYS: dict[str, Callable[[Variable], str]] = {
    "instanceId": lambda variable: str(variable.instance.id),
    "variableName": lambda variable: variable.name,
    "variableType": _type,
}
lists.serve(bp, find_instances, _instance, at="/process-instance")
lists.serve(bp, _find_tasks, _task, at="/task")
lists.serve(bp, _find_variables, _variable, at="/variable-instance")
