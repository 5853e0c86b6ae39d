"""Retries of external tasks: one gets more attempts, or many do at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, external_tasks, history, process_instances
from api.transactions import database
from engine import external_tasks as tasks
from engine.database import Session
from engine.errors import InvalidInput

bp = Blueprint("retries", __name__, url_prefix="/external-task")
#: Fields that say which tasks are meant; the tasks of all of them are.
_MEANT = ("externalTaskIds", "processInstanceIds", "externalTaskQuery", "processInstanceQuery", "historicProcessInstanceQuery")


@bp.put("/<task>/retries")
def set_retries(task: str) -> Response:
    """Allow more attempts."""
    with database().transaction() as session:
        tasks.set_retries(session, asked.uuid(task, "External task"), _retries(asked.body()), actor=auth.actor())
    return answers.nothing()


@bp.put("/retries")
def set_all_retries() -> Response:
    """Allow more attempts at many tasks, or at none of them when one is not there."""
    given = asked.body()
    retries = _retries(given)
    with database().transaction() as session:
        found = set(_meant(session, given))
        if not 0 < len(found) <= asked.MOST:
            raise InvalidInput(f"Expected 1 to {asked.MOST} tasks by {', '.join(_MEANT)}, but there are {len(found)}")
        tasks.set_all_retries(session, found, retries, actor=auth.actor())
    return answers.nothing()


def _retries(given: dict[str, Any]) -> int:
    return asked.needed(given, "retries", int, most=asked.INT)


def _meant(session: Session, given: dict[str, Any]) -> Iterator[UUID]:
    asked.require_few(given, "tasks")
    for text in asked.several(given, "externalTaskIds") or ():
        yield asked.uuid(text, "External task")
    instances = asked.several(given, "processInstanceIds") or []
    for name, find in (("processInstanceQuery", process_instances.find), ("historicProcessInstanceQuery", history.find_instances)):
        query = asked.field(given, name, dict)
        if query is not None:
            instances += [str(row.Instance.id) for row in find(session, query).rows(session, limit=asked.MOST + 1)]
    of_tasks = asked.field(given, "externalTaskQuery", dict)
    for query in ({"processInstanceIdIn": instances} if instances else None, of_tasks):
        if query is not None:
            yield from (row.ExternalTask.id for row in external_tasks.find(session, query).rows(session, limit=asked.MOST + 1))
