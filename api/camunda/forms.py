"""Forms of tasks and of starts: which one it is, the form itself, and the variables that it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request

from api import auth
from api.camunda import addresses, answers, asked, values
from api.transactions import reading
from engine import definitions, disclosures, element_forms, processes, task_lists, versions
from engine.database import Session
from engine.definitions import Loaded
from engine.errors import InvalidInput, NotFound
from engine.variables import Seen

of_tasks = Blueprint("task-forms", __name__, url_prefix="/task/<task>")
of_starts = Blueprint("start-forms", __name__, url_prefix="/process-definition")
#: What the fields of a generated form (`camunda:formData`) are to Camunda.
_TYPES = {"number": "Long", "checkbox": "Boolean", "datetime": "Date"}


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What has a form: a task, or the start of a process."""

    loaded: Loaded
    #: The element of the diagram on which the form stands.
    element: Any
    #: Where the form is to be had as HTML, if it is a generated one.
    rendered_at: str
    #: Reads the variables that are there already; a start has none.
    see: Callable[[], Seen] = Seen


def named(element: Any) -> dict[str, Any]:
    """Name the form of an element: by the file that it is in, or by its key."""
    ref = element.form_ref
    if ref is None:
        return {"formKey": None, "camundaFormRef": None}
    if ref.endswith(".form"):
        return {"formKey": f"camunda-forms:deployment:{ref}", "camundaFormRef": None}
    return {"formKey": None, "camundaFormRef": {"key": ref, "binding": str(element.form_binding), "version": None}}


@of_tasks.get("/form")
def show_of_task(task: str) -> Response:
    """Say which form a task has."""
    with reading() as session:
        return _described(_task(session, task))


@of_tasks.get("/deployed-form")
def show_deployed_of_task(task: str) -> Response:
    """Give the form of a task itself."""
    with reading() as session:
        return _deployed(session, _task(session, task))


@of_tasks.get("/rendered-form")
def show_rendered_of_task(task: str) -> Response:
    """Give a generated form of a task as HTML."""
    with reading() as session:
        return _rendered(_task(session, task))


@of_tasks.get("/form-variables")
def list_variables_of_task(task: str) -> Response:
    """Give the variables that the form of a task shows."""
    with reading() as session:
        return _variables(_task(session, task))


@addresses.of_version(of_starts, "/startForm")
def show_of_start(wanted: UUID) -> Response:
    """Say which form a start has."""
    with reading() as session:
        return _described(_start(session, wanted))


@addresses.of_version(of_starts, "/deployed-start-form")
def show_deployed_of_start(wanted: UUID) -> Response:
    """Give the form of a start itself."""
    with reading() as session:
        return _deployed(session, _start(session, wanted))


@addresses.of_version(of_starts, "/rendered-form")
def show_rendered_of_start(wanted: UUID) -> Response:
    """Give a generated form of a start as HTML."""
    with reading() as session:
        return _rendered(_start(session, wanted))


@addresses.of_version(of_starts, "/form-variables")
def list_variables_of_start(wanted: UUID) -> Response:
    """Give the defaults of the fields of a start."""
    with reading() as session:
        return _variables(_start(session, wanted))


def _task(session: Session, found: str) -> Holder:
    listed = task_lists.get(session, asked.uuid(found, "Task"), actor=auth.actor())
    loaded, element = task_lists.drawn(session, listed)
    see = partial(disclosures.at, session, listed.instance, listed.task.wait, actor=auth.actor())
    return Holder(loaded=loaded, element=element, rendered_at=f"/task/{found}/rendered-form", see=see)


def _start(session: Session, wanted: UUID) -> Holder:
    loaded = definitions.get(session, versions.get(session, wanted).id)
    element = processes.start_event(loaded)
    if element is None:
        raise InvalidInput(f"Expected {loaded.key} to have a start event that somebody starts, but only messages, signals or timers do")
    as_asked = (request.view_args or {}).get("definition", wanted)
    return Holder(loaded=loaded, element=element, rendered_at=f"/process-definition/{as_asked}/rendered-form")


def _described(holder: Holder) -> Response:
    names, element = named(holder.element), holder.element
    is_generated = element.form_ref is None and element.form_data is not None
    key = f"embedded:engine://engine/:engine{holder.rendered_at}" if is_generated else names["formKey"]
    return answers.json({"key": key, "camundaFormRef": names["camundaFormRef"], "contextPath": None})


def _deployed(session: Session, holder: Holder) -> Response:
    return Response(element_forms.read(session, holder.loaded, holder.element), content_type="application/json")


def _rendered(holder: Holder) -> Response:
    element = holder.element
    if element.form_data is None:
        raise NotFound(f"Expected {element.label} to have fields of a generated form, but it has none")
    fields = [(field, _TYPES.get(str(field.type), "String")) for field in element.form_data.fields]
    return Response(render_template("generated_form.html", fields=fields), content_type="application/xhtml+xml")


def _variables(holder: Holder) -> Response:
    """Answer the variables that are there, and the defaults of the other fields; `variableNames` asks for some of them."""
    fields, seen = holder.element.form_data.fields if holder.element.form_data is not None else (), holder.see()
    defaults = {field.key: field.default for field in fields if field.key not in seen.values}
    kinds = {field.key: {"type": _TYPES.get(str(field.type), "String")} for field in fields}
    names = asked.several({**request.args}, "variableNames")
    deserialize = asked.flag("deserializeValues", default=True)
    return answers.json(values.encode_all({**seen.values, **defaults}, {**kinds, **seen.types}, names=names, deserialize=deserialize))
