"""Sessions of PostgreSQL that go from test to test: each knows the catalogue already, which a new one reads for longer than most tests take.

Nothing is left of whoever had one: what he has set, prepared, listened to or locked is discarded by the server; to Python it is a new connection.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap
from sqlalchemy import Engine, event

from engine.database import _ASIDE, Database

#: Under this name a pool knows with which words it has begun a session.
_WORDS = "words"
#: What psycopg is told without words of its own: how often it sends a statement before it is prepared.
_PREPARED_AFTER = 5


@dataclass(frozen=True)
class Parked:
    """A session that is nobody's, and with which words it was begun."""

    words: dict[str, Any]
    connection: psycopg.Connection[Any]


#: By the name of their database.
_parked: dict[str, list[Parked]] = defaultdict(list)
_turn = threading.Lock()


def lend(bind: Engine) -> None:
    """Let a pool be given sessions that were parked by one which connects with the same words."""
    if bind.dialect.name == "postgresql":
        event.listen(bind, "do_connect", _take)


def park(database: Database) -> None:
    """Close a database, but for one session of each of its pools."""
    for bind in filter(None, (database.bind, database.info.get(_ASIDE))):
        if bind.dialect.name == "postgresql" and bind.pool.checkedin():
            _park(bind)
    database.close()


@contextmanager
def within(name: str, url: str) -> Iterator[list[psycopg.Connection[Any]]]:
    """Give the sessions that are parked in a database, or else a new one for as long as the block lasts; nothing is to be left behind in them."""
    if found := [each.connection for each in _parked[name]]:
        yield found
        return
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as alone:
        yield [alone]


def end(name: str) -> None:
    """End the sessions that are parked in a database."""
    for each in _parked.pop(name, []):
        each.connection.close()


def _take(_dialect: Any, record: Any, _args: list[Any], words: dict[str, Any]) -> psycopg.Connection[Any] | None:
    record.info[_WORDS] = words
    with _turn:
        waiting = _parked[words.get("dbname", "")]
        found = next((each for each in waiting if _said(each.words) == _said(words)), None)
        if found is None:
            return None
        waiting.remove(found)
    connection, context = found.connection, words.get("context")
    connection.autocommit, connection.prepare_threshold = False, _PREPARED_AFTER
    connection._adapters = context and AdaptersMap(context.adapters)
    return connection


def _said(words: dict[str, Any]) -> dict[str, Any]:
    """What the server is told of them."""
    return {name: value for name, value in words.items() if name != "context"}


def _park(bind: Engine) -> None:
    pooled = bind.raw_connection()
    words, left = pooled.info.get(_WORDS), pooled.driver_connection
    pooled.detach()
    connection = psycopg.Connection(left.pgconn, left.row_factory)
    del left.pgconn  # so it is not closed by whoever forgets it
    try:
        connection.autocommit, connection.prepare_threshold = True, None
        connection.execute("DISCARD ALL")
    except psycopg.Error:
        words = None
    if words is None:
        connection.close()
    else:
        _parked[words["dbname"]].append(Parked(words, connection))
