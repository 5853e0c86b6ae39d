"""The migrations give what the models say, on both databases."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack

import psycopg
import pytest
from alembic import command
from sqlalchemy import inspect, make_url, select

from engine import database, models, schema
from engine.errors import Busy, InvalidState
from engine.migrations import online
from tests.engine.test_releases import RELEASED

#: The schema before something was taken away.
EXPANDED = "0020"


@pytest.fixture
def bind(empty_database_url):
    bind = database.connect(empty_database_url)
    yield bind
    bind.dispose()


def test_migrate__from_empty_equals_the_models(bind):
    database.migrate(bind)

    with database.migrating(bind) as config:
        command.check(config)  # raises when a migration is missing
    assert set(models.Base.metadata.tables) == set(inspect(bind).get_table_names()) - {"alembic_version"}


def test_migrate__constraints_and_indexes_have_their_names(bind):
    """What has no name cannot be changed by a later migration."""
    database.migrate(bind)

    found = inspect(bind)
    for table in models.Base.metadata.tables:
        assert all(index["name"] for index in found.get_indexes(table))
        assert all(key["name"] for key in found.get_foreign_keys(table))
        assert all(rule["name"] for rule in found.get_check_constraints(table))


def test_migrate__again(bind):
    database.migrate(bind)

    database.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__down_and_up(bind):
    database.migrate(bind)
    with database.migrating(bind) as config:
        command.downgrade(config, "base")
    assert set(inspect(bind).get_table_names()) == {"alembic_version"}

    database.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__two_nodes_start_at_the_same_moment(empty_database_url, bind):
    """Both come up; who is second finds the schema there."""
    program = "import sys; from engine import database; database.migrate(database.connect(sys.argv[1]))"
    nodes = [subprocess.Popen([sys.executable, "-c", program, empty_database_url], stderr=subprocess.PIPE, text=True) for _ in range(2)]

    told = [node.communicate()[1] for node in nodes]

    assert [node.returncode for node in nodes] == [0, 0], told
    assert "cases" in inspect(bind).get_table_names()


def test_newest__is_the_last_migration():
    assert schema.revisions()[-1] == schema.NEWEST


def test_migrations__of_a_release_take_away_last():
    """What it adds can be had while older nodes serve, and what it takes away waits until they are gone."""
    ours = schema.scripts()[schema.revisions().index(RELEASED[-1]) + 1 :]
    takes_away = [schema.oldest(script) is not None for script in ours]

    assert takes_away == sorted(takes_away)


def test_migrate__says_which_releases_may_serve(bind):
    database.migrate(bind)

    with bind.connect() as connection:
        told = connection.scalars(select(schema.Compatibility.oldest)).all()
    assert told == [oldest for script in schema.scripts() if (oldest := schema.oldest(script))][-1:]


@pytest.fixture
def expanded(bind):
    """A database that still has what nodes of release 0019 use."""
    with database.migrating(bind) as config:
        command.upgrade(config, EXPANDED)
    return bind


@pytest.fixture
def connected(empty_database_url):
    """Connect as whoever says such a name."""
    with ExitStack() as stack:
        yield lambda *names: [
            stack.enter_context(
                psycopg.connect(make_url(empty_database_url).set(drivername="postgresql").render_as_string(False), application_name=name)
            )
            for name in names
        ]


def revision(bind):
    with bind.connect() as connection:
        return schema.current(connection)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__older_nodes_may_be_connected(expanded, connected, monkeypatch):
    monkeypatch.setattr(schema, "needed", lambda: EXPANDED)  # as it was when the next migration was the last one
    older = connected("", "psql", "onething 0019", "onething 0019 hall")
    connected(schema.NAME, f"{schema.NAME} hall", "onething 9999")

    left = database.migrate(expanded)

    assert left.startswith("Expected no node of an older version to be connected, but these may be some: one without a name (process ")
    assert "this version serves beside them" in left
    assert sorted(map(int, re.findall(r"process (\d+)", left))) == sorted(each.info.backend_pid for each in older)
    assert revision(expanded) == EXPANDED
    assert database.migrate(expanded, force=True) == ""
    assert revision(expanded) == schema.NEWEST


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__nodes_may_be_connected_that_are_older_than_the_release_before(expanded, connected):
    """What this release needs comes after what they use is taken away: it must not be started beside them."""
    (older,) = connected("onething 0019")

    with pytest.raises(InvalidState, match="Replace them with a version that knows schema 0021, or stop them"):
        database.migrate(expanded)

    assert revision(expanded) == EXPANDED
    older.close()
    assert database.migrate(expanded) == ""


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__none_but_newer_nodes_are_connected(expanded, connected):
    connected(schema.NAME, f"{schema.NAME} hall", "onething 9999")

    assert database.migrate(expanded) == ""

    assert revision(expanded) == schema.NEWEST


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__somebody_uses_a_table(expanded, connected, monkeypatch):
    """It gives way, again and again, and up in the end; then it begins anew."""
    monkeypatch.setattr(online, "PATIENCE", 0.1)
    monkeypatch.setattr(online, "PAUSE", 0)
    monkeypatch.setattr(online, "EVERY", 1)
    (reader,) = connected(schema.NAME)
    reader.execute("SELECT FROM incidents")

    with pytest.raises(Busy):
        database.migrate(expanded)

    assert revision(expanded) == EXPANDED
    reader.rollback()
    assert database.migrate(expanded) == ""
    with database.migrating(expanded) as config:
        command.check(config)
