"""What surrounds `/engine-rest`: addresses as clients write them, and CORS, which browsers ask for before any login."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OURS = re.compile(r"/+(engine-rest|\.well-known/camunda-automation-platform)(/|$)")
_ALLOWED = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept"),
    ("Access-Control-Max-Age", "600"),
]


class Face:
    """WSGI middleware: `//` is `/` (a redirection would lose the request), and every OPTIONS is answered without login."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if not _OURS.match(path):
            return self.app(environ, start_response)
        environ["PATH_INFO"] = re.sub("/{2,}", "/", path)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", [*_ALLOWED])
            return []
        return self.app(environ, _allowing(start_response))


def _allowing(start_response: StartResponse) -> Callable[..., Any]:
    """Let a page of any origin read the answer: credentials that a browser keeps are never sent along by it."""

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        return start_response(status, [*headers, _ALLOWED[0]], *exc_info)

    return start
