"""The schema is brought to its newest version, by one at a time, while others serve (docs/decisions/0020)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, insert, inspect
from sqlalchemy.exc import DBAPIError

from engine import connections, outages, postgresql, schema, tables
from engine.errors import InvalidState
from engine.migrations import online

Answer = TypeVar("Answer")
#: How long it is before whoever wants to migrate asks once more whether another has done so, seconds.
_PATIENCE = 0.2
#: A lock that is not that of a row.
_LOCK = 0x6F6E657468696E67
#: Migrations that make a table which refers to this one: nobody writes to it meanwhile, nor while they wait for who does.
_REFERRING = {"0026": "instances", "0028": "api_keys", "0030": "accounts"}
#: 0026 makes this table before it waits for those who use instances: who was interrupted then has left it to the schema before, empty.
_LEFT, _BEFORE, _REFERRED = "large_values", "0025", "instances"


def migrate(bind: Engine, *, force: bool = False) -> str:
    """Bring the schema to the newest version; safe to call from several processes at once.

    While nodes of an older release may be connected, what only they use is left, unless with `force`, and the answer says so.  Raises
    InvalidState when this release cannot serve beside them.
    """
    known = schema.revisions()
    with outages.told(), _permitted():
        _ask(bind, _require_server)
        for contraction in _ask(bind, schema.contractions):
            _upgrade(bind, known[known.index(contraction.revision) - 1])
            if not force and (clients := _ask(bind, partial(schema.hindrances, contraction))):
                return schema.remainder(contraction, clients)
        _upgrade(bind, known[-1])
    return ""


def create(bind: Engine) -> None:
    """Make the schema in a database of SQLite that is new and does not last, as the models say it.

    Migrations take a second for what is soon gone.  They leave the same, but for the order of columns, and defaults that older nodes need.
    """
    with migrating(bind) as config:
        connection: Connection = config.attributes["connection"]
        tables.METADATA.create_all(connection)
        oldest = [needed for script in schema.scripts() if (needed := schema.oldest(script))]
        connection.execute(insert(schema.Compatibility).values(oldest=oldest[-1]))
        command.stamp(config, schema.NEWEST)


def _require_server(connection: Connection) -> None:
    """Raise InvalidState when a pooler stands between: whoever migrates holds a lock for as long as he has his session."""
    if postgresql.is_behind(connection) and connections.look(connection).pooled:
        raise InvalidState(
            "Expected to reach PostgreSQL itself, but a pooler stands between; give the command with the address of the server"
        )


@contextmanager
def _permitted() -> Iterator[None]:
    """Say that our role may not do this: an account with more privileges must give the command, or grant them to our role."""
    try:
        yield
    except DBAPIError as error:
        if not outages.is_forbidden(error):
            raise
        raise InvalidState(f"Expected to change the schema, but the database says: {outages.said(error)}") from error


def _upgrade(bind: Engine, revision: str) -> None:
    known = schema.revisions()
    for each in _ask(bind, partial(_referring, revision=revision)):
        _attempt(bind, known[known.index(each) - 1])
        is_vacuumed = partial(_ask, bind, partial(online.is_vacuumed, table=_REFERRING[each]))
        online.insist(f"migration {each}", partial(_attempt, bind, each), is_vacuumed=is_vacuumed)
    _attempt(bind, revision)


def _referring(connection: Connection, revision: str) -> list[str]:
    """Migrations to come, up to a revision, that keep others from writing while they wait."""
    known, there = schema.revisions(), schema.current(connection)
    if not postgresql.is_behind(connection) or there not in known:  # who has no schema yet has no nodes
        return []
    return [each for each in known[known.index(there) + 1 : known.index(revision) + 1] if each in _REFERRING]


def _attempt(bind: Engine, revision: str, patience: int | None = None) -> None:
    """Upgrade; `patience`: how long it waits for a lock, milliseconds, where not as long as others do."""
    with migrating(bind) as config:
        connection: Connection = config.attributes["connection"]
        _clear_up(connection)
        if patience is not None:
            with connection.begin():
                online.wait_no_longer(connection, patience)  # as long as it has this connection
        command.upgrade(config, revision)


def _clear_up(connection: Connection) -> None:
    """Remove what an interrupted migration has left and what would keep it from beginning anew."""
    if not postgresql.is_behind(connection):  # there it has left nothing
        return
    context = MigrationContext.configure(connection)
    with connection.begin():
        left = context.get_current_revision() == _BEFORE and inspect(connection).has_table(_LEFT)
    if left:
        with Operations.context(context), context.autocommit_block():
            online.alter(_REFERRED, f"DROP TABLE {_LEFT}")


def _ask(bind: Engine, question: Callable[[Connection], Answer]) -> Answer:
    with bind.connect().execution_options(reading=True) as connection:
        return question(connection)


@contextmanager
def migrating(bind: Engine) -> Iterator[Config]:
    """Let nobody else change the schema until the block ends; gives what Alembic's commands take."""
    config = schema.config()
    with (_alone_on_postgresql if postgresql.is_behind(bind) else _alone_on_sqlite)(bind) as connection:
        config.attributes["connection"] = connection
        yield config


@contextmanager
def _alone_on_sqlite(bind: Engine) -> Iterator[Connection]:
    """Give a transaction in which a table may be written anew: references are not looked at while it is away."""
    with bind.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")  # no statement of a transaction
        with connection.begin():
            yield connection
        connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


@contextmanager
def _alone_on_postgresql(bind: Engine) -> Iterator[Connection]:
    """Give a connection that begins transactions as it likes, since others work meanwhile.  The lock is its own: whoever loses it stops."""
    with bind.connect() as connection:
        while not _has_lock(connection):
            time.sleep(_PATIENCE)
        try:
            yield connection
        finally:
            connection.invalidate()  # the lock goes with it


def _has_lock(connection: Connection) -> bool:
    """Take the lock unless somebody has it.  In no transaction that lasts: whoever builds an index beside others waits for all that do."""
    with connection.begin():
        postgresql.look_after(connection)
        return postgresql.hold_if_free(connection, _LOCK)
