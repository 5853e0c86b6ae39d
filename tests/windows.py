"""Wider windows: who works in one rests by chance before statements and before COMMIT, so that others come in between who hardly ever do.

Where connections break, too, they do so before a statement, before COMMIT, or just after it: then it is done, and nobody knows.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine

from tests.listening import listening

#: How often somebody rests before a statement, and before COMMIT; how long at most, seconds.
BEFORE_A_STATEMENT, BEFORE_COMMIT, LONGEST = 0.15, 0.4, 0.015
#: How often a connection breaks, where they do, at a statement and at COMMIT.
AT_A_STATEMENT, AT_COMMIT = 0.01, 0.1
_here = threading.local()


def by(chance: random.Random, *, breaks: bool = False) -> None:
    """Let this thread rest by this chance, wherever windows are wider; and let its connections break."""
    _here.chance, _here.breaks = chance, breaks


@contextmanager
def widened() -> Iterator[None]:
    """Let threads that know a chance rest in the block, on every database."""
    with listening(Engine, before_cursor_execute=_before_a_statement, commit=_before_commit):
        yield


def _before_a_statement(connection: Connection, *_about: object) -> None:
    _rest(BEFORE_A_STATEMENT)
    if _breaks(AT_A_STATEMENT):
        _break(connection)


def _before_commit(connection: Connection) -> None:
    _rest(BEFORE_COMMIT)
    if _breaks(AT_COMMIT):
        if _here.chance.random() < 0.5:
            _driver(connection).commit()
        _break(connection)


def _rest(often: float) -> None:
    chance: random.Random | None = getattr(_here, "chance", None)
    if chance is not None and chance.random() < often:
        time.sleep(chance.random() * LONGEST)


def _breaks(often: float) -> bool:
    return getattr(_here, "breaks", False) and _here.chance.random() < often


def _break(connection: Connection) -> None:
    _driver(connection).pgconn.finish()


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] = connection.connection.dbapi_connection
    return driver
