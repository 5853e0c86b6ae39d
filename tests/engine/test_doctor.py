"""The doctor finds what is wrong with an installation, says what to do, and changes nothing."""

import os
import sqlite3
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import make_url, text, update

from engine import accounts, doctor, grants, holidays, schema, settings
from engine import database as databases
from engine.actors import Role
from engine.database import Database
from engine.doctor import CheckStatus
from engine.passwords import WELL_KNOWN
from tests.hall import OPERATOR

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CALENDARS = settings.CHECKOUT / "workflows" / "calendars"


def by_name(checks):
    return {check.what: check for check in checks}


def make_administrator(session):
    accounts.create(session, "chief", actor=OPERATOR, password=None, passwords=WELL_KNOWN)
    grants.grant(session, "chief", Role.ADMIN, actor=OPERATOR)


def test_examine__sound_installation(database, database_url, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ONETHING_")]:
        monkeypatch.delenv(name)
    loaded = settings.load({"ONETHING_DATABASE_URL": database_url, "ONETHING_DATA_DIR": str(tmp_path), "ONETHING_SECRET_KEY": "k" * 32})
    with database.transaction() as session:
        holidays.publish_shipped(session, CALENDARS)
        make_administrator(session)

    checks = by_name(doctor.examine(loaded, now=NOW, assets=[CALENDARS]))

    assert checks.pop("calendars").status is CheckStatus.WARNING  # 2027 is not published
    about = ["settings", "data folder", "secret key", "database", "durability", "migrations", "clock", "administrators", "assets"]
    assert [name for name in checks if name != "server"] == about
    assert ("server" in checks) is (database.bind.dialect.name == "postgresql")
    durability = checks.pop("durability")  # the server of the tests need not outlive its machine
    assert durability.status is (CheckStatus.WARNING if durability.found.startswith("fsync = off") else CheckStatus.OK)
    assert {check.status for check in checks.values()} == {CheckStatus.OK}


def test_check_variables__unknown_one():
    names = ("PROT", "PORT", "TEST_DATABASE_URL", "TEST_SHARDS", "TEST_SEEDS")

    check = doctor.check_variables({"PATH", *(f"ONETHING_{name}" for name in names)})

    assert check.status is CheckStatus.WARNING
    assert check.found == "unknown: ONETHING_PROT"


def test_check_data_folder__not_there_yet(tmp_path):
    check = doctor.check_data_folder(tmp_path / "var" / "data")

    assert check.status is CheckStatus.OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inside", ["", "/var"])
def test_check_data_folder__is_a_file(tmp_path, inside):
    (tmp_path / "var").write_text("")

    assert doctor.check_data_folder(Path(f"{tmp_path}/var{inside}")).status is CheckStatus.FAILED


def test_check_secret_key__made_by_us(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    before = doctor.check_secret_key(loaded)

    settings.secret_key(loaded)

    assert "will be made" in before.found
    assert "kept in" in doctor.check_secret_key(loaded).found


def test_check_secret_key__open_to_others(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    settings.secret_key(loaded)

    (tmp_path / "secret-key").chmod(0o644)

    assert doctor.check_secret_key(loaded).status is CheckStatus.FAILED


def test_check_database__does_not_exist(tmp_path):
    (check,) = doctor.check_database(f"sqlite:///{tmp_path}/onething.db", now=NOW)

    assert (check.status, check.advice) == (CheckStatus.FAILED, "Run onething migrate.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://me:hunter2@127.0.0.1:1/onething", "sqlite:////dev/null/onething.db"])
def test_check_database__does_not_answer(url):
    checks = doctor.check_database(url, now=NOW)

    assert [check.status for check in checks] == [CheckStatus.FAILED]
    assert "hunter2" not in str(checks)


def test_check_database__is_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("These are notes, not a database.\n" * 100)

    (check,) = doctor.check_database(f"sqlite:///{tmp_path}/notes.txt", now=NOW)

    assert "does not answer: file is not a database" in check.found


def test_check_database__empty(empty_database_url):
    opened = Database(empty_database_url)
    opened.bind.connect().close()  # SQLite makes the file now
    opened.close()

    checks = by_name(doctor.check_database(empty_database_url, now=NOW))

    assert checks["migrations"].status is CheckStatus.FAILED
    assert checks["migrations"].advice == "Run onething migrate."


@pytest.mark.parametrize(
    ("revision", "oldest", "status", "found"),
    [
        ("9999", schema.NEWEST, CheckStatus.WARNING, "schema 9999 is newer than this version, which may serve on it for the time being"),
        ("9999", "9998", CheckStatus.FAILED, "schema 9999 is newer than this version"),
        ("0020", "0019", CheckStatus.WARNING, "what only older versions use is there still"),
        ("0019", "0019", CheckStatus.FAILED, "schema 0019, newest "),
    ],
)
def test_check_database__of_another_release(database, database_url, monkeypatch, revision, oldest, status, found):
    monkeypatch.setattr(schema, "needed", lambda: "0020")  # as when what comes afterwards only takes away
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        session.execute(update(schema.Compatibility).values(oldest=oldest))

    check = by_name(doctor.check_database(database_url, now=NOW))["migrations"]

    assert check.status is status
    assert found in check.found
    assert check.advice


@pytest.mark.parametrize(
    ("said", "hosts", "status", "found"),
    [
        ({}, 1, CheckStatus.OK, "PostgreSQL, synchronous_commit = on"),
        ({"synchronous_standby_names": "ANY 1 (a, b)"}, 3, CheckStatus.OK, "PostgreSQL, synchronous_commit = on"),
        ({"synchronous_commit": "remote_apply"}, 1, CheckStatus.OK, "PostgreSQL, synchronous_commit = remote_apply"),
        ({"synchronous_commit": "off"}, 1, CheckStatus.FAILED, "commits are not waited for"),
        ({"fsync": "off"}, 1, CheckStatus.WARNING, "fsync = off: what is committed may be lost with the machine"),
        (
            {"synchronous_commit": "local", "synchronous_standby_names": "a"},
            1,
            CheckStatus.WARNING,
            "PostgreSQL, synchronous_commit = local: commits wait for no standby",
        ),
        ({"synchronous_commit": "local"}, 1, CheckStatus.OK, "PostgreSQL, synchronous_commit = local"),
        ({"synchronous_standby_names": " "}, 3, CheckStatus.WARNING, "3 hosts, and commits wait for no standby"),
    ],
)
def test_judge_commits(said, hosts, status, found):
    check = doctor.judge_commits({"synchronous_commit": "on", "synchronous_standby_names": "", "fsync": "on"} | said, hosts=hosts)

    assert (check.status, check.found) == (status, found)
    assert bool(check.advice) is (status is not CheckStatus.OK)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_check_durability__as_its_connections_have_it(database, database_url):
    """Of whatever was set for the role, or the database, or in the URL."""
    url = make_url(database_url).update_query_dict({"options": "-c synchronous_commit=off"})
    bind = databases.connect(url.render_as_string(hide_password=False))

    with bind.connect() as connection:
        check = doctor.check_durability(connection)

    assert check.status is CheckStatus.FAILED
    bind.dispose()


def test_check_durability__unsafe_write_ahead_log(tmp_path, monkeypatch):
    path = tmp_path / "onething.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE held_open (id INTEGER)")
    monkeypatch.setattr(databases, "wal_is_safe", lambda: True)
    bind = databases.connect(f"sqlite:///{path}")

    with bind.connect() as connection:
        safe = doctor.check_durability(connection)
        monkeypatch.setattr(databases, "wal_is_safe", lambda: False)
        unsafe = doctor.check_durability(connection)

    assert (safe.status, unsafe.status) == (CheckStatus.OK, CheckStatus.FAILED)
    bind.dispose()
    other.close()


@pytest.mark.parametrize(
    ("now", "newest", "status"),
    [
        (NOW, None, CheckStatus.OK),
        (NOW, NOW - timedelta(days=1), CheckStatus.OK),
        (NOW, NOW + timedelta(seconds=59), CheckStatus.OK),
        (NOW, NOW + timedelta(seconds=61), CheckStatus.FAILED),
        (datetime(1970, 1, 1, tzinfo=UTC), None, CheckStatus.FAILED),
    ],
)
def test_check_clock__set_back(now, newest, status):
    assert doctor.check_clock(now, newest).status is status


@pytest.mark.parametrize(
    ("today", "status", "found"),
    [
        (date(2025, 11, 25), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 1, 1), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 11, 14), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 11, 15), CheckStatus.WARNING, "2024 to 2026; due dates in 2027 are provisional"),
        (date(2027, 1, 1), CheckStatus.WARNING, "2024 to 2026; due dates in 2027 are provisional"),
    ],
)
def test_check_calendars__years(database, today, status, found):
    with database.transaction() as session:
        holidays.publish_shipped(session, CALENDARS)
        check = doctor.check_calendars(session, today=today)

    assert (check.status, check.found) == (status, found)


def test_check_calendars__none_published(database):
    with database.reading() as session:
        check = doctor.check_calendars(session, today=NOW.date())

    assert (check.status, check.advice) == (CheckStatus.FAILED, "Run onething migrate.")


def test_check_administrators__none_who_is_not_disabled(database):
    with database.transaction() as session:
        none = doctor.check_administrators(session)
        make_administrator(session)
        one = doctor.check_administrators(session)
        accounts.get(session, "chief").disabled = True
        disabled = doctor.check_administrators(session)

    assert (none.status, none.advice) == (CheckStatus.WARNING, "Run onething add-admin NAME.")
    assert one.status is CheckStatus.OK
    assert disabled == none


def test_check_assets__missing(tmp_path):
    check = doctor.check_assets([tmp_path / "there", CALENDARS])

    assert (check.status, check.found) == (CheckStatus.FAILED, f"missing: {tmp_path}/there")


def test_released__as_in_the_changelog():
    changelog = (settings.CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = next(line for line in changelog.splitlines() if line.startswith("## ") and line != "## Unreleased")

    assert newest == f"## {version('onething')} ({doctor.RELEASED})"
