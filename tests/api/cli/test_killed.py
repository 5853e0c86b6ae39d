"""`onething backup` and `onething restore`, killed alone (SIGKILL): what they have started ends with them, and the next one clears up."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import postgresql
from engine.database import Database
from tests import everywhere
from tests.api.cli.test_backup import waiting
from tests.engine.test_backups import PROGRAMS

PATH = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
#: How the programs tell who they are.
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('pg_dump', 'psql')"


def kill(command, db):
    """Kill a command alone as soon as it waits for somebody."""
    while not waiting(db):
        assert command.process.poll() is None, command.ended() or command.output
        time.sleep(0.05)
    command.process.send_signal(signal.SIGKILL)
    assert command.process.wait() == -signal.SIGKILL


def await_nobody(db):
    with db.bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(text(CONNECTED)):
            time.sleep(0.05)


def running(word):
    """Programs that have a word on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if any(word.encode() in each for each in words) and b"pg_" in words[0]:
            found.append(words)
    return found


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_backup__killed(run, begin, environ, tmp_path):
    """Its pg_dump reads no more once there is nobody to hand it on; it went on for hours, and filled the disk."""
    run("migrate")
    here, folder = Database(environ["ONETHING_DATABASE_URL"]), tmp_path / "backups"
    everywhere.begin(here)
    with here.bind.begin() as somebody:
        postgresql.let_idle(somebody)
        somebody.execute(text("LOCK TABLE cases"))
        kill(begin("backup", str(folder / "monday"), **PATH), here)
    await_nobody(here)
    here.close()
    [left] = folder.iterdir()
    assert (left / "database.dump").stat().st_size == 0

    again = run("backup", str(folder / "tuesday"), **PATH)

    assert again.exit_code == 0, again.output
    assert "what a killed command has left is removed" in again.output
    assert str(left) in again.output
    assert [path.name for path in folder.iterdir()] == ["tuesday"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_restore__killed(run, begin, environ, empty_database_url, tmp_path):
    """While psql waits for somebody, nobody goes on reading; nothing of it stays."""
    backup = tmp_path / "backup"
    elsewhere = PATH | {"ONETHING_DATABASE_URL": empty_database_url, "ONETHING_DATA_DIR": str(tmp_path / "elsewhere")}
    run("migrate")
    assert run("backup", str(backup), **PATH).exit_code == 0
    there = Database(empty_database_url)
    with there.bind.connect() as somebody:
        postgresql.let_idle(somebody)
        somebody.execute(text("CREATE TABLE accounts (id int)"))  # nobody sees it, but who makes another waits
        kill(begin("restore", str(backup), **elsewhere), there)
        until = time.monotonic() + 60
        while reading := running(str(backup)):
            assert time.monotonic() < until, reading
            time.sleep(0.05)
    await_nobody(there)

    again = run("restore", str(backup), **elsewhere)

    there.close()
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "完好 (whole)"), again.output
