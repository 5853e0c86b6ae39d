"""The commands that come to an end by themselves."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, select

from api.cli import COMMANDS, Hindered
from engine import backups, folders
from engine.case_models import CalendarYear
from engine.database import Database
from engine.settings import CHECKOUT
from tests.api.cli.conftest import ONETHING
from tests.hall import WORKFLOWS

#: Nobody listens there.
AWAY = "postgresql+psycopg://postgres@127.0.0.1:1/nowhere"


def test_main__help(run):
    result = run("--help")

    assert result.exit_code == 0
    for command, (_, about) in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(about)}$", result.output, re.MULTILINE)


def test_main__help_imports_no_command():
    """Who asks what there is does not wait for all of it."""
    program = "import sys; from api.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()

    assert "api.cli" in told
    assert not {"sqlalchemy", "bpmn"} & set(told)


def test_main__who_begins_a_node_does_not_import_what_migrates(environ):
    """On a schema that is the newest it need not be there; to import it takes a twentieth of the start of a server."""
    program = """
import sys
from api.cli import server
from engine import schema, settings
from engine.database import Database
with Database(settings.load().database_url).reading() as session:
    print(schema.look(session.connection()).found, *sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=True, text=True).stdout.split()

    assert {"current", "api.cli.server"} <= set(told)
    assert not {"alembic", "engine.upgrades"} & set(told)


def test_main__no_such_command(run):
    result = run("dance")

    assert result.exit_code == 2
    assert "No such command" in result.output


