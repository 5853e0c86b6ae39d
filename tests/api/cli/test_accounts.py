"""The account of an administrator, made on the command line."""

import json
import os
import pty
import re
import subprocess
import termios
import time

import pytest

from api.cli import accounts
from engine.passwords import WELL_KNOWN
from tests.api.cli.conftest import ONETHING, PATIENCE
from tests.api.test_auth import basic
from tests.hall import application

PASSWORD = "好的口令 and long"


@pytest.fixture(autouse=True)
def _quick_hash(monkeypatch):
    """A slow hash is for the commands that run in a process of their own; nothing else here depends on it, and it takes a second a test."""
    monkeypatch.setattr(accounts, "Passwords", lambda: WELL_KNOWN)


@pytest.fixture
def log_in(database_url, tmp_path):
    """Log in over HTTP; gives who it is and who may look at the accounts."""

    def log_in(name, password):
        app = application(database_url, tmp_path)
        header = basic(name, password)
        me, listed = (app.test_client().get(f"/api/v1/{path}", headers=header) for path in ("me", "accounts"))
        app.extensions["database"].close()  # the application is used again, for another database at this place
        return me.status_code, listed.status_code, listed.json.get("data")

    return log_in


def add(run, name="chief", typed=f"{PASSWORD}\n", **changes):
    return run("add-admin", name, typed=typed, ONETHING_ENV="production", ONETHING_SECRET_KEY="s" * 32, **changes)


@pytest.mark.parametrize("typed", [f"{PASSWORD}\n", f"{PASSWORD}\r\n", PASSWORD, f"{PASSWORD}\nmore\n"])
def test_add_admin__logs_in_and_administers(run, log_in, typed):
    run("migrate")

    result = add(run, typed=typed)

    assert (result.exit_code, result.stdout) == (0, "chief: made, an administrator.\n")
    assert [json.loads(line)["what"] for line in result.stderr.splitlines()] == ["account made", "role granted"]
    everywhere = [{"role": "admin", "department": None, "hall": None}]
    chief = {"name": "chief", "display_name": "chief", "disabled": False, "grants": everywhere}
    assert log_in("chief", PASSWORD) == (200, 200, [chief])
    assert log_in("chief", f"{PASSWORD}\n")[0] == 401


def test_add_admin__there_is_one(run, log_in):
    run("migrate")
    add(run)

    result = add(run, typed="another password\n")

    assert (result.exit_code, result.output) == (1, "Error: Expected to create account chief, but there is one of that name\n")
    assert log_in("chief", PASSWORD)[0] == 200
    assert log_in("chief", "another password")[0] == 401


@pytest.mark.parametrize("name", ["Chief", "李雷", "", "-chief", "a b", "a" * 81, "chief\n"])
def test_add_admin__wrong_name(run, name):
    run("migrate")

    result = run("add-admin", "--", name, typed=f"{PASSWORD}\n")

    assert result.exit_code == 1
    assert result.output.startswith("Error: Expected a name of small letters, digits, dots")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "of at least 8 characters, but got 0"),
        ("\n", "of at least 8 characters, but got 0"),
        ("1234567\n", "of at least 8 characters, but got 7"),
        ("x" * 1001, "of at most 1000 characters, but got 1001"),
        ("1234\0" + "5678\n", "but it has a NUL"),
        (b"\xff" * 8, "in UTF-8, but"),
    ],
)
def test_add_admin__wrong_password(run, typed, says):
    run("migrate")

    result = add(run, typed=typed)

    assert result.exit_code == 1
    assert re.fullmatch(f"Error: Expected [^\n]*{says}[^\n]*\n", result.output)
    assert add(run).exit_code == 0  # nothing has been kept of the first


def test_add_admin__standard_input_is_closed(run, start):
    run("migrate")

    command = start("-c", f"exec {ONETHING} add-admin chief <&-", program=("sh",))

    assert command.ended() == 1
    assert command.output.endswith("Error: Expected a password of at least 8 characters, but got 0\n")


def test_add_admin__not_migrated(run, empty_database_url):
    result = add(run, ONETHING_DATABASE_URL=empty_database_url)

    assert result.exit_code == 1
    assert "Run onething migrate." in result.output


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_add_admin__asks_on_a_terminal(run, environ, log_in):
    run("migrate")

    with Terminal("add-admin", "chief", environ=environ) as terminal:
        terminal.answer("Password:", PASSWORD)
        terminal.answer("Once more:", "something else")
        terminal.answer("Password:", PASSWORD)
        terminal.answer("Once more:", PASSWORD)
        terminal.until("made, an administrator")

    assert terminal.process.wait() == 0
    assert "do not match" in terminal.shown
    assert PASSWORD not in terminal.shown
    assert log_in("chief", PASSWORD)[0] == 200


class Terminal:
    """A command at a terminal."""

    def __init__(self, *words, environ):
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen((ONETHING, *words), env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.shown, self._seen = "", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._ours)

    def until(self, words):
        """Read until something is shown that was not before."""
        while (found := self.shown.find(words, self._seen)) < 0:
            self.shown += os.read(self._ours, 4096).decode()
        self._seen = found + len(words)

    def answer(self, asked, typed):
        """Type when it is asked and the terminal echoes no more; what was typed before that is thrown away."""
        self.until(asked)
        ends = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._ours)[3] & termios.ECHO:
            assert time.monotonic() < ends
            time.sleep(0.01)
        os.write(self._ours, f"{typed}\n".encode())
