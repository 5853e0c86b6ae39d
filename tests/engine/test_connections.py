"""Connections go by what the engine was written for, whatever an administrator has set; and the doctor sees where one leads."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import create_engine, make_url, select, text

from engine import connections, doctor, instances, readiness, verification
from engine.database import Database
from engine.diagnoses import CheckStatus
from engine.errors import InvalidState, Unavailable
from engine.models import Department, Instance
from tests import everywhere
from tests.proxy import Proxy

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
#: What may be set for a database or a role, and would have us answer otherwise, or not at all.
MEDDLED = {
    "statement_timeout": "50ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "50ms",
    # Until they are taken back, which is when the connection is there, these hold.
    "idle_session_timeout": "1min",
    "transaction_timeout": "1min",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Shanghai",
    "bytea_output": "escape",
    "client_encoding": "GBK",
    "extra_float_digits": "0",
    "lc_messages": "C",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "client_min_messages": "error",
    "synchronous_commit": "off",
}


@pytest.fixture
def url(postgresql):
    with postgresql.fresh() as url:
        yield url


def configure(url, **settings):
    """Set something for a database, as far as the server knows it; whoever connects from now on has it."""
    bind = create_engine(url, isolation_level="AUTOCOMMIT")
    with bind.connect() as connection:
        known = set(connection.scalars(text("SELECT lower(name) FROM pg_settings")))
        for name, value in settings.items():
            if name in known:
                connection.exec_driver_sql(f"ALTER DATABASE \"{make_url(url).database}\" SET {name} = '{value}'")
    bind.dispose()


def server(url):
    """What the doctor says of the server."""
    return next(check for check in doctor.check_database(url, now=NOW) if check.what == "server")


def test_connection__whatever_was_set_for_the_database(url):
    configure(url, **MEDDLED)
    db = Database(url)

    with db.transaction() as session:
        session.add(Department(code="\\", name="国徽\\'镕"))
        session.flush()
        session.execute(text("SELECT pg_sleep(0.1)"))
        time.sleep(0.1)
        assert session.scalar(text("SELECT name FROM departments WHERE code = '\\'")) == "国徽\\'镕"
        there = dict(session.execute(text("SELECT lower(name), setting FROM pg_settings")).all())
    time.sleep(0.1)
    everywhere.begin(db)
    with db.transaction() as session:  # as whoever has nothing in memory reads it
        read = [instances.lock(session, row.id, row).state == row.state for row in session.scalars(select(Instance)).all()]

    assert (set(read), there["synchronous_commit"]) == ({True}, "on")
    ours = connections.OURS | connections.OF_SOME
    by_tcp = {name: value for name, value in ours.items() if name.startswith("tcp_")}  # which this server is not reached by
    assert {name: value for name, value in ours.items() if there.get(name, value).split(",")[0] != value} == by_tcp
    assert list(verification.verify(db)) == []
    db.close()
    assert server(url).status is CheckStatus.OK


def test_connection__whatever_the_environment_says(url, monkeypatch):
    """As it does for whoever uses psql there."""
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGTZ", "Asia/Shanghai")
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=50ms")
    db = Database(url)

    with db.reading() as session:
        at = session.scalar(text("SELECT CAST('2026-11-25 12:00:00+00' AS timestamptz)"))
        said = [session.scalar(text(f"SHOW {name}")) for name in ("datestyle", "statement_timeout")]

    assert at.isoformat() == NOW.isoformat()
    assert said == ["ISO, DMY", "0"]
    db.close()


def used(db):
    """Which session of the server does what is asked."""
    with db.reading() as session:
        return session.scalar(text("SELECT pg_backend_pid()"))


def end_all(url):
    """End the other sessions of a database."""
    bind = create_engine(url, isolation_level="AUTOCOMMIT")
    with bind.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}").all()
    bind.dispose()


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=3653)], ids=["an hour", "ten years"])
def test_pool__the_clock_of_the_host_is_set_back(url, ahead):
    """After an outage connections are kept, and those made before it are known to be dead, whatever the host has taken for the time."""
    db = Database(url)
    with time_machine.travel(datetime.now(UTC) + ahead):
        used(db)
        end_all(url)
        with pytest.raises(Unavailable):
            used(db)
    assert len({used(db) for _ in range(3)}) == 1

    with time_machine.travel(datetime.now(UTC) + ahead), db.reading() as one, db.reading() as other:
        before = {session.scalar(text("SELECT pg_backend_pid()")) for session in (one, other)}
    end_all(url)
    with pytest.raises(Unavailable):
        used(db)
    assert used(db) not in before
    db.close()


def test_connection__what_its_url_says_counts(url):
    there = make_url(url).update_query_dict({"options": "-c statement_timeout=7s -c idle_session_timeout=1h"}).render_as_string(False)
    db = Database(there)

    with db.reading() as session:
        said = [session.scalar(text(f"SHOW {name}")) for name in ("statement_timeout", "idle_session_timeout", "lock_timeout")]

    assert said == ["7s", "1h", "20s"]
    db.close()
    check = server(there)
    assert (check.status, check.found) == (CheckStatus.WARNING, "statement_timeout = 7000 is not ours")


def test_check_migrations__others_are_looked_for_first(url):
    """Whoever migrated then would begin a second installation, and miss his cases."""
    bind = create_engine(url)
    with bind.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA reports")
    bind.dispose()
    configure(url, search_path="reports")

    check = next(check for check in doctor.check_database(url, now=NOW) if check.what == "migrations")

    assert (check.status, check.found) == (CheckStatus.FAILED, "schema none, but there is one in public")
    assert check.advice.startswith("Let search_path begin with it again")


def test_check_server__only_reads(url):
    """Whoever serves would refuse whatever is asked; it may be over in a moment, as when a standby takes its place."""
    configure(url, default_transaction_read_only="on")

    check = server(url)

    assert (check.status, check.found, check.passing) == (CheckStatus.FAILED, "it only reads", True)


def test_look__only_reads(url):
    """No requests should come to a node that refuses whatever they command; and those that come are told why."""
    db = Database(url)
    assert readiness.look(db).fit
    db.close()

    configure(url, default_transaction_read_only="on")

    with (
        pytest.raises(Unavailable, match="Expected the database to answer, but it only reads just now; try again"),
        db.transaction() as session,
    ):
        session.add(Department(code="a", name="部门"))
    found = readiness.look(db)
    db.close()
    assert (found.fit, found.found) == (False, "Expected a database that can be written to, but it only reads")


class Pooler(Proxy):
    """Has connections of its own to the server, as far as whoever connects can see: the process that it names is none of the server's."""

    async def _pump(self, reader, writer, ends):
        await super()._pump(reader if ends else _Renaming(reader), writer, ends)


