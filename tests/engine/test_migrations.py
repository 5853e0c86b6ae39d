"""The migrations give what the models say, on both databases."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from threading import Event
from uuid import UUID

import psycopg
import pytest
from alembic import command
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from engine import administration, database, key_uses, keys, lockouts, models, moments, schema, upgrades
from engine.command_models import IdempotentAnswer
from engine.database import Database
from engine.errors import Busy, InvalidState
from engine.migrations import online
from tests.engine.test_releases import RELEASED

#: The schema before something was taken away, for the first time, and of answers.
EXPANDED, ANSWERS_EXPANDED = "0020", "0026"


@pytest.fixture
def bind(empty_database_url):
    bind = database.connect(empty_database_url)
    yield bind
    bind.dispose()


def test_migrate__from_empty_equals_the_models(bind):
    upgrades.migrate(bind)

    with upgrades.migrating(bind) as config:
        command.check(config)  # raises when a migration is missing
    assert set(models.Base.metadata.tables) == set(inspect(bind).get_table_names()) - {"alembic_version"}


def test_migrate__constraints_and_indexes_have_their_names(bind):
    """What has no name cannot be changed by a later migration."""
    upgrades.migrate(bind)

    found = inspect(bind)
    for table in models.Base.metadata.tables:
        assert all(index["name"] for index in found.get_indexes(table))
        assert all(key["name"] for key in found.get_foreign_keys(table))
        assert all(rule["name"] for rule in found.get_check_constraints(table))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_create__equals_what_migrations_leave(bind):
    upgrades.migrate(bind)

    with closing(Database("sqlite://")) as made:
        upgrades.create(made.bind)
        assert shape(made.bind) == shape(bind)
        with bind.connect() as theirs, made.bind.connect() as ours:
            assert schema.look(ours) == schema.look(theirs)
            for table in ("alembic_version", *models.Base.metadata.tables):
                whole = text(f"SELECT * FROM {table}")
                assert ours.execute(whole).mappings().all() == theirs.execute(whole).mappings().all()


def shape(bind):
    """What a schema is, in whatever order, and without the defaults that the database fills in for nodes of older releases."""
    found = inspect(bind)
    with bind.connect() as connection:
        indexes = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index'")).all()
    return {name: " ".join((sql or "").split()) for name, sql in indexes} | {
        table: (
            {each["name"]: (str(each["type"]), each["nullable"], each["primary_key"]) for each in found.get_columns(table)},
            {each["name"]: " ".join(each["sqltext"].split()) for each in found.get_check_constraints(table)},
            {each["name"]: each["column_names"] for each in found.get_unique_constraints(table)},
            {tuple(each["constrained_columns"]): (each["referred_table"], each["options"]) for each in found.get_foreign_keys(table)},
        )
        for table in found.get_table_names()
    }


def test_migrate__again(bind):
    upgrades.migrate(bind)

    upgrades.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__down_and_up(bind):
    upgrades.migrate(bind)
    with upgrades.migrating(bind) as config:
        command.downgrade(config, "base")
    assert set(inspect(bind).get_table_names()) == {"alembic_version"}

    upgrades.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__two_nodes_start_at_the_same_moment(empty_database_url, bind):
    """Both come up; who is second finds the schema there."""
    program = "import sys; from engine import database, upgrades; upgrades.migrate(database.connect(sys.argv[1]))"
    nodes = [subprocess.Popen([sys.executable, "-c", program, empty_database_url], stderr=subprocess.PIPE, text=True) for _ in range(2)]

    told = [node.communicate()[1] for node in nodes]

    assert [node.returncode for node in nodes] == [0, 0], told
    assert "cases" in inspect(bind).get_table_names()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrating__goes_no_further_than_its_lock(bind):
    """Whoever has the lock no more, for the operator or a failover took it, changes nothing beside the next."""
    held = text(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with upgrades.migrating(bind) as config, bind.connect() as somebody:
        working = config.attributes["connection"]
        (pid,) = somebody.scalars(held)
        somebody.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

        with pytest.raises(OperationalError):
            working.execute(text("SELECT 1"))
    with bind.connect() as somebody:
        assert somebody.scalars(held).all() == []


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrating__a_host_that_has_gone_keeps_nobody_waiting(bind):
    """The server asks within seconds whether somebody is still there, where the others would wait for two hours."""
    of_its_own = text("SELECT bool_and(source = 'session') FROM pg_settings WHERE name LIKE 'tcp_%'")
    with upgrades.migrating(bind) as config:
        assert config.attributes["connection"].scalar(of_its_own)


def test_newest__is_the_last_migration():
    assert schema.revisions()[-1] == schema.NEWEST


def test_revisions__are_those_of_the_migrations():
    assert schema.revisions() == tuple(script.revision for script in schema.scripts())


def test_migrations__of_a_release_take_away_last():
    """What it adds can be had while older nodes serve, and what it takes away waits until they are gone; or it can do without it."""
    scripts, ends = schema.scripts(), [schema.revisions().index(revision) for revision in (*RELEASED, schema.NEWEST)]
    for before, last in itertools.pairwise(ends):
        ours = scripts[before + 1 : last + 1]
        takes_away = [schema.oldest(script) is not None for script in ours if schema.is_needed(script) or schema.oldest(script)]
        assert takes_away == sorted(takes_away)
    without = [script.revision for script in scripts if not schema.is_needed(script) and not schema.oldest(script)]
    assert without == [key_uses.KNOWN_SINCE, "0029", lockouts.KNOWN_SINCE, administration.KNOWN_SINCE, "0032", "0033", "0034", "0035"]


def test_migrate__says_which_releases_may_serve(bind):
    upgrades.migrate(bind)

    with bind.connect() as connection:
        told = connection.scalars(select(schema.Compatibility.oldest)).all()
    assert told == [oldest for script in schema.scripts() if (oldest := schema.oldest(script))][-1:]


@contextmanager
def at(store, revision):
    """Have a database with the schema of a revision."""
    with store.at(revision).fresh() as url:
        bind = database.connect(url)
        yield bind
        bind.dispose()


@pytest.fixture
def expanded(store):
    """A database that still has what nodes of release 0019 use."""
    with at(store, EXPANDED) as bind:
        yield bind


@pytest.fixture
def connected():
    """Connect to a database as whoever says such a name."""
    with ExitStack() as stack:
        yield lambda bind, *names: [
            stack.enter_context(psycopg.connect(bind.url.set(drivername="postgresql").render_as_string(False), application_name=name))
            for name in names
        ]


def revision(bind):
    with bind.connect() as connection:
        return schema.current(connection)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__older_nodes_may_be_connected(expanded, connected, monkeypatch):
    monkeypatch.setattr(schema, "needed", lambda: EXPANDED)  # as it was when the next migration was the last one
    older = connected(expanded, "", "psql", "onething 0019", "onething 0019 hall")
    connected(expanded, schema.NAME, f"{schema.NAME} hall", "onething 9999")

    left = upgrades.migrate(expanded)

    assert left.startswith("Expected no node of an older version to be connected, but these may be some: one without a name (process ")
    assert "this version serves beside them" in left
    assert sorted(map(int, re.findall(r"process (\d+)", left))) == sorted(each.info.backend_pid for each in older)
    assert revision(expanded) == EXPANDED
    assert upgrades.migrate(expanded, force=True) == ""
    assert revision(expanded) == schema.NEWEST


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__nodes_may_be_connected_that_are_older_than_the_release_before(expanded, connected):
    """What this release needs comes after what they use is taken away: it must not be started beside them."""
    (older,) = connected(expanded, "onething 0019")

    with pytest.raises(InvalidState, match="Replace them with a version that knows schema 0021, or stop them"):
        upgrades.migrate(expanded)

    assert revision(expanded) == EXPANDED
    older.close()
    assert upgrades.migrate(expanded) == ""


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__none_but_newer_nodes_are_connected(expanded, connected):
    connected(expanded, schema.NAME, f"{schema.NAME} hall", "onething 9999")

    assert upgrades.migrate(expanded) == ""

    assert revision(expanded) == schema.NEWEST


@pytest.fixture
def older(store, there):
    with at(store, there) as bind:
        yield bind


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("there", "table"), [(EXPANDED, "incidents"), (ANSWERS_EXPANDED, "idempotent_answers")])
def test_migrate__somebody_uses_a_table(older, connected, monkeypatch, there, table):
    """It gives way, again and again, and up in the end; then it begins anew."""
    monkeypatch.setattr(online, "PATIENCE", 0.1)
    monkeypatch.setattr(online, "PAUSE", 0)
    monkeypatch.setattr(online, "EVERY", 1)
    (reader,) = connected(older, schema.NAME)
    reader.execute(f"SELECT FROM {table}")

    with pytest.raises(Busy):
        upgrades.migrate(older)

    assert revision(older) == there
    reader.rollback()
    assert upgrades.migrate(older) == ""
    with upgrades.migrating(older) as config:
        command.check(config)


WAITED = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'incidents'::regclass AND clock_timestamp() - waitstart > '0.3 s'"


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_migrate__a_table_is_never_free_for_long(expanded, connected, monkeypatch):
    """Somebody is in it at every moment, and nobody for longer than the migration waits in the end."""
    monkeypatch.setattr(online, "PATIENCE", 20)
    monkeypatch.setattr(online, "PAUSE", 0)
    monkeypatch.setattr(online, "EVERY", 1)
    reader, looking = connected(expanded, schema.NAME, schema.NAME)
    reader.execute("SELECT FROM incidents")

    given_up = Event()

    def leave():
        while not given_up.wait(0.02) and not looking.execute(WAITED).fetchall():
            looking.rollback()
        reader.rollback()

    with ThreadPoolExecutor() as pool:
        pool.submit(leave)
        try:
            assert upgrades.migrate(expanded) == ""
        finally:
            given_up.set()
    assert revision(expanded) == schema.NEWEST


@pytest.fixture
def answered(store):
    """A database in which a node of the release before has kept an answer: it does not say where that lies."""
    with at(store, ANSWERS_EXPANDED) as bind:
        _answer_as_before(bind, "k")
        yield bind


def _answer_as_before(bind, key):
    """Keep an answer as nodes of the release before do."""
    said = "INSERT INTO idempotent_answers (key, actor, request_hash, status, body, answered_at) VALUES (:key, 'clerk', 'a', 201, '', :now)"
    with bind.begin() as connection:
        connection.execute(text(said), {"key": key, "now": moments.now()})


def answers(bind):
    with bind.connect() as connection:
        columns = (IdempotentAnswer.key, IdempotentAnswer.request_hash, IdempotentAnswer.case_id, IdempotentAnswer.region)
        return sorted(map(tuple, connection.execute(select(*columns))))


def test_migrate__answers_of_older_nodes_are_of_no_case(answered):
    """An older node that nobody saw is refused then: it would keep what others do not meet."""
    assert upgrades.migrate(answered) == ""

    assert answers(answered) == [("k", "a", *keys.NOBODY.values())]
    with pytest.raises(IntegrityError, match=r"(?i)not.null"):
        _answer_as_before(answered, "another")


def test_migrate__back_to_one_answer_of_each_key(answered):
    upgrades.migrate(answered)
    second = {"key": "k", "actor": "clerk", "case_id": UUID(int=1), "region": "430100"}
    with answered.begin() as connection:
        connection.execute(insert(IdempotentAnswer).values(**second, request_hash="b", status=201, body="", answered_at=moments.now()))

    with upgrades.migrating(answered) as config:
        command.downgrade(config, ANSWERS_EXPANDED)

    _answer_as_before(answered, "another")
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        _answer_as_before(answered, "k")
    assert answers(answered) == [(key, "a", *keys.NOBODY.values()) for key in ("another", "k")]
    assert upgrades.migrate(answered) == ""
    with upgrades.migrating(answered) as config:
        command.check(config)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("step", ["index", "alter", "exchange"])
def test_migrate__interrupted_before_answers_have_their_key(answered, monkeypatch, step):
    """Whichever step was the last one that was done: it begins anew."""
    do = getattr(online, step)

    def end(*words):
        do(*words)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(online, step, end)
        with pytest.raises(ZeroDivisionError):
            upgrades.migrate(answered)

    assert revision(answered) == ANSWERS_EXPANDED
    assert upgrades.migrate(answered) == ""
    with upgrades.migrating(answered) as config:
        command.check(config)
    assert answers(answered) == [("k", "a", *keys.NOBODY.values())]
