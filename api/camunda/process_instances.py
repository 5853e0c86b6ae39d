"""Process instances: list them, show them, suspend them, end them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists
from api.camunda.shown import instance
from api.transactions import database, reading
from engine import instance_lists, modifications, processes, suspension, versions
from engine.database import Session
from engine.errors import InvalidInput
from engine.filters import Listing

bp = Blueprint("process-instances", __name__)
_INSTANCE = "/process-instance/<found>"


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
        instance_id, mappings = asked.uuid(found, "Process instance"), not asked.flag("skipIoMappings")
        modifications.end(session, instance_id, actor=auth.actor(), reason="DELETE /process-instance", mappings=mappings)
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
        for row in find(session, wanted).rows(session):
            turn(session, row.Instance.id, actor=auth.actor())
    return answers.nothing()


def find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find running instances."""
    return instance_lists.search(
        auth.actor(),
        *lists.conditions(given, instance_lists.FILTERS, besides=("variables",)),
        order=lists.order(given, instance_lists.SORTABLE),
        variables=lists.comparisons(given, "variables"),
    )


lists.serve(bp, find, lambda _session, row: instance(row.Instance, row.Definition), at="/process-instance")
