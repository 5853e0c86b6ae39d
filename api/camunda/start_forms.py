"""Forms of starts: what is asked before a process begins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from api.camunda import addresses, forms
from api.transactions import reading
from engine import definitions, element_forms, processes, versions
from engine.database import Session
from engine.errors import InvalidInput

bp = Blueprint("start-forms", __name__, url_prefix="/process-definition")


@addresses.of_version(bp, "/startForm")
def show(wanted: UUID) -> Response:
    """Say which form a start has."""
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    as_asked = (request.view_args or {}).get("definition", wanted)
    return forms.described(element, f"/process-definition/{as_asked}/rendered-form")


@addresses.of_version(bp, "/deployed-start-form")
def show_deployed(wanted: UUID) -> Response:
    """Give the form itself."""
    with reading() as session:
        content = element_forms.read(session, *_drawn(session, wanted))
    return Response(content, content_type="application/json")


@addresses.of_version(bp, "/rendered-form")
def show_rendered(wanted: UUID) -> Response:
    """Give a generated form as HTML."""
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    return forms.rendered(element)


@addresses.of_version(bp, "/form-variables")
def list_variables(wanted: UUID) -> Response:
    """Give the defaults of the fields."""
    with reading() as session:
        _loaded, element = _drawn(session, wanted)
    return forms.variables(element, {}, {})


def _drawn(session: Session, wanted: UUID) -> tuple[definitions.Loaded, Any]:
    loaded = definitions.get(session, versions.get(session, wanted).id)
    element = processes.start_event(loaded)
    if element is None:
        raise InvalidInput(f"Expected {loaded.key} to have a start event that somebody starts, but only messages, signals or timers do")
    return loaded, element