class _Renaming:
    def __init__(self, reader):
        self.reader = reader

    async def read(self, size):
        return re.sub(rb"K\0\0\0\x0c.{4}", b"K\0\0\0\x0c\0\0\0\1", await self.reader.read(size), flags=re.DOTALL)


def test_check_server__a_pooler_that_hands_on_what_is_set(url):
    with Pooler(url) as pooler:
        assert server(pooler.url()).status is CheckStatus.OK


def test_check_server__a_pooler_that_hands_on_nothing(url):
    with Pooler(url) as pooler:
        check = server(pooler.url(options="-c idle_in_transaction_session_timeout=0"))

    assert check.status is CheckStatus.FAILED
    assert check.found == "a pooler stands between: idle_in_transaction_session_timeout = 0 is not ours"


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "EUC_CN"])
def test_check_server__has_another_encoding(postgresql, encoding):
    with postgresql.empty() as url:
        with postgresql.admin.connect() as connection:
            name = make_url(url).database
            connection.exec_driver_sql(f'DROP DATABASE "{name}"')
            connection.exec_driver_sql(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
        db = Database(url)
        db.migrate()
        everywhere.begin(db)
        assert list(verification.verify(db)) == []
        db.close()

        check = server(url)

    assert (check.status, check.found) == (
        CheckStatus.WARNING,
        f"its database is {encoding}, and refuses what that has no letter for",
    )


def test_migrate__may_not_create_anything(postgresql):
    """From 15 on nobody but the owner of the database may, in the schema that everybody has."""
    with postgresql.empty() as url:
        db = Database(url)
        with db.bind.begin() as connection:
            connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM public")
            connection.exec_driver_sql("CREATE ROLE nobody_special LOGIN")
        theirs = Database(make_url(url).set(username="nobody_special").render_as_string(hide_password=False))
        try:
            with pytest.raises(
                InvalidState, match="Expected to change the schema, but the database says: permission denied for schema public"
            ):
                theirs.migrate()
        finally:
            theirs.close()
            with db.bind.begin() as connection:
                connection.exec_driver_sql("DROP ROLE nobody_special")
            db.close()


def test_migrate__server_only_reads(postgresql):
    with postgresql.empty() as url:
        configure(url, default_transaction_read_only="on")
        db = Database(url)
        with pytest.raises(Unavailable):
            db.migrate()
        db.close()


@pytest.mark.parametrize(("version", "session", "pooled"), [(90600, 1, True), (90600, 7, False), (90204, 140_240_000_000_000, False)])
def test_is_pooled__a_server_of_threads_names_no_process(version, session, pooled):
    assert connections.is_pooled(SimpleNamespace(server_version=version, backend_pid=7), session) is pooled


def test_migrate__through_a_pooler(postgresql):
    """The lock that keeps others from doing so at the same time would stay with a session of his."""
    with postgresql.empty() as url, Pooler(url) as pooler:
        db = Database(pooler.url())
        with pytest.raises(InvalidState, match="Expected to reach PostgreSQL itself, but a pooler stands between"):
            db.migrate()
        db.close()


@pytest.mark.parametrize(("way", "prepared"), [(Proxy, True), (Pooler, False)])
def test_connection__prepares_nothing_through_a_pooler(url, way, prepared):
    """The next transaction may be another session's."""
    with way(url) as between:
        db = Database(between.url())
        for _ in range(10):
            with db.reading() as session:
                session.scalar(text("SELECT count(*) FROM departments"))
        with db.reading() as session:
            names = session.scalars(text("SELECT name FROM pg_prepared_statements")).all()
        db.close()

    assert bool(names) is prepared
