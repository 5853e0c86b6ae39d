"""Where a command comes from: browsers keep Basic credentials, and another site must not make them use these."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import Forbidden

from api.auth import SAFE_METHODS, is_ours

#: The pages of a program on somebody's own machine, e.g. of Camunda Modeler.
_LOCAL = "file://"


def refuse_forgery() -> None:
    """Refuse a command that a page of another site sends.  Programs say no origin; Modeler's own pages say `file://` or `null`."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    # A sandboxed frame says `null`, too.  But no page can make its browser name itself Electron.
    modeler = origin == _LOCAL or (origin == "null" and "Electron/" in request.headers.get("User-Agent", ""))
    ours = origin is None or is_ours(origin)
    navigated = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Site") != "same-origin"
    if navigated or not (ours or modeler):
        raise Forbidden("Expected a command of a program or of Camunda Modeler, but a page of another site sends it")
