"""A trouble is told when it begins, now and then, and when it is over."""

import pytest
from structlog.testing import capture_logs

from engine import troubles
from engine.database import Database
from engine.errors import Unavailable
from engine.troubles import AGAIN, Trouble


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to go on."""
    time = [100.0]
    monkeypatch.setattr(troubles.time, "monotonic", lambda: time[0])
    return time


def test_failed__goes_on(clock):
    trouble, every = Trouble("tick failed"), AGAIN.total_seconds()

    with capture_logs() as logged:
        for _ in range(int(2 * every) + 1):
            trouble.failed(Unavailable("away"))
            clock[0] += 1
        trouble.over()
        trouble.over()

    assert [(line["event"], line["log_level"], line.get("times"), line.get("seconds")) for line in logged] == [
        ("tick failed", "error", None, None),
        ("tick failed", "error", every + 1, every),
        ("tick failed", "error", 2 * every + 1, 2 * every),
        ("it goes well again", "info", 2 * every + 1, 2 * every + 1),
    ]
    assert {line["because"] for line in logged[:-1]} == {"Unavailable: away"}
    assert logged[-1]["after"] == "tick failed"


def test_failed__traceback_of_what_is_no_outage(clock):
    trouble, fault = Trouble("tick failed"), ZeroDivisionError("ours")

    with capture_logs() as logged:
        for error in (Unavailable("away"), fault, fault, Unavailable("away")):
            trouble.failed(error)

    assert [(line["because"], line["exc_info"]) for line in logged] == [
        ("Unavailable: away", None),
        ("ZeroDivisionError: ours", fault),
        ("Unavailable: away", None),
    ]


def test_failed__says_what_the_database_says():
    """As when its password has been changed: whoever reads the log is told what is wrong, and no secret."""
    database = Database("postgresql://me:hunter2@127.0.0.1:1/onething")
    with pytest.raises(Unavailable) as away, database.reading():
        pass
    database.close()

    with capture_logs() as logged:
        Trouble("tick failed").failed(away.value)

    (line,) = logged
    assert line["because"] == "Unavailable: Expected the database to answer, but it cannot be reached just now; try again"
    assert 'connection to server at "127.0.0.1", port 1 failed' in line["said"]
    assert "hunter2" not in str(line)


def test_failed__anew(clock):
    trouble = Trouble("tick failed")

    with capture_logs() as logged:
        for _ in range(2):
            trouble.failed(Unavailable("away"))
            trouble.over()

    assert [line["event"] for line in logged] == ["tick failed", "it goes well again"] * 2
