"""Headers on every answer, and requests that no view shall see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
#: By the scheme of the request.
_ADDED = {"http": _HEADERS, "https": _HEADERS | {"Strict-Transport-Security": "max-age=31536000"}}


def harden(app: Flask) -> None:
    """Add the headers, and refuse what no database can keep."""
    app.before_request(_refuse_nul)
    app.wsgi_app = Hardened(app.wsgi_app)  # type: ignore[method-assign]


class Hardened:
    """WSGI middleware: adds the headers that an answer does not have.  Set by Flask (`after_request`), each would cost much more."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        added = _ADDED[environ["wsgi.url_scheme"]]

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            said = {name.lower() for name, _value in headers}
            return start_response(status, [*headers, *(each for each in added.items() if each[0].lower() not in said)], *exc_info)

        return self.app(environ, start)


def _refuse_nul() -> None:
    if "\0" in request.path or b"%00" in request.query_string:
        raise BadRequest("Expected text in the address, but it has a NUL character")
