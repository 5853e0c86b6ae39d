"""Turns: how many requests are worked on at the same time.  A request that only waits lets another one have its turn."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Turns:
    """WSGI middleware: the server has a thread for every request that waits, but not so many work."""

    def __init__(self, app: WSGIApplication, limit: int, *, free: str) -> None:
        self.app = app
        #: Paths that need no turn begin with this.
        self._free = free
        self._turns = threading.Semaphore(limit)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request when it is its turn."""
        if str(environ.get("PATH_INFO", "")).startswith(self._free):
            return self.app(environ, start_response)
        with self._turns:
            return self.app(environ, start_response)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others have the turn of this request, inside the block."""
        self._turns.release()
        try:
            yield
        finally:
            self._turns.acquire()
