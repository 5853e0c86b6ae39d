"""Repeats: a request that the database has prevented is tried again before the client is told; nothing else repeats one.

A request that changes something does so in its last transaction: if that was not committed, the whole request can begin anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from api.auth import SAFE_METHODS
from api.routes import Route
from api.turns import Turns
from engine.errors import Busy, Unavailable, Unsettled, Vanished

Done = TypeVar("Done")
#: How long to wait before each repeat, seconds; a random part of it is left out, so that two who met do not meet again.
PAUSES = (0.05, 0.2, 0.6, 1.2, 2.0)
#: After so many seconds a request is not repeated any more, and its client is told.
PATIENCE = 8
#: What a panic is called, and what it says when no object could be made: there was no memory for it (Pydantic reads a body so).
PANIC, NO_OBJECT = "PanicException", "PyObject pointer is null"


class Application(Flask):
    """A Flask application that repeats a request when the database says that nothing has been done."""

    url_rule_class = Route

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take a function as it is: none of ours is a coroutine, and Flask would look whether it is at each call."""
        return func

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Do what comes before the view, as to find out who asks."""
        return again(super().preprocess_request)

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the request; where a library panics, that is a fault as any other."""
        try:
            return again(super().dispatch_request)
        except BaseException as error:
            if panic := _meant(error):
                raise panic from error
            raise


def again(work: Callable[[], Done]) -> Done:
    """Do the work, and again while that can help; raises what the last attempt raised.

    Where a row has Vanished in two attempts, one after the other, nobody has just deleted it: its cause is raised, as a fault of ours.
    """
    until, missed = time.monotonic() + PATIENCE, False
    hindered: Busy | Unavailable | None = None
    try:
        for pause in (*PAUSES, None):
            try:
                return work()
            except (Busy, Unavailable) as error:
                hindered = error
            if pause is None or time.monotonic() > until or (isinstance(hindered, Unsettled) and not _may_repeat()):
                break
            missed = isinstance(hindered, Vanished)
            _rest(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
        assert hindered is not None
        if missed and isinstance(hindered, Vanished) and hindered.__cause__:
            raise hindered.__cause__
        raise hindered
    finally:
        hindered = None  # it refers to this frame in turn, and Python rarely looks for such circles here (decision 0015)


def _meant(error: BaseException) -> Exception | None:
    """Say what it means that a library which is written in Rust has panicked, of which Python makes no Exception; None: none has."""
    if type(error).__name__ != PANIC:
        return None
    return MemoryError(str(error)) if NO_OBJECT in str(error) else RuntimeError(f"Expected a library to answer, but it panicked: {error}")


def _may_repeat() -> bool:
    """Whether a request may be repeated that was perhaps carried out: it reads only, or its Idempotency-Key tells."""
    return request.method in SAFE_METHODS or g.get("keyed", False)


def _rest(seconds: float) -> None:
    turns: Turns | None = current_app.extensions.get("turns")
    with turns.given_up() if turns is not None else nullcontext():
        time.sleep(seconds)
    for file in request.files.values():
        file.stream.seek(0)  # the attempt before may have read it
