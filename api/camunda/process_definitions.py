"""Process definitions: list them, show them, and what the Start button does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth, parts
from api.camunda import answers, asked, lists, modifications, starts, tenants, values
from api.camunda.shown import definition, definition_id, instance, read_definition_id
from api.transactions import database, reading
from engine import definitions, deployments, processes, versions
from engine.database import Session
from engine.filters import Listing

bp = Blueprint("process-definitions", __name__, url_prefix="/process-definition")


@bp.get("/<definition>")
def show(definition: str) -> Response:
    """Show one version."""
    return _answer(read_definition_id(definition))


@bp.get("/key/<key>")
@bp.get("/key/<key>/tenant-id/<tenant>")
def show_latest(key: str, tenant: str | None = None) -> Response:
    """Show the newest version."""
    return _answer(latest(key, tenant))


@bp.get("/<definition>/xml")
def show_xml(definition: str) -> Response:
    """Show the diagram of one version."""
    return _diagram(read_definition_id(definition))


@bp.get("/key/<key>/xml")
@bp.get("/key/<key>/tenant-id/<tenant>/xml")
def show_latest_xml(key: str, tenant: str | None = None) -> Response:
    """Show the diagram of the newest version."""
    return _diagram(latest(key, tenant))


@bp.post("/<definition>/start")
def start(definition: str) -> Response:
    """Start one version."""
    return _start(read_definition_id(definition), by_form=False)


@bp.post("/key/<key>/start")
@bp.post("/key/<key>/tenant-id/<tenant>/start")
def start_latest(key: str, tenant: str | None = None) -> Response:
    """Start the newest version."""
    return _start(latest(key, tenant), by_form=False)


@bp.post("/<definition>/submit-form")
def submit_form(definition: str) -> Response:
    """Start one version with what its form takes."""
    return _start(read_definition_id(definition), by_form=True)


@bp.post("/key/<key>/submit-form")
@bp.post("/key/<key>/tenant-id/<tenant>/submit-form")
def submit_latest_form(key: str, tenant: str | None = None) -> Response:
    """Start the newest version with what its form takes."""
    return _start(latest(key, tenant), by_form=True)


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find definitions by key and version."""
    return versions.search(*lists.conditions(given, versions.FILTERS), order=lists.order(given, versions.SORTABLE))


lists.serve(bp, _find, lambda _session, row: definition(row.Definition), methods=("GET",))


def latest(key: str, tenant: str | None = None) -> UUID:
    """Find the newest version of a process; raises NotFound."""
    tenants.require(tenant)
    with reading() as session:
        return definitions.latest(session, key).id


def _answer(wanted: UUID) -> Response:
    with reading() as session:
        return answers.json(definition(versions.get(session, wanted)))


def _diagram(wanted: UUID) -> Response:
    with reading() as session:
        row = versions.get(session, wanted)
        content = deployments.content_of(session, deployments.get(session, row.deployment_id), row.resource)
    return answers.json({"id": definition_id(row), "bpmn20Xml": content.decode("utf-8", errors="replace")})


def _start(wanted: UUID, *, by_form: bool) -> Response:
    given = asked.body()
    key, variables = asked.field(given, "businessKey", str, most=asked.LONGEST), values.decode(given.get("variables"))
    elsewhere = modifications.read(given, "startInstructions")
    with database().transaction() as session:
        of = versions.get(session, wanted)
        loaded = definitions.get(session, of.id)
        if by_form and loaded.kind == "process":
            variables = processes.filled_in(session, loaded, variables)
        row = starts.start(session, loaded, key, variables, actor=auth.actor(), region=parts.settings().region, elsewhere=elsewhere)
        shown: dict[str, Any] = instance(row, of)
        if asked.field(given, "withVariablesInReturn", bool):
            shown["variables"] = values.encode_all(row.variables, row.types)
        return answers.json(shown)
