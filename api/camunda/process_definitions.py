"""Process definitions: list them, show them, and what the Start button does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from api import auth
from api.camunda import answers, asked, starts, values
from api.camunda.deployments import LONGEST_LIST, require_tenant
from api.camunda.shown import definition, definition_id, instance, read_definition_id
from api.transactions import database, reading
from engine import definitions, deployments, versions
from engine.database import Session
from engine.models import Definition

bp = Blueprint("process-definitions", __name__, url_prefix="/process-definition")


@bp.get("")
def list_definitions() -> Response:
    """List definitions by key and version."""
    first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST_LIST)
    with reading() as session:
        return answers.json([definition(row) for row in _wanted(session)[first : first + limit]])


@bp.get("/count")
def count() -> Response:
    """Count definitions."""
    with reading() as session:
        return answers.json({"count": len(_wanted(session))})


@bp.get("/<definition>")
def show(definition: str) -> Response:
    """Show one version."""
    return _answer(read_definition_id(definition))


@bp.get("/key/<key>")
@bp.get("/key/<key>/tenant-id/<tenant>")
def show_latest(key: str, tenant: str | None = None) -> Response:
    """Show the newest version."""
    return _answer(_latest(key, tenant))


@bp.get("/<definition>/xml")
def show_xml(definition: str) -> Response:
    """Show the diagram of one version."""
    return _diagram(read_definition_id(definition))


@bp.get("/key/<key>/xml")
def show_latest_xml(key: str) -> Response:
    """Show the diagram of the newest version."""
    return _diagram(_latest(key, None))


@bp.post("/<definition>/start")
@bp.post("/<definition>/submit-form")
def start(definition: str) -> Response:
    """Start one version."""
    return _start(read_definition_id(definition))


@bp.post("/key/<key>/start")
@bp.post("/key/<key>/submit-form")
@bp.post("/key/<key>/tenant-id/<tenant>/start")
def start_latest(key: str, tenant: str | None = None) -> Response:
    """Start the newest version."""
    return _start(_latest(key, tenant))


def _wanted(session: Session) -> list[Definition]:
    query = request.args
    wanted_id = read_definition_id(query["processDefinitionId"]) if "processDefinitionId" in query else None
    return versions.search(
        session,
        key=query.get("key"),
        version=asked.number("version", 0) or None,
        deployment_id=asked.uuid(query["deploymentId"], "Deployment") if "deploymentId" in query else None,
        definition_id=wanted_id,
        latest=asked.flag("latestVersion"),
    )


def _latest(key: str, tenant: str | None) -> UUID:
    require_tenant(tenant)
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


def _start(wanted: UUID) -> Response:
    given = asked.body()
    key, variables = asked.field(given, "businessKey", str), values.decode(given.get("variables"))
    starts.refuse_unsupported(given)
    with database().transaction() as session:
        of = versions.get(session, wanted)
        row = starts.start(
            session, definitions.get(session, of.id), key, variables, actor=auth.actor(), region=current_app.extensions["settings"].region
        )
        shown: dict[str, Any] = instance(row, of)
        if asked.field(given, "withVariablesInReturn", bool):
            shown["variables"] = values.encode_all(row.variables, row.types)
        return answers.json(shown)
