"""Activity instances: the tree of what lasts in a process instance, and everything that it went through."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import activity_types, answers, asked, lists
from api.camunda.shown import activity_id, definition_id
from api.transactions import reading
from engine import definitions, history, incidents, processes, versions
from engine.database import Session
from engine.filters import Listing
from engine.history import Told
from engine.models import Definition, Instance

bp = Blueprint("activity-instances", __name__)
#: What lasts, and what failed, by what it is in, or at.
Lasting = defaultdict[int | None, list[Told]]
Failed = defaultdict[int | None, list[dict[str, Any]]]


@bp.get("/process-instance/<found>/activity-instances")
def show_tree(found: str) -> Response:
    """Show what lasts in a process instance, each in what it is in."""
    with reading() as session:
        row = processes.running(session, asked.uuid(found, "Process instance"), auth.actor())
        of = versions.get(session, row.definition_id)
        children: Lasting = defaultdict(list)
        for one in history.living(session, row.id, actor=auth.actor()):
            children[one.activity.scope].append(one)
        failed: Failed = defaultdict(list)
        for incident in incidents.of_instance(session, row.id, actor=auth.actor()):
            failed[incident.wait].append({"id": str(incident.id), "activityId": incident.element})
        name = definition_id(of)
        tree = _node(row, of, key=str(row.id), activity=name, label=of.name, kind="processDefinition", parent=None)
        return answers.json(
            tree | {"childActivityInstances": [_child(session, one, children, failed, str(row.id)) for one in children[None]]}
        )


def _child(session: Session, one: Told, children: Lasting, failed: Failed, parent: str) -> dict[str, Any]:
    activity, row = one.activity, one.instance
    key = activity_id(activity.element, row.id, activity.number)
    node = _node(row, one.definition, key=key, activity=activity.element, label=activity.name, kind=_type(session, one), parent=parent)
    return node | {
        "childActivityInstances": [_child(session, inner, children, failed, key) for inner in children[activity.number]],
        "incidentIds": [incident["id"] for incident in failed[activity.number]],
        "incidents": failed[activity.number],
    }


def _node(row: Instance, of: Definition, *, key: str, activity: str, label: str, kind: str, parent: str | None) -> dict[str, Any]:
    return {
        "id": key,
        "parentActivityInstanceId": parent,
        "activityId": activity,
        "activityName": label or None,
        "name": label or None,
        "activityType": kind,
        "processInstanceId": str(row.id),
        "processDefinitionId": definition_id(of),
        "executionIds": [str(row.id)],
        "childActivityInstances": [],
        "childTransitionInstances": [],
        "incidentIds": [],
        "incidents": [],
    }


def _find(session: Session, given: dict[str, Any]) -> Listing:
    """Find what instances went through, in the order in which it began."""
    conditions = lists.conditions(given, history.FILTERS, besides=("activityType", "activityInstanceId"))
    found = history.search(auth.actor(), *conditions, order=lists.order(given, history.SORTABLE))
    wanted = {name: text for name in ("activityType", "activityInstanceId") if (text := asked.field(given, name, str)) is not None}
    if not wanted:
        return found

    def fits(row: Any) -> bool:
        one = history.told(row)
        told = {"activityType": _type(session, one), "activityInstanceId": _id(one)}
        return all(told[name] == text for name, text in wanted.items())

    return replace(found, fits=fits)


def _told(session: Session, row: Any) -> dict[str, Any]:
    one = history.told(row)
    activity, instance = one.activity, one.instance
    scope = history.scope(session, activity)
    return {
        "id": _id(one),
        "parentActivityInstanceId": str(instance.id) if scope is None else activity_id(scope.element, instance.id, scope.number),
        "activityId": activity.element,
        "activityName": activity.name or None,
        "activityType": _type(session, one),
        "processDefinitionKey": one.definition.key,
        "processDefinitionId": definition_id(one.definition),
        "processInstanceId": str(instance.id),
        "executionId": str(instance.id),
        "taskId": str(one.task_id) if one.task_id else None,
        "assignee": one.assignee,
        "calledProcessInstanceId": str(one.called_id) if one.called_id else None,
        "calledCaseInstanceId": None,
        "startTime": answers.moment(activity.started_at),
        "endTime": answers.moment(activity.ended_at),
        "durationInMillis": answers.milliseconds(activity.started_at, activity.ended_at),
        "canceled": activity.outcome == "canceled",
        "completeScope": activity.outcome == "completed" and activity.type == "endEvent",
        "rootProcessInstanceId": str(processes.root(session, instance).id),
        "removalTime": answers.moment(instance.purge_at),
        "tenantId": None,
    }


def _id(one: Told) -> str:
    return activity_id(one.activity.element, one.instance.id, one.activity.number)


def _type(session: Session, one: Told) -> str:
    return activity_types.of(definitions.get(session, one.definition.id).process.elements[one.activity.element])


lists.serve(bp, _find, _told, at="/history/activity-instance")
