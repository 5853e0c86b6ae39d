"""Activity instances: everything that process instances went through, one entry for each activation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint

from api import auth
from api.camunda import activity_types, answers, asked, lists
from api.camunda.shown import activity_id, definition_id
from engine import definitions, history, processes
from engine.database import Session
from engine.filters import Listing
from engine.history import Told
from engine.places import Place

bp = Blueprint("activity-instances", __name__)


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
        "executionId": str(Place(instance.id, activity.number)),
        "taskId": str(one.task_id) if one.task_id else None,
        "assignee": one.assignee,
        "calledProcessInstanceId": str(one.called_id) if one.called_id else None,
        "calledCaseInstanceId": None,
        "startTime": answers.moment(activity.started_at),
        "endTime": answers.moment(activity.ended_at),
        "durationInMillis": answers.milliseconds(activity.started_at, activity.ended_at),
        "canceled": activity.outcome == "canceled",
        "completeScope": activity.outcome == "completed" and (activity.type == "endEvent" or activity.error is not None),
        "uncaughtError": activity.error,
        "rootProcessInstanceId": str(processes.root(session, instance).id),
        "removalTime": answers.moment(instance.purge_at),
        "tenantId": None,
    }


def _id(one: Told) -> str:
    return activity_id(one.activity.element, one.instance.id, one.activity.number)


def _type(session: Session, one: Told) -> str:
    return activity_types.of(definitions.get(session, one.definition.id).definition.elements[one.activity.element])


lists.serve(bp, _find, _told, at="/history/activity-instance")
