"""Where a backup is put: what cannot be is told before anything is copied, and leaves everything as it was."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from engine import backups
from engine.backups import dumps, restorations
from engine.beginnings import BACKUP, begun
from engine.database import Database
from engine.errors import InvalidInput, InvalidState, Unavailable
from engine.files import FileStore
from tests import everywhere
from tests.documents import PDF
from tests.engine.test_backups import hand_in


@pytest.fixture
def store(sqlite):
    return sqlite


@pytest.fixture
def files(tmp_path):
    return FileStore(tmp_path / "var" / "materials")


@pytest.fixture
def here(database, files):
    hand_in(database, files, everywhere.begin(database), 1, PDF, "plan.pdf")
    return database


@pytest.fixture
def refused(here, files, monkeypatch):
    """See that a target is refused at once: in which words, and with everything as it was."""

    def refused(target, kind, words, **more):
        def dump(*_):
            raise AssertionError("Expected it to be refused before anything is copied")

        monkeypatch.setattr(dumps, "take", dump)
        before = sorted(target.parent.rglob("*"))
        with pytest.raises(kind, match=words):
            backups.take(here, files, target, **more)
        assert sorted(target.parent.rglob("*")) == before

    return refused


@pytest.mark.parametrize("there", [True, False])
def test_take__where_a_link_leads_to(here, files, tmp_path, there):
    """Also to what is not there yet; the link stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if there:
        (disk / "monday").mkdir()
    (tmp_path / "newest").symlink_to(disk / "monday")

    backups.take(here, files, tmp_path / "newest")

    assert (tmp_path / "newest").is_symlink()
    assert backups.read(disk / "monday").files == 1
    assert [path.name for path in disk.iterdir()] == ["monday"]


def test_take__where_one_stands(here, files, tmp_path, monkeypatch):
    (tmp_path / "monday").mkdir()
    monkeypatch.chdir(tmp_path / "monday")

    backups.take(here, files, Path())

    assert backups.read(tmp_path / "monday").files == 1


def test_take__keeps_an_empty_folder_as_it_is_when_it_fails(here, files, tmp_path, monkeypatch):
    target = tmp_path / "monday"
    target.mkdir(mode=0o750)
    monkeypatch.setattr(dumps, "take", lambda *_: (_ for _ in ()).throw(InvalidState("no program")))

    with pytest.raises(InvalidState, match="no program"):
        backups.take(here, files, target)

    assert sorted(tmp_path.glob("monday*")) == [target]
    assert target.stat().st_mode & 0o777 == 0o750


def test_take__a_disk_is_mounted_there(tmp_path, monkeypatch, refused):
    """A folder cannot be put in its place: that came out at the end, after hours."""
    (tmp_path / "disk").mkdir()

    def rename(path, target):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path), None, str(target))

    monkeypatch.setattr(Path, "rename", rename)

    refused(
        tmp_path / "disk", InvalidState, f"Expected {tmp_path}/disk to be a folder .*, but a disk is mounted there; name a folder in it"
    )


def test_take__links_in_a_circle(tmp_path, refused):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")

    refused(tmp_path / "one", InvalidInput, "Expected to .*, but its links lead in a circle")


@pytest.mark.parametrize("where", ["materials", "materials/ab/cd/backup", "."])
def test_take__among_the_uploads(files, tmp_path, refused, where):
    """An empty folder of them is not free, nor is the data folder that is to have it."""
    shutil.rmtree(tmp_path / "var")
    (tmp_path / "var" / "materials").mkdir(parents=True)

    refused(
        tmp_path / "var" / where, InvalidState, f"Expected {tmp_path}/var.* to lie apart from the uploads, but those are in {files.folder}"
    )


def test_take__somebody_writes_the_same(tmp_path, refused):
    with begun(tmp_path / "monday", BACKUP):
        refused(tmp_path / "monday", InvalidState, f"Expected nobody else to write {tmp_path}/monday, but somebody does, in ")


def test_take__a_database_without_a_schema(files, tmp_path):
    empty = Database(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(InvalidState, match="Expected a database of onething, but this one has no schema; run onething migrate"):
        backups.take(empty, files, tmp_path / "monday")

    empty.close()


@pytest.mark.parametrize("previous", [None, "on another disk"])
def test_take__no_room(here, files, tmp_path, monkeypatch, refused, previous):
    """What is certain to be written: the file of the database, and files that cannot be shared."""
    needed = Path(here.bind.url.database).stat().st_size + len(PDF)
    if previous:
        previous = Path("/proc")  # no disk that anything can be linked from
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=needed - 1))

    words = rf"Expected room for \d MB on the disk of {tmp_path}, but \d MB are free; make room, or name another disk"
    refused(tmp_path / "monday", Unavailable, words, previous=previous)


def test_take__room_for_what_is_not_shared(here, files, tmp_path, monkeypatch):
    backups.take(here, files, tmp_path / "monday")
    room = Path(here.bind.url.database).stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room))

    assert backups.take(here, files, tmp_path / "tuesday", previous=tmp_path / "monday").files == 1


def test_take__the_earlier_one_lies_on_another_disk(here, files, tmp_path):
    """Each night it takes as much room as the first: somebody is to know."""
    with capture_logs() as logged:
        backups.take(here, files, tmp_path / "monday", previous=Path("/proc"))

    assert [(line["event"], line["path"]) for line in logged] == [
        ("nothing is shared with the earlier backup, which lies on another disk", "/proc")
    ]


def test_restore__where_a_link_leads_to(here, files, tmp_path):
    """A database whose file is kept on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "linked.db").symlink_to(tmp_path / "disk" / "real.db")
    backups.take(here, files, tmp_path / "backup")

    restorations.restore(tmp_path / "backup", f"sqlite:///{tmp_path}/linked.db", FileStore(tmp_path / "elsewhere"))

    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["real.db"]
    assert (tmp_path / "linked.db").is_symlink()
    with pytest.raises(InvalidState, match="to be empty, but it is there already"):
        restorations.restore(tmp_path / "backup", f"sqlite:///{tmp_path}/linked.db", FileStore(tmp_path / "elsewhere"))
