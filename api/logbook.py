"""The log of commands, for operators: one line for each that somebody sent, with what became of it and no personal data."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request

from api.auth import SAFE_METHODS

_log = structlog.get_logger()


def keep(app: Flask) -> None:
    """Write a line for every command."""
    app.before_request(_begin)
    app.after_request(_write)


def _begin() -> None:
    g.began = time.perf_counter()


def _write(answer: Response) -> Response:
    if request.method not in SAFE_METHODS:
        actor = g.actor.name if "actor" in g else None
        milliseconds = round((time.perf_counter() - g.began) * 1000)
        _log.info("command", endpoint=request.endpoint, actor=actor, status=answer.status_code, milliseconds=milliseconds)
    return answer
