"""Logs are one line each, and never show what a variable held."""

import json

import pytest
import structlog
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from engine import logs
from engine.models import Hall
from engine.settings import Environment


@pytest.fixture(autouse=True)
def _as_found():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


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
