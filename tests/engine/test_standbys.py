"""Commits that wait for a standby: nothing is acknowledged before it is there, whoever ends the waiting."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url, text

from engine import database, idempotency, numbers
from engine.database import Database
from engine.errors import Unsettled
from engine.idempotency import Answer, Command, Repeated
from engine.models import Department
from tests import databases

#: Commits wait for a standby that never comes; but those of the tests themselves, which begin nothing that is acknowledged.
AWAY = "synchronous_standby_names = 'away'\nsynchronous_commit = local\n"
#: Seconds after which somebody hangs, however busy the machine is.
PATIENCE = 60
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
COMMAND = Command(key="k", actor="clerk", request_hash="a")


@pytest.fixture(scope="module")
def server():
    with databases.postgresql_server(AWAY) as url:
        server = databases.PostgreSQL(url)
        yield server
        server.close()


@pytest.fixture
def admin(server):
    """Whoever looks, and ends what waits."""
    with server.fresh() as url:
        db = Database(url)
        yield db
        end(db, "pg_terminate_backend")
        db.close()


@pytest.fixture
def db(admin):
    """A node whose commits wait."""
    url = make_url(admin.bind.url).update_query_dict({"options": "-c synchronous_commit=on"})
    db = Database(url.render_as_string(hide_password=False))
    yield db
    db.close()


def end(admin, how):
    with admin.bind.begin() as connection:
        connection.execute(text(f"SELECT {how}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"))


def await_waiting(admin, done):
    """Return when a commit waits; fails when the command is answered instead."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not done.done():
        with admin.reading() as session:
            if session.scalar(text(WAITING)):
                return
        time.sleep(0.02)
    pytest.fail(f"Expected a commit to wait, but {done.exception() or done.result()!r}")


def carry_out(db):
    try:
        with idempotency.transaction(db, COMMAND) as session:
            session.add(Department(code="a", name="a"))
            session.flush()
            idempotency.keep(session, Answer(status=200, body="{}"))
    except Repeated as first:
        return first.answer.body
    return "{}"


def write(db, code):
    with db.transaction() as session:
        session.add(Department(code=code, name=code))


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_transaction__somebody_ends_the_waiting(admin, db, how):
    """It is there for everybody to see, and on one machine only: so it is not acknowledged, not to who repeats it either."""
    with ThreadPoolExecutor() as pool:
        first = pool.submit(carry_out, db)
        await_waiting(admin, first)
        end(admin, how)
        with pytest.raises(Unsettled):
            first.result(PATIENCE)

        again = pool.submit(carry_out, db)
        await_waiting(admin, again)
        with admin.transaction() as session:
            assert session.get_one(Department, "a").name == "a"
        end(admin, how)
        with pytest.raises(Unsettled):
            again.result(PATIENCE)


def test_transaction__somebody_ends_the_waiting_and_warnings_are_not_wanted(admin, db):
    """Whatever an administrator has set, what is not on a standby is not acknowledged."""
    with admin.bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{admin.bind.url.database}" SET client_min_messages = error')
    with ThreadPoolExecutor() as pool:
        first = pool.submit(write, db, "a")
        await_waiting(admin, first)
        end(admin, "pg_cancel_backend")

        with pytest.raises(Unsettled, match="somebody has ended the waiting"):
            first.result(PATIENCE)


def test_transaction__only_whose_waiting_was_ended_is_told(admin, db):
    """The next one that the same thread carries out is another one."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(write, db, "a")
        await_waiting(admin, first)
        end(admin, "pg_cancel_backend")
        with pytest.raises(Unsettled, match="somebody has ended the waiting"):
            first.result(PATIENCE)

        pool.submit(write, admin, "b").result(PATIENCE)


def test_aside__somebody_ends_the_waiting(admin, db):
    """What follows is told for itself: it is acknowledged when it is on the standby, and so is all that was committed before."""

    def take():
        with db.transaction() as session:
            with database.aside(session) as connection:
                numbers.count(connection, "a")
            session.connection().execute(text("SET LOCAL synchronous_commit = local"))  # as if its standby had come
            session.add(Department(code="a", name="a"))

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(take)
        await_waiting(admin, taken)
        end(admin, "pg_cancel_backend")

        taken.result(PATIENCE)


def test_recall__waits_for_what_it_tells(admin, db):
    """The server was started anew while the commit waited, and the standby has not come back yet."""
    carry_out(admin)  # it waited for nobody
    with ThreadPoolExecutor() as pool:
        repeated = pool.submit(carry_out, db)
        await_waiting(admin, repeated)
        end(admin, "pg_terminate_backend")
        with pytest.raises(Unsettled):
            repeated.result(PATIENCE)

    assert carry_out(admin) == "{}"
