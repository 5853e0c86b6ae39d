"""Errors as Camunda's clients read them: always JSON with `type`, `message` and `code`."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized

from api.problems import CHALLENGES, RETRY_AFTER, log_fault
from engine.errors import Busy, EngineError, Failed, InvalidInput, InvalidState, NotPermitted, Suspended, Unavailable
from engine.errors import NotFound as NothingFound

bp = Blueprint("nowhere", __name__)
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
#: The Java client knows 400, 404 and 500; every other status is a riddle to it.
_STATUSES: Mapping[type[EngineError], tuple[int, str]] = {
    NothingFound: (404, "RestException"),
    NotPermitted: (403, "AuthorizationException"),
    InvalidState: (400, "ProcessEngineException"),
    Failed: (500, "ProcessEngineException"),
    Suspended: (500, "SuspendedEntityInteractionException"),
    InvalidInput: (400, "InvalidRequestException"),
    Busy: (503, "ProcessEngineException"),
    Unavailable: (503, "ProcessEngineException"),
}
_TYPES = {401: "AuthenticationException", 403: "AuthorizationException", 404: "NotFoundException"}
_UNPARSABLE = "ENGINE-09005 Could not parse BPMN process. Errors: "


class Unparsable(Exception):  # noqa: N818 - the name is what Camunda's parser says
    """The files cannot run; `findings` says why, as a refused deployment tells it."""

    def __init__(self, findings: list[dict[str, Any]]) -> None:
        super().__init__(len(findings))
        self.findings = findings


def register(face: Blueprint) -> None:
    """Answer every error of `/engine-rest` in this form."""
    face.register_error_handler(Unparsable, unparsable)
    face.register_error_handler(EngineError, refused)
    face.register_error_handler(HTTPException, mistaken)
    face.register_error_handler(Exception, failed)


@bp.route("/", defaults={"rest": ""}, methods=_METHODS, strict_slashes=False)
@bp.route("/<path:rest>", methods=_METHODS)
def find_nothing(rest: str) -> Response:
    """Answer whatever has no route of its own."""
    raise NotFound(f"Expected a call that is supported here, but {request.method} /{rest} is none; see docs/reference/engine-rest.md")


def refused(error: EngineError) -> Response:
    """Answer a refusal of the engine."""
    status, kind = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
    made = answer(status, kind, error.message)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        made.headers["Retry-After"] = str(RETRY_AFTER)
    return made


def mistaken(error: HTTPException) -> Response | HTTPException:
    """Answer a request that HTTP itself does not allow."""
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirection is no error
        return error
    made = answer(error.code, _TYPES.get(error.code, "InvalidRequestException"), error.description or error.name)
    if isinstance(error, Unauthorized):
        made.headers.extend([("WWW-Authenticate", challenge) for challenge in CHALLENGES])
    return made


def failed(error: Exception) -> Response:
    """Answer a fault of ours."""
    _incident, message = log_fault(error)
    return answer(500, "RestException", message)


def unparsable(error: Unparsable) -> Response:
    """Answer a deployment that cannot run, so that Modeler shows every finding."""
    lines = [f"\n* {f['message']} | resource {f['resource']} | line {f['line']} | column {f['column']}" for f in error.findings]
    details: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for finding in error.findings:
        elements = [finding["element"]] if finding["element"] else []
        told = {name: finding[name] for name in ("message", "line", "column")}
        told |= {"mainElementId": finding["element"] or None, "elementIds": elements}
        details.setdefault(finding["resource"], {"errors": [], "warnings": []})["errors"].append(told)
    return answer(400, "ParseException", _UNPARSABLE + "".join(lines), details=details)


def answer(status: int, kind: str, message: str, **members: Any) -> Response:
    """Make the document."""
    document = {"type": kind, "message": message, **members, "code": 0}
    return Response(orjson.dumps(document), status=status, content_type="application/json")
