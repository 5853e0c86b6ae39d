"""What is committed outlives the machine, or the doctor says why not."""

import sqlite3

import pytest
from sqlalchemy import make_url

from engine import database as databases
from engine import durability
from engine.diagnoses import CheckStatus


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
        ({"zero_damaged_pages": "on"}, 1, CheckStatus.WARNING, "zero_damaged_pages = on: rows may be lost without a word"),
        ({"synchronous_standby_names": " "}, 3, CheckStatus.WARNING, "3 hosts, and commits wait for no standby"),
    ],
)
def test_judge(said, hosts, status, found):
    check = durability.judge({"synchronous_commit": "on", "synchronous_standby_names": "", "fsync": "on"} | said, hosts=hosts)

    assert (check.status, check.found) == (status, found)
    assert bool(check.advice) is (status is not CheckStatus.OK)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_check__as_its_connections_have_it(database, database_url):
    """Of whatever was set for the role, or the database, or in the URL."""
    url = make_url(database_url).update_query_dict({"options": "-c synchronous_commit=off"})
    bind = databases.connect(url.render_as_string(hide_password=False))

    with bind.connect() as connection:
        check = durability.check(connection)

    assert check.status is CheckStatus.FAILED
    bind.dispose()


def test_check__unsafe_write_ahead_log(tmp_path, monkeypatch):
    path = tmp_path / "onething.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE held_open (id INTEGER)")
    monkeypatch.setattr(databases, "wal_is_safe", lambda: True)
    bind = databases.connect(f"sqlite:///{path}")

    with bind.connect() as connection:
        safe = durability.check(connection)
        monkeypatch.setattr(databases, "wal_is_safe", lambda: False)
        unsafe = durability.check(connection)

    assert (safe.status, unsafe.status) == (CheckStatus.OK, CheckStatus.FAILED)
    bind.dispose()
    other.close()
