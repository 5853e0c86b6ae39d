"""Turns: how many requests are worked on at the same time.  A request that only waits lets another one have its turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api import bodies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Turns:
    """WSGI middleware: there is a thread for each request, and of these only so many (`limit`) work at the same time."""

    def __init__(self, app: WSGIApplication, limit: int, *, free: str) -> None:
        self.app = app
        #: Paths that need no turn begin with this.
        self._free = free
        self._turns = threading.Semaphore(limit)
        #: Requests that are worked on, or wait until others are not: an entry each, for appending and popping need no lock.
        self._taken: deque[None] = deque()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request when it is its turn."""
        if str(environ.get("PATH_INFO", "")).startswith(self._free):
            return self.app(environ, start_response)
        bodies.await_(environ, self)
        self._take()
        try:
            return self.app(environ, start_response)
        finally:
            self._give_back()

    def are_taken(self) -> bool:
        """Whether any request is worked on at this moment."""
        return bool(self._taken)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others have the turn of this request, inside the block."""
        self._give_back()
        try:
            yield
        finally:
            self._take()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have a turn inside the block: for what is done when the request has been answered in part."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def _take(self) -> None:
        self._taken.append(None)  # this may fail, where there is no memory, and must not when there is a turn to give back
        try:
            self._turns.acquire()
        except BaseException:
            self._taken.pop()
            raise

    def _give_back(self) -> None:
        self._taken.pop()
        self._turns.release()
