"""A page of PostgreSQL that a disk has lost: whoever needs it is told so, and so is whoever looks after the database."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import doctor
from engine.account_models import Account
from engine.database import Database
from engine.diagnoses import CheckStatus
from engine.errors import Unfit
from engine.models import Department
from tests import databases, stage

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WHERE = "SELECT current_setting('data_directory'), pg_relation_filepath('departments')"
#: A page of PostgreSQL, bytes.
PAGE = 8192
pytestmark = pytest.mark.skipif("ONETHING_TEST_DATABASE_URL" in os.environ, reason="the files of the server may be elsewhere")


def staff(url):
    database = Database(url)
    with database.transaction() as session:
        stage.staff(session)
    database.close()


@pytest.fixture(scope="module")
def server():
    """A server of its own, which writes checksums where its version does so unless told otherwise: it counts what it finds."""
    with databases.postgresql_server("# of its own\n") as url:
        server = databases.PostgreSQL(url)
        yield server
        server.close()


def said(url):
    return [check for check in doctor.check_database(url, now=NOW) if check.what == "damage"]


def test_reading__a_page_is_damaged(server):
    """Of a database that has just been copied no page has been read yet."""
    staffed = server.branch(staff)
    with staffed.fresh() as whole, staffed.fresh() as url:
        with server.admin.connect() as connection:
            counts = connection.exec_driver_sql("SHOW data_checksums").scalar() == "on"
        db = Database(url)
        with db.reading() as session:
            folder, name = session.connection().exec_driver_sql(WHERE).one()
        db.close()
        place = Path(folder) / name
        place.write_bytes(b"?" * PAGE + place.read_bytes()[PAGE:])

        with (
            pytest.raises(Unfit, match="Expected the database to let this node work, but it says: invalid page in block 0"),
            db.reading() as session,
        ):
            session.scalars(select(Department)).all()
        with db.reading() as session:
            assert session.scalars(select(Account)).first()
        db.close()

        told = said(url)
        assert [check.status for check in told] == [CheckStatus.WARNING] * counts
        assert all("the server has found pages damaged, " in check.found and "onething verify" in check.advice for check in told)
        assert [check.status for check in said(whole)] == [CheckStatus.OK] * counts
