"""`onething backup` and `onething restore`."""

import io
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import time_machine
from sqlalchemy import inspect, select, text

from api.cli import Hindered, verify
from engine import backups, calendars, postgresql, queues
from engine.database import Database
from engine.files import FileStore
from engine.models import Counter
from tests import everywhere
from tests.api.cli.test_commands import AWAY
from tests.documents import PDF
from tests.engine.test_backups import PROGRAMS, hand_in


def waiting(db):
    with db.reading() as session:
        return queues.waiting_for_locks(session)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("by", "status"), [("a service manager", 128 + signal.SIGTERM), ("who closes its terminal", 128 + signal.SIGHUP), ("a person", 1)]
)
def test_backup__is_told_to_stop(run, begin, environ, tmp_path, by, status):
    """As by a service manager whose patience is over: no half of a backup fills the disk, pg_dump does not go on, and it says so."""
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    with here.bind.begin() as somebody:
        postgresql.let_idle(somebody)  # it may take long until the command has begun
        somebody.execute(text("LOCK TABLE cases"))
        command = begin("backup", str(tmp_path / "backup"), PATH=f"{PROGRAMS}{os.pathsep}{environ['PATH']}")
        while not waiting(here):
            assert command.process.poll() is None, command.ended() or command.output
            time.sleep(0.05)
        begun = list(tmp_path.glob("backup*"))

        if by == "a person":
            command.press_ctrl_c()
        else:
            command.process.send_signal(status - 128)

        assert command.ended() == status, command.output
    here.close()
    assert "Stopped before the end: what was half done is taken back, the rest stays. Give it again to go on." in command.output
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


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_restore__is_told_to_stop(run, begin, environ, empty_database_url, tmp_path):
    """In the middle of it: nothing is there, and whoever gives the command again has all."""
    path = f"{PROGRAMS}{os.pathsep}{environ['PATH']}"
    elsewhere = {"ONETHING_DATABASE_URL": empty_database_url, "ONETHING_DATA_DIR": str(tmp_path / "elsewhere"), "PATH": path}
    run("migrate")
    assert run("backup", str(tmp_path / "backup"), PATH=path).exit_code == 0
    there = Database(empty_database_url)
    with there.bind.connect() as somebody:
        postgresql.let_idle(somebody)
        somebody.execute(text("CREATE TABLE cases (id int)"))  # nobody sees it, but who makes another waits
        command = begin("restore", str(tmp_path / "backup"), **elsewhere)
        while not waiting(there):
            assert command.process.poll() is None, command.ended() or command.output
            time.sleep(0.05)

        command.process.send_signal(signal.SIGTERM)

        assert command.ended() == 128 + signal.SIGTERM
    assert inspect(there.bind).get_table_names() == []
    there.close()
    again = run("restore", str(tmp_path / "backup"), **elsewhere)
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "完好 (whole)"), again.output


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_restore__the_day_after(run, environ, tmp_path):
    """What has become due since nobody could do: that is no fault.  And nobody else may look at what people handed in."""
    run("migrate")
    FileStore(tmp_path / "materials").keep(io.BytesIO(PDF), "plan.pdf")
    here = Database(environ["ONETHING_DATABASE_URL"])
    everywhere.begin(here)
    here.close()
    taken = run("backup", str(tmp_path / "backup"))
    elsewhere = {"ONETHING_DATABASE_URL": f"sqlite:///{tmp_path / 'elsewhere.db'}", "ONETHING_DATA_DIR": str(tmp_path / "elsewhere")}

    with time_machine.travel(datetime.now(UTC) + timedelta(days=10), tick=True):
        restored = run("restore", str(tmp_path / "backup"), **elsewhere)

    assert (taken.exit_code, restored.exit_code) == (0, 0), restored.output
    assert restored.stdout.endswith("完好 (whole)\n")
    assert (tmp_path / "elsewhere").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_restore__the_clock_of_the_host_is_set(run, environ, empty_database_url, tmp_path):
    """The numbers that are passed over are those of today by the time of the database, as are those that are given next."""
    path = f"{PROGRAMS}{os.pathsep}{environ['PATH']}"
    elsewhere = {"ONETHING_DATABASE_URL": empty_database_url, "ONETHING_DATA_DIR": str(tmp_path / "elsewhere"), "PATH": path}
    run("migrate")
    assert run("backup", str(tmp_path / "backup"), PATH=path).exit_code == 0
    days = {calendars.local_date(datetime.now(UTC))}

    with time_machine.travel(datetime.now(UTC) - timedelta(days=400), tick=True):
        restored = run("restore", str(tmp_path / "backup"), **elsewhere)

    days.add(calendars.local_date(datetime.now(UTC)))
    there = Database(empty_database_url)
    with there.reading() as session:
        names = session.scalars(select(Counter.name)).all()
    there.close()
    assert restored.exit_code == 0, restored.output
    assert [name for name in names if name in {f"case 430100 {day:%Y%m%d}" for day in days}] == names


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_backup__the_uploads_are_not_there(run, environ, tmp_path):
    """As on a host where their disk is not mounted."""
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    sha256 = hand_in(here, FileStore(tmp_path / "elsewhere"), everywhere.begin(here), 1, PDF, "plan.pdf")
    here.close()

    taken = run("backup", str(tmp_path / "backup"))

    assert taken.exit_code == 1
    assert f"Expected material {sha256} to be what was handed in, but it differs, or is not there" in taken.stderr
    assert backups.read(tmp_path / "backup").damaged == (sha256,)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content", "lacks", "mend"), [(None, "is not there", "Is the folder mounted? Else copy"), (b"short", "is another", "Copy")]
)
def test_backup__only_the_previous_has_it(run, environ, tmp_path, content, lacks, mend):
    run("migrate")
    here, store = Database(environ["ONETHING_DATABASE_URL"]), FileStore(tmp_path / "materials")
    sha256 = hand_in(here, store, everywhere.begin(here), 1, PDF, "plan.pdf")
    here.close()
    first = run("backup", str(tmp_path / "first"))
    store.path(sha256).unlink()
    if content is not None:
        backups.place(store.folder, sha256).write_bytes(content)

    second = run("backup", str(tmp_path / "second"), "--previous", str(tmp_path / "first"))

    assert (first.exit_code, second.exit_code) == (0, 1)
    kept, place = backups.place(tmp_path / "second" / "materials", sha256), backups.place(store.folder, sha256)
    assert f"Expected material {sha256} in {store.folder}, but it {lacks}; this backup has it" in second.stderr
    assert f". {mend} {kept} to {place}\n" in second.stderr
    assert kept.read_bytes() == PDF


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_restore__a_previous_one_has_it(run, environ, tmp_path):
    run("migrate")
    here, store = Database(environ["ONETHING_DATABASE_URL"]), FileStore(tmp_path / "materials")
    sha256 = hand_in(here, store, everywhere.begin(here), 1, PDF, "plan.pdf")
    here.close()
    run("backup", str(tmp_path / "first"))
    store.path(sha256).write_bytes(b"rotten")
    run("backup", str(tmp_path / "second"))
    places = [
        {"ONETHING_DATABASE_URL": f"sqlite:///{tmp_path / name}.db", "ONETHING_DATA_DIR": str(tmp_path / name)} for name in ("one", "two")
    ]

    alone = run("restore", str(tmp_path / "second"), **places[0])
    both = run("restore", str(tmp_path / "second"), "--previous", str(tmp_path / "first"), **places[1])

    assert (alone.exit_code, both.exit_code) == (1, 0), both.output
    assert f"material {sha256}" in alone.output
    assert FileStore(tmp_path / "two" / "materials").path(sha256).read_bytes() == PDF


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_restore__database_is_away(run, tmp_path):
    run("migrate")
    run("backup", str(tmp_path / "backup"))
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_bytes(orjson.dumps(orjson.loads(manifest.read_bytes()) | {"kind": "postgresql"}))

    result = run("restore", str(tmp_path / "backup"), ONETHING_DATABASE_URL=AWAY)

    assert result.exit_code == Hindered.exit_code
    assert "Error: Expected the database to answer, but it cannot be reached just now" in result.output


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_verify__no_memory(run, monkeypatch):
    """Also outside of a transaction: a script sees that it may give the command again."""

    def take_all(*_about):
        raise MemoryError

    run("migrate")
    monkeypatch.setattr(verify, "write", take_all)

    ended = run("verify")

    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (
        Hindered.exit_code,
        "Error: Expected this machine to have memory for it, but it has none left; try again later",
    )
