"""Pace: a mass of what is due leaves people their turn, and is shared among hands."""

import threading

import pytest

from engine import pace as pace_module
from engine.pace import LONGEST, Pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when somebody works or rests; tells the rests."""

    class Clock:
        def __init__(self):
            self.now, self.rests = 0.0, []

        def work(self, seconds, done=1):
            self.now += seconds
            return done

        def sleep(self, seconds):
            self.rests.append(seconds)

    clock = Clock()
    monkeypatch.setattr(pace_module.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(pace_module.time, "sleep", clock.sleep)
    return clock


@pytest.mark.parametrize(("asked", "seconds", "rests"), [(False, 0.03, []), (True, 0.03, [0.03]), (True, 9.0, [LONGEST])])
def test_do__rests_while_somebody_waits(clock, asked, seconds, rests):
    assert Pace(asked=lambda: asked).do(lambda: clock.work(seconds, done=50)) == 50

    assert clock.rests == pytest.approx(rests)


@pytest.mark.parametrize(
    ("hands", "count", "shares"),
    [(1, 200, [200]), (2, 200, [100, 100]), (3, 200, [67] * 3), (2, 99, [99]), (2, 0, [0]), (4, 120, [60, 60])],
)
def test_share__among_hands(hands, count, shares):
    """Each works at the same time as the others; nobody begins for less than is worth it."""
    together = threading.Barrier(len(shares), timeout=60)
    given = []

    def work(share):
        together.wait()
        given.append(share)
        return share

    assert Pace(hands=hands).share(work, count, least=50) == sum(shares)
    assert given == shares


def test_share__one_fails():
    def work(share):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Pace(hands=2).share(work, 100, least=50)
