"""Headers on every answer, and requests that no view shall see."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

_POLICY = (
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # The terminals of a hall are shared.
    "Cache-Control": "no-store",
}


def harden(app: Flask) -> None:
    """Add the headers, and refuse what no database can keep."""
    app.before_request(_refuse_nul)
    app.after_request(_add_headers)


def _refuse_nul() -> None:
    if "\0" in request.path or b"%00" in request.query_string:
        raise BadRequest("Expected text in the address, but it has a NUL character")


def _add_headers(answer: Response) -> Response:
    said = {name.lower() for name, _value in answer.headers}  # werkzeug looks through all of them for each name
    answer.headers.extend([(name, value) for name, value in _HEADERS.items() if name.lower() not in said])
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer
