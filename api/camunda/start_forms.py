"""Forms of starts: what is asked before a process begins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api.camunda import forms
from api.camunda.process_definitions import latest
from api.camunda.shown import read_definition_id
from api.transactions import reading
from engine import definitions, element_forms, processes, versions
from engine.database import Session
from engine.errors import InvalidInput

bp = Blueprint("start-forms", __name__, url_prefix="/process-definition")
_ONE, _LATEST, _OF_TENANT = "/<definition>", "/key/<key>", "/key/<key>/tenant-id/<tenant>"


@bp.get(f"{_ONE}/startForm")
@bp.get(f"{_LATEST}/startForm")
@bp.get(f"{_OF_TENANT}/startForm")
def show(**of: str) -> Response:
    """Say which form a start has."""
    wanted = _wanted(**of)
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    return forms.described(element, f"/process-definition/{of.get('definition', wanted)}/rendered-form")


@bp.get(f"{_ONE}/deployed-start-form")
@bp.get(f"{_LATEST}/deployed-start-form")
@bp.get(f"{_OF_TENANT}/deployed-start-form")
def show_deployed(**of: str) -> Response:
    """Give the form itself."""
    wanted = _wanted(**of)
    with reading() as session:
        content = element_forms.read(session, *_drawn(session, wanted))
    return Response(content, content_type="application/json")


@bp.get(f"{_ONE}/rendered-form")
@bp.get(f"{_LATEST}/rendered-form")
@bp.get(f"{_OF_TENANT}/rendered-form")
def show_rendered(**of: str) -> Response:
    """Give a generated form as HTML."""
    wanted = _wanted(**of)
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    return forms.rendered(element)


@bp.get(f"{_ONE}/form-variables")
@bp.get(f"{_LATEST}/form-variables")
@bp.get(f"{_OF_TENANT}/form-variables")
def list_variables(**of: str) -> Response:
    """Give the defaults of the fields."""
    wanted = _wanted(**of)
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    return forms.variables(element, {}, {})


def _wanted(definition: str | None = None, key: str = "", tenant: str | None = None) -> UUID:
    return latest(key, tenant) if definition is None else read_definition_id(definition)


def _drawn(session: Session, wanted: UUID) -> tuple[definitions.Loaded, Any]:
    loaded = definitions.get(session, versions.get(session, wanted).id)
    element = processes.start_event(loaded)
    if element is None:
        raise InvalidInput(f"Expected {loaded.key} to have a start event that somebody starts, but only messages, signals or timers do")
    return loaded, element
