"""Forms of tasks."""

from __future__ import annotations

from flask import Blueprint, Response

from api import auth
from api.camunda import asked, forms
from api.transactions import reading
from engine import disclosures, element_forms, task_lists
from engine.database import Session
from engine.task_lists import Listed

bp = Blueprint("task-forms", __name__, url_prefix="/task/<task>")


@bp.get("/form")
def show(task: str) -> Response:
    """Say which form a task has."""
    with reading() as session:
        _loaded, element = task_lists.drawn(session, _get(session, task))
    return forms.described(element, f"/task/{task}/rendered-form")


@bp.get("/deployed-form")
def show_deployed(task: str) -> Response:
    """Give the form itself."""
    with reading() as session:
        content = element_forms.read(session, *task_lists.drawn(session, _get(session, task)))
    return Response(content, content_type="application/json")


@bp.get("/rendered-form")
def show_rendered(task: str) -> Response:
    """Give a generated form as HTML."""
    with reading() as session:
        _loaded, element = task_lists.drawn(session, _get(session, task))
    return forms.rendered(element)


@bp.get("/form-variables")
def list_variables(task: str) -> Response:
    """Give the variables that the form shows."""
    with reading() as session:
        found = _get(session, task)
        _loaded, element = task_lists.drawn(session, found)
        seen = disclosures.at(session, found.instance, found.task.wait, actor=auth.actor())
        return forms.variables(element, seen.values, seen.types)


def _get(session: Session, task: str) -> Listed:
    return task_lists.get(session, asked.uuid(task, "Task"), actor=auth.actor())
