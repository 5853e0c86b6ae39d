"""The log of commands, for operators: one line for each that somebody sent, with what became of it and no personal data.

Every line that is written while a request is answered carries its id: the one that it came with (`X-Request-ID`), or a new one.
"""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from api.auth import SAFE_METHODS
from engine import meters

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
_log = structlog.get_logger()


def keep(app: Flask) -> None:
    """Write a line for every command, and count every request."""
    app.before_request(_begin)
    app.after_request(_write)


def _begin() -> None:
    if "request_id" in g:  # it is the same request, which begins anew (`api.repeats`)
        return
    g.began = time.perf_counter()
    given = request.headers.get(HEADER, "")
    g.request_id = request_id = given if _GIVEN.fullmatch(given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_id)


def _write(answer: Response) -> Response:
    seconds = time.perf_counter() - g.began
    rule, method = request.url_rule, request.method
    # A stranger may call with any word.
    meters.REQUEST.labels(method if rule else "any", rule.rule if rule else "none", answer.status_code).observe(seconds)
    if method not in SAFE_METHODS:
        name = getattr(g.get("actor"), "name", None)
        endpoint = rule.endpoint if rule else None
        _log.info("command", endpoint=endpoint, actor=name, status=answer.status_code, milliseconds=round(seconds * 1000))
    answer.headers[HEADER] = g.request_id
    return answer
