"""Process definitions: list them, show them, and what the Start button does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import addresses, answers, asked, lists, modifications, starts, values
from api.camunda.shown import definition, definition_id, instance
from api.transactions import database, reading
from engine import definitions, deployments, processes, versions
from engine.database import Session
from engine.filters import Listing

bp = Blueprint("process-definitions", __name__, url_prefix="/process-definition")


@addresses.of_version(bp)
def show(wanted: UUID) -> Response:
    """Show one version."""
    with reading() as session:
        return answers.json(definition(versions.get(session, wanted)))


@addresses.of_version(bp, "/xml")
def show_xml(wanted: UUID) -> Response:
    """Show the diagram of one version."""
    with reading() as session:
        row = versions.get(session, wanted)
        content = deployments.content_of(session, deployments.get(session, row.deployment_id), row.resource)
    return answers.json({"id": definition_id(row), "bpmn20Xml": content.decode("utf-8", errors="replace")})


@addresses.of_version(bp, "/start", method="POST")
def start(wanted: UUID) -> Response:
    """Start one version."""
    return _start(wanted, by_form=False)


@addresses.of_version(bp, "/submit-form", method="POST")
def submit_form(wanted: UUID) -> Response:
    """Start one version with what its form takes."""
    return _start(wanted, by_form=True)


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find definitions by key and version."""
    return versions.search(*lists.conditions(given, versions.FILTERS), order=lists.order(given, versions.SORTABLE))


lists.serve(bp, _find, lambda _session, row: definition(row.Definition), methods=("GET",))


def _start(wanted: UUID, *, by_form: bool) -> Response:
    given = asked.body()
    key, variables = asked.field(given, "businessKey", str, most=asked.LONGEST), values.decode(given.get("variables"))
    elsewhere = modifications.read(given, "startInstructions")
    with database().transaction() as session:
        of = versions.get(session, wanted)
        loaded = definitions.get(session, of.id)
        if by_form and loaded.kind == "process":
            variables = processes.filled_in(session, loaded, variables)
        row = starts.start(session, loaded, key, variables, actor=auth.actor(), elsewhere=elsewhere)
        shown: dict[str, Any] = instance(row, of)
        if asked.field(given, "withVariablesInReturn", bool):
            shown["variables"] = values.encode_all(row.variables, row.types)
        return answers.json(shown)
