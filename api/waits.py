"""Waits: a request that may wait for long is answered in a thread of its own, and keeps none of the server's.

granian gives each request to an idle thread of its pool, and makes one more when there is none.  But for a moment it still takes a thread
for idle that has just been given a request.  Another request that comes in this moment is left without a thread until that one is done, or
until a third request comes.  Behind a worker that waits for tasks that may take half an hour.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

#: Where a request finds what lets the server's thread go.
_LETS_GO = "onething.lets_go"
#: How granian has a request answered: it gives what takes the answer, and the environment of WSGI.
Answer = Callable[[Any, dict[str, Any]], object]


def apart(answer: Answer, path: str) -> Answer:
    """Answer requests for paths that end in `path` in a thread of their own; the server's thread is free once that is done, or waits."""

    def begin(protocol: Any, environ: dict[str, Any]) -> None:
        if environ["PATH_INFO"].endswith(path):
            _begin(answer, protocol, environ)
        else:
            answer(protocol, environ)

    return begin


def let_go(environ: dict[str, Any]) -> None:
    """Let the server's thread go: the request has been read, and is going to wait."""
    if lets_go := environ.get(_LETS_GO):
        lets_go.set()


def _begin(answer: Answer, protocol: Any, environ: dict[str, Any]) -> None:
    lets_go = environ[_LETS_GO] = threading.Event()

    def run() -> None:
        try:
            answer(protocol, environ)
        finally:
            lets_go.set()

    try:
        threading.Thread(target=run, name="waits", daemon=True).start()
    except (RuntimeError, MemoryError):  # the machine has no thread left for it: it keeps the server's
        answer(protocol, environ)
        return
    lets_go.wait()
