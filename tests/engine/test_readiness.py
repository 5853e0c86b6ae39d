"""A node says that it is not ready while the database keeps a table from it; what is due waits for that, and has not failed."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, select

from engine import database as databases
from engine import doctor, gauges, readiness, scheduler
from engine.database import Database
from engine.diagnoses import CheckStatus
from engine.errors import Unavailable
from engine.files import FileStore
from engine.models import Job
from tests import tiny
from tests.engine.test_jobs import complete_and_die

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROLE = "onething_test_restrained"


@pytest.fixture
def store(postgresql):
    """SQLite knows neither roles nor locks of tables."""
    return postgresql


def run(db, *statements):
    with db.bind.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@contextmanager
def opened_restrained(database):
    """Open the same database by a role that is no administrator's."""
    run(database, f"CREATE ROLE {ROLE} LOGIN", f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
    opened = Database(make_url(database.bind.url).set(username=ROLE).render_as_string(hide_password=False))
    yield opened
    opened.close()
    run(database, f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


@pytest.fixture
def restrained(database):
    with opened_restrained(database) as opened:
        yield opened


def tables(db):
    """What the doctor says of them."""
    checks = doctor.check_database(db.bind.url.render_as_string(hide_password=False), now=NOW)
    return [(check.status, check.found, check.passing) for check in checks if check.what == "tables"]


@pytest.mark.parametrize(
    ("withhold", "table"),
    [
        (f"REVOKE INSERT ON {{}} FROM {ROLE}", "alerts"),
        (f"REVOKE SELECT ON {{}} FROM {ROLE}", "alerts"),
        (f"REVOKE UPDATE ON {{}} FROM {ROLE}", "counters"),
        (f"REVOKE DELETE ON {{}} FROM {ROLE}", "jobs"),
        ("ALTER TABLE {} RENAME TO was_{}", "alerts"),
    ],
    ids=["not to be written", "not to be read", "not to be changed", "nothing to be taken away", "not there"],
)
def test_look__a_table_is_withheld(database, restrained, withhold, table):
    assert readiness.look(restrained).fit
    assert tables(restrained) == []

    run(database, withhold.format(table, table))

    found = readiness.look(restrained)
    assert (found.fit, found.found) == (
        False,
        f"Expected to read and write every table, but these are missing, or our role may not: {table}",
    )
    assert tables(restrained) == [(CheckStatus.FAILED, f"these are missing, or our role may not: {table}", False)]


def test_look__what_is_written_down_is_not_to_be_changed(database, restrained):
    """Somebody may have seen to that for good: nothing that goes on day by day asks for it."""
    run(database, f"REVOKE UPDATE, DELETE ON journal, administration FROM {ROLE}")

    assert readiness.look(restrained).fit
    assert tables(restrained) == []


def test_look__its_first_table_is_withheld(database, restrained):
    """It is the one that says how far the schema has been brought."""
    run(database, f"REVOKE SELECT ON alembic_version FROM {ROLE}")

    found = readiness.look(restrained)

    assert (found.fit, found.found) == (
        False,
        "Expected the database to let this node work, but it says: permission denied for table alembic_version",
    )


@pytest.mark.parametrize("table", ["alembic_version", "jobs"])
def test_look__somebody_has_locked_a_table(database, restrained, table, monkeypatch, tmp_path):
    """Whoever watches over nodes is answered before he gives up; and of the tables that need not be read for it nobody need know."""
    monkeypatch.setattr(databases, "GLANCE", 100)
    with database.bind.begin() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()

        found, told = readiness.look(restrained), gauges.exposition(restrained, FileStore(tmp_path)).decode()

        assert time.monotonic() - began < databases.LOCK_TIMEOUT / 2
    assert found.fit is (table != "alembic_version")
    assert found.fit or found.found == "Expected to look at the schema, but somebody holds a table of it"
    assert f"onething_database_up {0.0 if table == 'jobs' else 1.0}" in told
    assert readiness.look(restrained).fit


@pytest.mark.parametrize(("right", "table"), [("SELECT", "jobs"), ("SELECT", "journal"), ("INSERT", "journal"), ("UPDATE", "instances")])
def test_tick__a_table_is_withheld(stage, clerk, market, right, table):
    """What is due has done nothing wrong: no attempt of it is counted, and it is done as soon as that is over."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.take_in("tiny")
    complete_and_die(stage, market, case, "alpha审批", {"outcome": "granted"})
    with opened_restrained(stage.database) as restrained:
        run(stage.database, f"REVOKE {right} ON {table} FROM {ROLE}")

        with suppress(Unavailable):  # it need not be wanted
            scheduler.tick(restrained)

        with stage.reading() as session:
            owed = [(job.attempts, job.error) for job in session.scalars(select(Job))]
        run(stage.database, f"GRANT {right} ON {table} TO {ROLE}")
        scheduler.drain(restrained)
    assert owed in ([], [(0, None)])
    assert (stage.tasks(case), stage.incidents(case)) == (["统一出件"], [])


REFUSE = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN IF NEW.case_id = '{}' THEN RAISE 'not for you' USING ERRCODE = '{}'; END IF; RETURN NEW; END$$"""


@pytest.mark.parametrize("state", ["42501", "XX001", "XX002", "58P01"])
def test_tick__a_row_is_withheld(stage, clerk, market, state):
    """As by a rule for rows of a table, or by a disk that has lost a page: what else is due goes on."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    refused, other = (clerk.take_in("tiny") for _ in range(2))
    for case in (refused, other):
        complete_and_die(stage, market, case, "alpha审批", {"outcome": "granted"})
    run(
        stage.database,
        REFUSE.format(refused.id, state),
        "CREATE TRIGGER refuse BEFORE INSERT ON tasks FOR EACH ROW EXECUTE PROCEDURE refuse()",
    )

    assert scheduler.tick(stage.database) == 1

    assert (stage.tasks(refused), stage.tasks(other)) == ([], ["统一出件"])
    assert [(job.attempts, job.error) for job in stage.jobs(refused)] == [(0, None)]
    run(stage.database, "DROP TRIGGER refuse ON tasks", "DROP FUNCTION refuse")
    scheduler.drain(stage.database)
    assert stage.tasks(refused) == ["统一出件"]
