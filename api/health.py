"""Health: whether the process lives, whether it may be given requests, and what it counts; for those who watch over nodes."""

from __future__ import annotations

import hmac
import ipaddress

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import Forbidden

from api import auth
from api.parts import database, files, settings
from api.problems import RETRY_AFTER, problem
from engine import gauges, readiness
from engine.schema import Finding

#: Answered at once, however much there is to do: who is busy is not dead.
PREFIX = "/health/"
#: Headers of a request that has come from further away than it looks.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
bp = Blueprint("health", __name__)


@bp.get("/health/live")
@auth.public
def show_life() -> ResponseReturnValue:
    """Say that the process answers; nothing else is asked, so that a database that is away has no node restarted."""
    return {"status": "live"}


@bp.get("/health/ready")
@auth.public
def show_readiness() -> ResponseReturnValue:
    """Say whether requests may be sent here: 200, or 503 with what is in the way."""
    draining = current_app.extensions["draining"].is_set()
    found = Finding(fit=False, found="Expected to go on serving, but this node is stopping") if draining else readiness.look(database())
    told = f"{found.found}. {found.advice}" if found.advice else found.found
    if not found.fit:
        answer = problem(503, title="Not ready", detail=told)
        answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer
    return {"status": "ready"} | ({"note": told} if found.advice else {})


@bp.get("/metrics")
@auth.public
def show_meters() -> ResponseReturnValue:
    """Show what is counted and measured, to Prometheus."""
    _require_watcher()
    return Response(gauges.exposition(database(), files()), content_type=CONTENT_TYPE_LATEST)


def _require_watcher() -> None:
    """Refuse whoever neither has the token nor asks on this machine; behind a proxy everybody seems to."""
    expected, given = settings().metrics_token, request.authorization
    if expected:
        if given is None or given.type != "bearer" or not hmac.compare_digest((given.token or "").encode(), expected.encode()):
            raise Forbidden("Expected the token of ONETHING_METRICS_TOKEN as a Bearer key, but got none or another")
    elif any(name in request.headers for name in _FORWARDED) or not _is_here(request.remote_addr):
        raise Forbidden("Expected to be asked on this machine, but the request comes from elsewhere; set ONETHING_METRICS_TOKEN")


def _is_here(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
