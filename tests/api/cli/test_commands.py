"""The commands that come to an end by themselves."""

import errno
import os

import pytest
from sqlalchemy import inspect, select

from api.cli import COMMANDS, Hindered
from engine import backups
from engine.case_models import CalendarYear
from engine.database import Database
from engine.settings import CHECKOUT
from tests.hall import WORKFLOWS

#: Nobody listens there.
AWAY = "postgresql+psycopg://postgres@127.0.0.1:1/nowhere"


def test_main__help(run):
    result = run("--help")

    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"  {command} " in result.output


def test_main__no_such_command(run):
    result = run("dance")

    assert result.exit_code == 2
    assert "No such command" in result.output


def test_main__as_in_the_readme():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"| `onething {name}" not in readme] == []


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
    ("words", "status"),
    [
        ("migrate", Hindered.exit_code),
        ("backup copy", Hindered.exit_code),
        ("serve", 1),
        ("work", 1),
        ("verify", 1),
        (f"deploy {WORKFLOWS / 'items'}", 1),
    ],
)
def test_main__database_is_away(run, tmp_path, words, status):
    """What is wrong, and no traceback; a script sees by the exit status whether to try again.  The doctor says it to those who would serve."""
    result = run(*words.split(), ONETHING_DATABASE_URL=AWAY, ONETHING_DATA_DIR=str(tmp_path))

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == status
    assert "Error: Expected" in result.output
    assert "Traceback" not in result.output


def test_main__disk_takes_nothing(run, empty_database_url, tmp_path, monkeypatch):
    """One line, and an exit status that says to try again."""
    run("migrate", ONETHING_DATABASE_URL=empty_database_url)

    def fail(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(backups, "require_free", fail)
    result = run("backup", str(tmp_path / "copy"), ONETHING_DATABASE_URL=empty_database_url)

    assert result.exit_code == Hindered.exit_code
    assert "Error: Expected the disk to take what is written, but it says: Read-only file system" in result.output


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
