"""Process instances: list them, show them, end them, and their variables, also by the id of an execution, which is the same."""

from __future__ import annotations

import base64
from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, values
from api.camunda.shown import instance
from api.transactions import database, reading
from engine import instance_lists, processes, suspension, versions
from engine.database import Session
from engine.errors import InvalidInput, NotFound
from engine.filters import Listing
from engine.models import Instance

bp = Blueprint("process-instances", __name__)
_INSTANCE = "/process-instance/<found>"
_EXECUTION = "/execution/<found>"


@bp.get(_INSTANCE)
def show(found: str) -> Response:
    """Show one running instance."""
    with reading() as session:
        row = processes.running(session, asked.uuid(found, "Process instance"), auth.actor())
        return answers.json(instance(row, versions.get(session, row.definition_id)))


@bp.delete(_INSTANCE)
def delete(found: str) -> Response:
    """End a process without a matter; a case is withdrawn instead."""
    with database().transaction() as session:
        processes.end(session, asked.uuid(found, "Process instance"), actor=auth.actor(), reason="DELETE /process-instance")
    return answers.nothing()


@bp.put(f"{_INSTANCE}/suspended")
def set_suspended(found: str) -> Response:
    """Suspend one instance, or activate it."""
    turn = suspension.suspend if asked.needed(asked.body(), "suspended", bool) else suspension.activate
    with database().transaction() as session:
        turn(session, asked.uuid(found, "Process instance"), actor=auth.actor())
    return answers.nothing()


@bp.put("/process-instance/suspended")
def set_all_suspended() -> Response:
    """Suspend or activate the instances that are listed, or those of a definition."""
    given = asked.body()
    turn = suspension.suspend if asked.needed(given, "suspended", bool) else suspension.activate
    wanted = {name: given.get(name) for name in ("processInstanceIds", "processDefinitionId", "processDefinitionKey")}
    if not any(wanted.values()):
        raise InvalidInput(f"Expected one of {', '.join(wanted)}, but there is none")
    with database().transaction() as session:
        for row in _find(session, wanted).rows(session):
            turn(session, row.Instance.id, actor=auth.actor())
    return answers.nothing()


@bp.get(f"{_INSTANCE}/variables")
@bp.get(f"{_EXECUTION}/localVariables", endpoint="list_local_variables")
def list_variables(found: str) -> Response:
    """Show the variables."""
    deserialize = asked.flag("deserializeValues", default=True)
    with reading() as session:
        row = _get(session, found)
        return answers.json(values.encode_all(row.variables, row.types, deserialize=deserialize))


@bp.get(f"{_INSTANCE}/variables/<name>")
@bp.get(f"{_EXECUTION}/localVariables/<name>", endpoint="show_local_variable")
def show_variable(found: str, name: str) -> Response:
    """Show one variable."""
    deserialize = asked.flag("deserializeValue", default=True)
    with reading() as session:
        row = _get(session, found)
        return answers.json(values.encode(_variable(row, name), row.types.get(name), deserialize=deserialize))


@bp.get(f"{_INSTANCE}/variables/<name>/data")
@bp.get(f"{_EXECUTION}/localVariables/<name>/data", endpoint="read_local_variable")
def read_variable(found: str, name: str) -> Response:
    """Give the content of a variable: of a file, or of bytes."""
    with reading() as session:
        row = _get(session, found)
        value, kept = _variable(row, name), row.types.get(name, {})
    if kept.get("type") not in {"File", "Bytes"}:
        raise InvalidInput(f"Expected variable {name} to be a File or Bytes, but it is {values.encode(value, kept or None)['type']}")
    info = kept.get("valueInfo", {})
    # Whatever it says that it is, a browser shall save it, and not show it.
    made = Response(base64.b64decode(value or ""), content_type="application/octet-stream")
    made.headers.set("Content-Disposition", "attachment", filename=info.get("filename", name))
    return made


@bp.put(f"{_INSTANCE}/variables/<name>")
@bp.put(f"{_EXECUTION}/localVariables/<name>", endpoint="put_local_variable")
def put_variable(found: str, name: str) -> Response:
    """Set one variable."""
    return _set(found, {name: asked.body()}, [])


@bp.delete(f"{_INSTANCE}/variables/<name>")
@bp.delete(f"{_EXECUTION}/localVariables/<name>", endpoint="delete_local_variable")
def delete_variable(found: str, name: str) -> Response:
    """Delete one variable; one that is not there is gone already."""
    return _set(found, {}, [name])


@bp.post(f"{_INSTANCE}/variables")
@bp.post(f"{_EXECUTION}/localVariables", endpoint="change_local_variables")
def change_variables(found: str) -> Response:
    """Set and delete variables."""
    given = asked.body()
    return _set(found, asked.field(given, "modifications", dict) or {}, asked.field(given, "deletions", list) or [])


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find running instances."""
    return instance_lists.search(
        auth.actor(),
        *lists.conditions(given, instance_lists.FILTERS, besides=("variables",)),
        order=lists.order(given, instance_lists.SORTABLE),
        variables=lists.comparisons(given, "variables"),
    )


lists.serve(bp, _find, lambda _session, row: instance(row.Instance, row.Definition), at="/process-instance")


def _set(found: str, modifications: dict[str, Any], deletions: list[Any]) -> Response:
    given = values.decode(modifications)
    with database().transaction() as session:
        wanted = asked.uuid(found, "Process instance")
        processes.set_variables(session, wanted, given, gone=frozenset(map(str, deletions)), actor=auth.actor())
    return answers.nothing()


def _get(session: Session, found: str) -> Instance:
    return processes.get(session, asked.uuid(found, "Process instance"), auth.actor())


def _variable(row: Instance, name: str) -> Any:
    if name not in row.variables:
        raise NotFound(f"Process instance {row.id} has no variable {name}")
    return row.variables[name]
