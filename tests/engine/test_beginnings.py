"""Beginnings: what a killed command has left goes with the next one, and what somebody writes stays, however old it is."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from engine import beginnings
from engine.beginnings import BACKUP, DATABASE
from engine.errors import InvalidInput, InvalidState

#: Begins at a place, says where, and stays.
WRITER = """
import sys
from pathlib import Path
from engine import beginnings
with beginnings.begun(Path(sys.argv[1]), sys.argv[2]) as folder:
    (folder / "database.dump").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""
REMOVED, LEFT = "what a killed command has left is removed", "a killed command may have left something"


@pytest.fixture
def begin():
    """Begin in another process; gives it, and the folder."""
    begun = []

    def begin(place, kind=BACKUP):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        begun.append(writer)
        return writer, place.parent / writer.stdout.readline().strip()

    yield begin
    for writer in begun:
        writer.kill()
        writer.communicate()


def told(logged):
    return [(line["event"], line["path"]) for line in logged]


@pytest.mark.parametrize("kind", [BACKUP, DATABASE])
def test_begun__one_was_killed_before(begin, tmp_path, kind):
    """Whatever place that was for."""
    writer, folder = begin(tmp_path / "monday", kind)
    writer.kill()
    writer.wait()
    assert (folder / "database.dump").exists()

    with capture_logs() as logged, beginnings.begun(tmp_path / "tuesday", kind) as mine:
        assert list(tmp_path.iterdir()) == [mine]

    assert told(logged) == [(REMOVED, str(folder))]
    assert list(tmp_path.iterdir()) == []


def test_begun__somebody_is_at_work(begin, tmp_path):
    """For however long: a backup of terabytes takes days."""
    _, folder = begin(tmp_path / "monday")
    for path in (folder, *folder.iterdir()):
        os.utime(path, (0, 0))

    with capture_logs() as logged, beginnings.begun(tmp_path / "tuesday", BACKUP):
        assert (folder / "database.dump").read_text() == "half"

    assert logged == []


@pytest.mark.parametrize("lock", [None, "another's"])
def test_begun__what_nobody_can_know_is_for_a_person(tmp_path, monkeypatch, lock):
    """An older version held nothing while it wrote; and where there are no locks, nobody is seen."""
    folder = tmp_path / "monday.partial-0123abcd"
    folder.mkdir()
    if lock:
        (folder / beginnings.LOCK).touch()
        monkeypatch.setattr(fcntl, "flock", _no_locks)

    with capture_logs() as logged, beginnings.begun(tmp_path / "tuesday", BACKUP):
        pass

    assert told(logged) == [(LEFT, str(folder))]
    assert folder.exists()


def test_begun__nobody_elses_folder(tmp_path):
    """What is only called a little like ours, and what a link leads to, is not even told of."""
    elsewhere = tmp_path / "elsewhere"
    for folder in (tmp_path / "monday.partial-2026-11", tmp_path / "monday.restoring-0123abcd", elsewhere):
        folder.mkdir()
        (folder / beginnings.LOCK).touch()
    (tmp_path / "monday.partial-0123abcd").symlink_to(elsewhere)
    (tmp_path / "tuesday.partial-0123abcd").touch()

    with capture_logs() as logged, beginnings.begun(tmp_path / "tuesday", BACKUP):
        pass

    assert logged == []
    assert len(list(tmp_path.iterdir())) == 5
    assert (elsewhere / beginnings.LOCK).exists()


def test_begun__cleared_up_before_it_was_held(tmp_path, monkeypatch):
    """Between making a folder and holding it there is a moment."""
    hold, before = beginnings._hold, []

    def come_in_between(lock):
        if not before:
            before.append(lock.name)
            beginnings.clear_up(tmp_path, BACKUP)
        return hold(lock)

    monkeypatch.setattr(beginnings, "_hold", come_in_between)

    with beginnings.begun(tmp_path / "monday", BACKUP) as folder:
        assert str(folder / beginnings.LOCK) not in before
        assert beginnings._is_held(folder)
        assert list(tmp_path.iterdir()) == [folder]


def test_begun__fails_on_the_way(tmp_path):
    with pytest.raises(FileExistsError), beginnings.begun(tmp_path / "monday", BACKUP) as folder:
        folder.mkdir()

    assert list(tmp_path.iterdir()) == []


def test_begun__where_nothing_can_be_made(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(InvalidInput, match=r"^Expected to make .*/file/monday.*, but there is a file where a folder should be$"),
        beginnings.begun(tmp_path / "file" / "monday", BACKUP),
    ):
        pass


@pytest.mark.parametrize("there", [True, False])
def test_finish__nothing_but_what_was_written(tmp_path, there):
    place = tmp_path / "monday"
    if there:
        place.mkdir()

    with beginnings.begun(place, BACKUP) as folder:
        (folder / "database.dump").write_text("whole")
        beginnings.finish(folder, place)

    assert sorted(tmp_path.rglob("*")) == [place, place / "database.dump"]


def test_require_alone__somebody_fills_the_same_place(begin, tmp_path):
    writer, folder = begin(tmp_path / "monday")
    beginnings.require_alone(tmp_path / "tuesday", BACKUP)

    with pytest.raises(InvalidState, match=f"Expected nobody else to write {tmp_path}/monday, but somebody does, in {folder}; let it end"):
        beginnings.require_alone(tmp_path / "monday", BACKUP)

    writer.kill()
    writer.wait()
    beginnings.require_alone(tmp_path / "monday", BACKUP)


def _no_locks(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
