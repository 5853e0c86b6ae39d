"""`onething migrate` is interrupted wherever it may be, as when its primary is replaced: what was done is whole, and repeated it ends."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from alembic import command
from sqlalchemy import text

from engine import database, postgresql, schema, upgrades
from engine.errors import Busy, Unavailable
from engine.migrations import online
from tests.engine.test_releases import RELEASED
from tests.listening import listening

#: Everything that comes after it is brought while others serve.
BEFORE = "0021"
INVALID = text("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def store(postgresql):
    """Where others work meanwhile; on SQLite it is one transaction."""
    return postgresql


@pytest.fixture
def bind(store):
    with store.at(BEFORE).fresh() as url:
        bind = database.connect(url)
        yield bind
        bind.dispose()


@contextmanager
def interrupted(bind, place):
    """Break the connection before the change, or the COMMIT of changes, of this number."""
    come: list[str] = []

    def look(connection, what):
        come.append(what)
        if len(come) == place:
            connection.connection.dbapi_connection.pgconn.finish()

    def statement(connection, _cursor, said, *_about):
        if not said.startswith("SELECT"):
            look(connection, said)

    def commit(connection):
        if come and come[-1] != "COMMIT":
            look(connection, "COMMIT")

    with listening(bind, before_cursor_execute=statement, commit=commit):
        yield


def revision(bind):
    with bind.connect() as connection:
        return schema.current(connection)


def test_migrate__interrupted_at_every_statement(bind):
    """The first, the second … of each migration, one after the other; whoever repeats it finds what the one before has left."""
    assert BEFORE in RELEASED
    place, interruptions = 1, Counter()

    while (there := revision(bind)) != schema.NEWEST:
        with interrupted(bind, place), suppress(Unavailable):
            upgrades.migrate(bind)
        interruptions[there] += 1
        place = place + 1 if revision(bind) == there else 1

    known = schema.revisions()
    assert list(interruptions) == list(known[known.index(BEFORE) : -1])
    assert min(interruptions.values()) >= 3  # what it does, to say that it is done, and to commit
    with upgrades.migrating(bind) as config:
        command.check(config)
    with bind.connect() as connection:
        assert connection.scalars(INVALID).all() == []
        assert connection.scalar(HELD) == 0


def test_migrate__gives_up_behind_what_it_has_made(bind, monkeypatch):
    """Somebody reads instances for longer than it waits: the table that 0026 has made by then is in nobody's way afterwards."""
    for name, value in {"PATIENCE": 0.1, "PAUSE": 0, "EVERY": 1}.items():
        monkeypatch.setattr(online, name, value)
    with bind.connect() as reader:
        postgresql.let_idle(reader)
        reader.execute(text("SELECT FROM instances"))
        with pytest.raises(Busy):
            upgrades.migrate(bind)
        assert revision(bind) == "0025"

    assert upgrades.migrate(bind) == ""
    with upgrades.migrating(bind) as config:
        command.check(config)


@pytest.mark.parametrize(("before", "table"), [("0025", "instances"), ("0027", "api_keys"), ("0029", "accounts")])
def test_migrate__lets_others_write_while_it_waits(bind, before, table):
    """Somebody writes for long to a table to which a new one refers; whoever comes later does not stand in line behind the migration."""
    with upgrades.migrating(bind) as config:
        command.upgrade(config, before)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST(:table AS regclass)")
    working = Thread(target=upgrades.migrate, args=(bind,))
    with bind.connect() as holder:
        postgresql.let_idle(holder)
        holder.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        working.start()
        while not holder.scalar(waiting, {"table": table}):
            assert working.is_alive()

        with bind.begin() as writer:
            writer.execute(text("SET LOCAL lock_timeout = '5s'"))
            writer.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))

        assert revision(bind) == before
    working.join()
    assert revision(bind) == schema.NEWEST