def test_main__as_in_the_readme():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"| `onething {name}" not in readme] == []


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_main__streams_are_closed(environ, closed):
    """As init scripts start programs."""
    done = subprocess.run(["sh", "-c", f'exec "$0" migrate {closed}', ONETHING], env=environ, check=False)

    assert done.returncode == 0


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("words", ["migrate", "doctor"])
def test_main__standard_output_takes_nothing(environ, words):
    """What was to be done is done, and whoever has given the command is not told to give it again."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([ONETHING, words], env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "Error: Expected to say on the standard output how it went, but no space left on device; look whether it is done before you give it again"
    )


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", "办件 ⠹"), ("gb2312", "办件 \\u2839"), ("iso8859-1", "\\u529e\\u4ef6 \\u2839")]
)
def test_main__stream_has_no_letter_for_it(environ, encoding, written):
    """What is to be said is said, as far as there are letters for it; ASCII is what there is where nobody has set anything."""
    said = ascii("办件 ⠹")
    program = f"import sys; from api.cli import streams; streams.have(); [print({said}, file=each) for each in (sys.stdout, sys.stderr)]"
    environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", program], env=environ, check=True, capture_output=True)

    assert [each.decode("utf-8" if encoding == "ascii" else encoding) for each in (done.stdout, done.stderr)] == [f"{written}\n"] * 2


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_main__stream_takes_ascii(environ):
    """As the place C has it: tables are shown all the same."""
    environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([ONETHING, "doctor"], env=environ, check=False, capture_output=True)

    assert done.returncode == 1, done.stderr  # nothing is migrated
    assert "┏" in done.stdout.decode()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("letters", ["utf-8", "gb18030"])
def test_main__data_folder_in_other_letters(environ, tmp_path, letters):
    """As one that another system has made: what the place has no letters for is written as it is, and nobody is kept from work by it."""
    del environ["ONETHING_DATABASE_URL"]
    environ |= {"LC_ALL": "C.UTF-8", "ONETHING_DATA_DIR": os.fsdecode(os.fsencode(tmp_path) + "/政务 大厅".encode(letters))}
    for command in ("migrate", "doctor"):
        done = subprocess.run([ONETHING, command], env=environ, check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")

    assert ("政务" if letters == "utf-8" else "\\udcd5\\udcfe") in done.stdout.decode()
    assert "%" not in done.stdout.decode()


@pytest.mark.parametrize("command", ["serve", "work", "migrate", "doctor"])
def test_main__bad_setting(run, command):
    result = run(command, ONETHING_PORT="eighty")

    assert result.exit_code == 1
    assert result.output == "Error: Expected ONETHING_PORT to be a whole number from 1 to 65535, but it is 'eighty'\n"


def test_migrate__twice(run, empty_database_url):
    results = [run("migrate", ONETHING_DATABASE_URL=empty_database_url) for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 0]
    opened = Database(empty_database_url)
    assert "instances" in inspect(opened.bind).get_table_names()
    with opened.reading() as session:
        assert {2024, 2025, 2026} <= set(session.scalars(select(CalendarYear.year)))
    opened.close()


@pytest.mark.parametrize(
    "words",
    [
        "migrate",
        "backup copy",
        "serve",
        "serve --sample",
        "work",
        "verify",
        f"deploy {WORKFLOWS / 'items'}",
        f"publish-calendar {WORKFLOWS / 'calendars' / '2026.json'}",
        "add-admin chief",
        "migrate-cases key --from 1 --to 2",
        "diff key:1 key:2",
    ],
    ids=lambda words: words.partition(" /")[0],
)
def test_main__database_is_away(run, tmp_path, words):
    """What is wrong, and no traceback; a script sees by the exit status that it may try again, whatever the command."""
    result = run(*words.split(), ONETHING_DATABASE_URL=AWAY, ONETHING_DATA_DIR=str(tmp_path))

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == Hindered.exit_code
    assert "Error: Expected" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", ["migrate", "backup copy", "verify"])
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_main__there_is_no_such_database(run, database_url, tmp_path, words):
    """Whoever installs, and has named another one, reads which, and what the server says."""
    result = run(*words.split(), ONETHING_DATABASE_URL=_with_name(database_url, "another"), ONETHING_DATA_DIR=str(tmp_path))

    assert result.exit_code == Hindered.exit_code
    assert '"another" does not exist' in result.output


def _with_name(url, name):
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("words", [("migrate",), ("verify",), ("backup", "{}/backup")], ids=lambda words: words[0])
def test_main__file_of_sqlite_is_damaged(run, tmp_path, words):
    """To try again would not help, and whoever has given the command is told what is wrong."""
    (tmp_path / "onething.db").write_bytes(b"?" * 100_000)

    result = run(*(word.format(tmp_path) for word in words), ONETHING_DATABASE_URL=f"sqlite:///{tmp_path}/onething.db")

    assert result.exit_code == 1
    assert "file is not a database" in result.output
    assert "try again" not in result.output


def test_main__database_is_away_and_more(run, tmp_path):
    """What somebody must mend first is not tried again."""
    (tmp_path / "secret-key").write_text("open to others")

    assert run("verify", ONETHING_DATABASE_URL=AWAY, ONETHING_DATA_DIR=str(tmp_path)).exit_code == 1
    assert run("doctor", ONETHING_DATABASE_URL=AWAY, ONETHING_DATA_DIR=str(tmp_path)).exit_code == 1


def test_main__disk_takes_nothing(run, empty_database_url, tmp_path, monkeypatch):
    """One line, and an exit status that says to try again."""
    run("migrate", ONETHING_DATABASE_URL=empty_database_url)

    def fail(target, _files):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(target))

    monkeypatch.setattr(backups.targets, "find", fail)
    result = run("backup", str(tmp_path / "copy"), ONETHING_DATABASE_URL=empty_database_url)

    assert result.exit_code == Hindered.exit_code
    assert f"Error: Expected to read or write {tmp_path}/copy, but the disk is read-only; try again later\n" in result.output


def test_main__file_is_not_permitted(run, monkeypatch):
    """Not a full disk, and not to be tried again."""

    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(folders.Path, "read_bytes", refuse)
    result = run("lint", str(WORKFLOWS / "items"))

    assert result.exit_code == 1
    assert re.fullmatch(r"Error: Expected to read or write \S+/items/\S+, but this account is not permitted to\n", result.output)


@pytest.mark.parametrize("words", ["migrate", "backup copy", "restore ."])
@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("/proc/none", "there is no such file or folder"),
        ("{}/file", "something else is there"),
        ("{}/file/var", "there is a file where a folder should be"),
    ],
)
def test_main__data_folder_cannot_be_made(run, tmp_path, words, folder, says):
    (tmp_path / "file").write_text("")
    folder = folder.format(tmp_path)

    result = run(*words.split(), ONETHING_DATA_DIR=folder)

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    assert result.output == f"Error: Expected to make the data folder (ONETHING_DATA_DIR) {folder}, but {says}\n"


def test_backup__target_cannot_be_made(run, tmp_path):
    run("migrate")

    result = run("backup", "/proc/copy")

    assert result.exit_code == 1
    assert re.search(r"Error: Expected to make /proc/copy\S+, but there is no such file or folder\n$", result.output)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_migrate__folder_of_the_database_is_missing(run, tmp_path):
    result = run("migrate", ONETHING_DATABASE_URL=f"sqlite:///{tmp_path}/none/onething.db")

    assert result.exit_code == 1
    assert result.output == f"Error: Expected to find the folder of the database, {tmp_path}/none, but there is no such file or folder\n"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_migrate__data_folder_is_missing(run, tmp_path):
    url = f"sqlite:///{tmp_path}/new/onething.db"

    result = run("migrate", ONETHING_DATA_DIR=str(tmp_path / "new"), ONETHING_DATABASE_URL=url)

    assert result.exit_code == 0
    assert (tmp_path / "new" / "onething.db").exists()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_doctor__sound_installation(run):
    run("migrate")

    result = run("doctor", COLUMNS="200")

    assert result.exit_code == 0
    assert "ONETHING_DATABASE_URL" in result.output


def test_doctor__not_migrated(run, empty_database_url):
    result = run("doctor", ONETHING_DATABASE_URL=empty_database_url, COLUMNS="200")

    assert result.exit_code == 1
    assert "Run onething migrate." in result.output
