"""What is missed only when it is needed: the doctor tells that nothing is done, or backed up, and which node was forgotten."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, update
from structlog.testing import capture_logs

from engine import backups, doctor, keys, moments, upkeep
from engine.backups import dumps
from engine.command_models import IdempotentAnswer
from engine.diagnoses import CheckStatus
from engine.files import FileStore
from engine.models import Instance
from engine.queues import OURS
from tests import everywhere
from tests.documents import PDF

DAY = timedelta(days=1)


@pytest.fixture
def files(tmp_path):
    return FileStore(tmp_path / "materials")


def scheduler(db, after, **more):
    with db.reading() as session:
        return upkeep.check_scheduler(session, now=moments.now() + after, **more)


def test_check_scheduler__nobody_does_what_is_due(database):
    due_at = everywhere.begin(database).started_at + 3 * DAY

    assert (scheduler(database, timedelta()).status, scheduler(database, timedelta()).found) == (CheckStatus.OK, "nothing is late")
    check = scheduler(database, 4 * DAY)

    assert check.status is CheckStatus.WARNING
    assert {word for word in check.found.split() if word in OURS} == {"timers", "continuations"}
    assert f"timers are due since {due_at.astimezone(UTC):%Y-%m-%d %H:%M UTC}" in check.found
    assert "a serve without --no-scheduler, or a work, runs" in check.advice


def test_check_scheduler__what_is_suspended_is_not_late(database):
    everywhere.begin(database)
    with database.transaction() as session:
        session.execute(update(Instance).values(suspended=True))

    assert scheduler(database, 4 * DAY).found == "nothing is late"


@pytest.mark.parametrize(("after", "status"), [(3.5 * DAY, CheckStatus.OK), (4.5 * DAY, CheckStatus.WARNING)])
def test_check_scheduler__what_has_served_its_time_is_kept(database, after, status):
    now = moments.now()
    answer = {"request_hash": "", "status": 200, "body": "", "answered_at": now}
    with database.transaction() as session:
        session.add(IdempotentAnswer(key="k", actor="clerk", **keys.NOBODY, **answer))

    check = scheduler(database, after, answers=3 * DAY)

    assert check.status is status
    assert (f"answers to commands are kept since {now.astimezone(UTC):%Y-%m-%d}" in check.found) is (status is CheckStatus.WARNING)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_check_nodes__one_was_forgotten(database, database_url):
    """Of the same version, of a newer one, or no node at all: none of these is meant."""
    with database.bind.connect() as connection:
        assert [check.status for check in upkeep.check_nodes(connection)] == [CheckStatus.OK]

    nodes = [create_engine(database.bind.url) for _ in range(2)]
    names = ["onething 0028 serve", "onething 0028 serve", "onething 9999", "psql", "onething 0027"]
    opened = [nodes[place % 2].connect() for place, _ in enumerate(names)]
    for connection, name in zip(opened, names, strict=True):
        connection.exec_driver_sql(f"SET application_name = '{name}'")
        connection.commit()
    with database.bind.connect() as connection:
        [check] = upkeep.check_nodes(connection)
    for connection in opened:
        connection.close()
    for node in nodes:
        node.dispose()

    told = [part.partition(" from ")[0] for part in check.found.split(", ")]
    assert (check.status, told) == (CheckStatus.WARNING, ["onething 0027", "onething 0028 serve"])
    assert check.found.endswith("(2 connections)")
    assert "replace them" in check.advice


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_check_nodes__of_sqlite_there_is_one(database):
    with database.bind.connect() as connection:
        assert upkeep.check_nodes(connection) == []


class TestBackups:
    """Whether there is one of late."""

    @pytest.fixture
    def store(self, sqlite):
        return sqlite

    def check(self, db, files, after=timedelta()):
        with db.reading() as session:
            return upkeep.check_backups(session, files, now=moments.now() + after)

    def test_check_backups__none_ever(self, database, files):
        """Of a new installation nobody expects one, whatever its age."""
        empty = self.check(database, files, 100 * DAY)
        everywhere.begin(database)

        assert (empty.status, empty.found) == (CheckStatus.OK, "none yet")
        assert self.check(database, files, 7 * DAY).found == "none yet"
        assert (self.check(database, files, 9 * DAY).status, self.check(database, files, 9 * DAY).found) == (
            CheckStatus.WARNING,
            "none is known of",
        )

    def test_check_backups__noted(self, database, files, tmp_path):
        everywhere.begin(database)
        manifest = backups.take(database, files, tmp_path / "backup")
        made_at = datetime.fromisoformat(manifest.made_at)

        assert self.check(database, files).found == f"the newest is of {made_at:%Y-%m-%d %H:%M UTC}"
        assert self.check(database, files, 7 * DAY).status is CheckStatus.OK
        late = self.check(database, files, 9 * DAY)

        assert (late.status, late.found) == (CheckStatus.WARNING, f"the newest is of {made_at:%Y-%m-%d %H:%M UTC}")
        assert late.advice == f"Give onething backup each night; where another program backs up, have it touch {files.folder}/last-backup."

    def test_check_backups__another_program_makes_them(self, database, files):
        everywhere.begin(database)
        files.keep(io.BytesIO(PDF), "plan.pdf")
        (files.folder / "last-backup").touch()
        os.utime(files.folder / "last-backup", ((moments.now() + 9 * DAY).timestamp(),) * 2)

        assert self.check(database, files, 10 * DAY).status is CheckStatus.OK

    def test_take__fails_and_is_not_noted(self, database, files, tmp_path, monkeypatch):
        monkeypatch.setattr(dumps, "take", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))

        with pytest.raises(ZeroDivisionError):
            backups.take(database, files, tmp_path / "backup")

        assert files.backed_up_at() is None

    def test_take__cannot_be_noted(self, database, tmp_path):
        """As where uploads are mounted to be read only: it is whole all the same."""
        (tmp_path / "file").touch()
        files = FileStore(tmp_path / "file" / "materials")

        with capture_logs() as logged:
            manifest = backups.take(database, files, tmp_path / "backup")

        assert backups.read(tmp_path / "backup") == manifest
        assert [(line["event"], line["path"]) for line in logged] == [("the backup was not noted", str(files.folder / "last-backup"))]


def test_check_database__looks_at_all_of_it(database, database_url, files):
    found = {check.what: check for check in doctor.check_database(database_url, now=moments.now(), files=files, answers=3 * DAY)}

    assert found.keys() >= {"scheduler", "backups"}
    assert ("nodes" in found) is (database.bind.dialect.name == "postgresql")
