"""The heartbeat ticks, survives what a tick raises, and stops cleanly."""

import io
import sys
import threading
from datetime import UTC, datetime

import pytest
import time_machine

from engine import logs
from engine.errors import Busy, Unavailable
from engine.heartbeat import Heartbeat
from engine.settings import Environment


@pytest.fixture
def beating():
    started = []

    def start(tick, seconds=0.05):
        heartbeat = Heartbeat(tick, seconds=seconds)
        started.append(heartbeat)
        heartbeat.start()
        return heartbeat

    yield start
    for heartbeat in started:
        heartbeat.stop()


def test_start__ticks_at_once(beating):
    ticked = threading.Event()

    beating(ticked.set, seconds=3600)

    assert ticked.wait(60)


def test_tick__says_when_it_is_wanted_again(beating):
    """Sooner than usual, never later."""
    rests, ticks = iter([0.0, 0.01, 3600.0, None]), threading.Semaphore(0)

    def tick():
        ticks.release()
        return next(rests, 3600.0)

    beating(tick, seconds=0.05)

    assert all(ticks.acquire(timeout=60) for _ in range(5))


def test_tick__the_clock_of_the_host_is_set_back(beating):
    """It goes on: it is no hour until the next look."""
    ticks = threading.Semaphore(0)
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC)) as traveller:
        beating(ticks.release)
        ticks.acquire(timeout=60)

        traveller.shift(-3600)

        assert all(ticks.acquire(timeout=60) for _ in range(3))


def test_also__ticks_beside_it(beating):
    ticked = threading.Event()
    heartbeat = beating(lambda: None, seconds=3600)

    heartbeat.also(ticked.set, seconds=3600)

    assert ticked.wait(60)


def test_also__the_clock_of_the_host_is_set_back():
    """A machine that begins with its clock hours ahead is not to wait for these hours."""
    sweeps = threading.Semaphore(0)
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC)) as traveller:
        heartbeat = Heartbeat(lambda: None, seconds=0.05)
        heartbeat.also(sweeps.release, seconds=0.1)
        heartbeat.start()
        sweeps.acquire(timeout=60)

        traveller.shift(-8 * 3600)

        assert all(sweeps.acquire(timeout=10) for _ in range(3))
        heartbeat.stop()


def test_also__the_database_is_away_for_a_while(beating):
    """It goes on soon after, not in its own time only; when it has gone well it is over."""
    ends, ticks, over = iter([Unavailable("no"), Busy("held"), None]), threading.Semaphore(0), threading.Event()
    heartbeat = beating(lambda: None)

    def sweep():
        ticks.release()
        if error := next(ends):
            raise error
        over.set()

    heartbeat.also(sweep, seconds=3600)

    assert over.wait(60)
    assert [ticks.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]


def test_stop__a_sweep_waits_for_the_database():
    """Nobody waits for its rest."""
    looked = threading.Event()

    def sweep():
        looked.set()
        raise Unavailable("no")

    heartbeat = Heartbeat(lambda: None, seconds=3600)
    heartbeat.also(sweep, seconds=3600)
    heartbeat.start()
    assert looked.wait(60)

    stopping = threading.Thread(target=heartbeat.stop, daemon=True)
    stopping.start()
    stopping.join(30)

    assert not stopping.is_alive()


def test_tick__raises(beating):
    ticks = threading.Semaphore(0)

    def tick():
        ticks.release()
        raise ConnectionError("the database is away")

    beating(tick)

    assert all(ticks.acquire(timeout=60) for _ in range(3))


def test_tick__raises_and_the_log_cannot_be_written(beating, monkeypatch):
    """It goes on, or nothing would be done any more, and nobody would tell."""
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    logs.configure(Environment.PRODUCTION)
    log.close()
    ticks = threading.Semaphore(0)

    def tick():
        ticks.release()
        raise ConnectionError("the database is away")

    beating(tick)

    assert all(ticks.acquire(timeout=60) for _ in range(3))


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_tick__takes_longer_than_the_interval(beating):
    running = threading.Semaphore(1)
    ticks = threading.Semaphore(0)
    overlaps = []

    def tick():
        if not running.acquire(blocking=False):
            overlaps.append("two at once")
        threading.Event().wait(0.15)
        running.release()
        ticks.release()

    beating(tick)

    assert all(ticks.acquire(timeout=60) for _ in range(3))
    assert overlaps == []


def test_stop__tick_under_way():
    entered, done = threading.Event(), threading.Event()

    def tick():
        entered.set()
        threading.Event().wait(0.2)
        done.set()

    heartbeat = Heartbeat(tick, seconds=3600)
    heartbeat.start()
    entered.wait(60)

    heartbeat.stop()

    assert done.is_set()
