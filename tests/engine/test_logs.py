"""Logs are one line each, and never show what a variable held."""

import errno
import io
import json
import os
import sys

import pytest
import structlog
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from engine import errors, logs
from engine.errors import EngineError
from engine.models import Hall
from engine.settings import Environment


def fail(log):
    id_number = "110101199003070000"[::-1]
    try:
        {}["such item"]
    except KeyError:
        log.exception("job failed", job=7)
    return id_number


def test_configure__production(capsys):
    logs.configure(Environment.PRODUCTION)

    secret = fail(structlog.get_logger())

    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["event"], written["job"], written["level"]) == ("job failed", 7, "error")
    assert "KeyError: 'such item'" in written["exception"]
    assert secret not in line


def test_configure__development(capsys):
    logs.configure(Environment.DEVELOPMENT)

    secret = fail(structlog.get_logger())

    out, err = capsys.readouterr()
    assert out == ""
    assert "job failed" in err
    assert "KeyError: 'such item'" in err
    assert secret not in err


def test_configure__a_statement_that_fails(database, capsys):
    """What was to be written is people's data."""
    logs.configure(Environment.PRODUCTION)
    secret = "110101199003070000"[::-1]

    try:
        with database.transaction() as session:
            session.add_all([Hall(code="a", name=secret, level="city"), Hall(code="b", name=secret, level="city")])
            session.flush()
            session.execute(insert(Hall), [{"code": "a", "name": secret, "level": "city"}])
    except IntegrityError:
        structlog.get_logger().exception("request failed")

    (line,) = capsys.readouterr().err.splitlines()
    assert "INSERT INTO halls" in line
    assert secret not in line


class Full(io.StringIO):
    """A log on a disk that has no room, as long as it is full."""

    full = True

    def write(self, line):
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(line)


def test_configure__the_disk_of_the_log_is_full(monkeypatch):
    """What is done does not fail for that; and it is told again when there is room."""
    monkeypatch.setattr(sys, "stderr", log := Full())
    logs.configure(Environment.PRODUCTION)

    fail(structlog.get_logger())
    structlog.get_logger().warning("nobody hears this")
    log.full = False
    structlog.get_logger().info("there is room")

    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == ["there is room"]


def test_configure__somebody_has_closed_the_log(monkeypatch):
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    logs.configure(Environment.PRODUCTION)
    log.close()

    structlog.get_logger().critical("nobody hears this")

    assert log.closed


NOBODY = "00000000-0000-0000-0000-000000000000"
REFUSED = {
    "there already": "INSERT INTO halls VALUES (:it, 'a', 'city'), (:it, 'b', 'city')",
    "empty": "INSERT INTO halls (code, name) VALUES ('a', :it)",
    "when it commits": f"INSERT INTO large_values VALUES ('{NOBODY}', '', '', '{NOBODY}', :it)",
    "no number": "SELECT CAST('a' || CAST(:it AS text) AS integer)",
    "too great a number": "SELECT CAST(CAST(:it AS text) AS integer)",
}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED)
def test_configure__a_row_that_is_refused(database, capsys, sql):
    """PostgreSQL quotes rows and values in what it says of them: neither the log does, nor an incident."""
    logs.configure(Environment.PRODUCTION)
    secret = "110101199003"[::-1]

    with pytest.raises((SQLAlchemyError, EngineError)) as refused, database.transaction() as session:
        session.execute(text(sql), {"it": secret})
    structlog.get_logger().error("request failed", exc_info=refused.value)

    logged = capsys.readouterr().err
    assert "psycopg.errors." in logged
    assert secret not in logged
    assert secret not in errors.described(refused.value)
