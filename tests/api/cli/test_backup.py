"""`onething backup` and `onething restore`."""

import os
import signal
import time

import pytest
from sqlalchemy import text

from engine import queues
from engine.database import Database
from tests import everywhere
from tests.engine.test_backups import PROGRAMS


def waiting(db):
    with db.reading() as session:
        return queues.waiting_for_locks(session)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_backup__is_told_to_stop(run, start, environ, tmp_path):
    """As by a service manager whose patience is over: no half of a backup fills the disk, and pg_dump does not go on."""
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    with here.bind.begin() as somebody:
        somebody.execute(text("LOCK TABLE cases"))
        command = start("backup", str(tmp_path / "backup"), PATH=f"{PROGRAMS}{os.pathsep}{environ['PATH']}")
        while not waiting(here):
            assert command.process.poll() is None, command.ended() or command.output
            time.sleep(0.05)
        begun = list(tmp_path.glob("backup*"))

        command.process.send_signal(signal.SIGTERM)

        assert command.ended() == 128 + signal.SIGTERM
    here.close()
    assert len(begun) == 1
    assert list(tmp_path.glob("backup*")) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_backup__and_restore(run, environ, tmp_path):
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    everywhere.begin(here)
    here.close()
    elsewhere = {"ONETHING_DATABASE_URL": f"sqlite:///{tmp_path / 'elsewhere.db'}", "ONETHING_DATA_DIR": str(tmp_path / "elsewhere")}

    taken = run("backup", str(tmp_path / "backup"))
    again = run("backup", str(tmp_path / "backup"))
    restored = run("restore", str(tmp_path / "backup"), **elsewhere)
    onto = run("restore", str(tmp_path / "backup"), **elsewhere)

    assert (taken.exit_code, again.exit_code, restored.exit_code, onto.exit_code) == (0, 1, 0, 1), restored.output
    assert taken.stdout.endswith("database.sqlite, 0 files with 0 bytes\n")
    assert "Expected" in again.stderr
    assert restored.stdout.endswith("完好 (whole)\n")
    assert run("verify", **elsewhere).exit_code == 0
