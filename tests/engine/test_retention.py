"""What has served its time is deleted, and nothing else."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from api.cli.work import heartbeat
from engine import accounts, archives, idempotency, numbers, retention, samples, settings
from engine.account_models import Account, LogIn
from engine.command_models import IdempotentAnswer, Reservation
from engine.idempotency import Answer, Command, Repeated
from engine.pace import Pace
from engine.settings import Environment

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST = Answer(status=201, body="{}")
DAY = timedelta(days=1)


@pytest.fixture
def kept(database):
    """An answer and a log-in of the morning."""
    with time_machine.travel(MORNING):
        with database.transaction() as session:
            samples.seed(session, Environment.DEVELOPMENT)
            accounts.begin(session, "clerk")
        answer(database)
    return database


def answer(database):
    """Run a command that takes a number, or get its first answer."""
    try:
        with idempotency.transaction(database, Command(key="k", actor="clerk", request_hash="a")) as session:
            numbers.next_case(session, "430100")
            idempotency.keep(session, FIRST)
    except Repeated as first:
        return first.answer
    return None


def counted(database, *tables):
    with database.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in tables or (IdempotentAnswer, LogIn)]


def sweep(database, after):
    with time_machine.travel(MORNING + after):
        retention.sweep(database, answers=3 * DAY)


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (timedelta(0), [1, 1]),
        (accounts.LOGGED_IN_FOR - timedelta(seconds=1), [1, 1]),
        (accounts.LOGGED_IN_FOR + timedelta(seconds=1), [1, 0]),
        (3 * DAY - timedelta(seconds=1), [1, 0]),
        (3 * DAY + timedelta(seconds=1), [0, 0]),
    ],
)
def test_sweep__keeps_what_still_serves(kept, after, left):
    with kept.reading() as session:
        people = session.scalar(select(func.count()).select_from(Account))

    sweep(kept, after)

    assert counted(kept) == left
    with kept.reading() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == people


def test_sweep__a_key_that_comes_later_is_new(kept):
    sweep(kept, 2 * DAY)
    assert answer(kept) == FIRST

    sweep(kept, 4 * DAY)

    assert answer(kept) is None


def test_sweep__what_was_reserved_goes_before_the_answer(kept):
    """Never after it, whatever the clocks of two nodes say: by itself it would have a new command be a case that is there."""
    assert counted(kept, IdempotentAnswer, Reservation) == [1, 1]

    sweep(kept, 3 * DAY - timedelta(seconds=5))
    assert counted(kept, IdempotentAnswer, Reservation) == [1, 0]
    assert answer(kept) == FIRST

    sweep(kept, 3 * DAY + timedelta(seconds=1))
    assert counted(kept, IdempotentAnswer) == [0]
    assert answer(kept) is None


def test_sweep__by_the_heartbeat_of_a_node(kept, tmp_path):
    """Whoever runs the scheduler does it at once, and then every hour; so does he with what a killed upload has left."""
    draft = tmp_path / "materials" / "draft-1"
    draft.parent.mkdir()
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))
    with kept.transaction() as session:
        session.execute(update(IdempotentAnswer).values(answered_at=datetime.now(UTC) - timedelta(hours=72, minutes=1)))
    heart = heartbeat(kept, settings.load({"ONETHING_DATA_DIR": str(tmp_path)}), Pace())

    heart.start()
    deadline = time.monotonic() + 60
    while (counted(kept)[0] or draft.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    heart.stop()

    assert counted(kept) == [0, 0]
    assert not draft.exists()


def test_stop__while_there_is_much_to_archive(database, tmp_path, monkeypatch):
    """It ends after the case that it is at."""
    at_work, over = threading.Event(), threading.Event()
    monkeypatch.setattr(archives, "due", lambda *_: iter(lambda: over.wait(0.01), True))
    monkeypatch.setattr(archives, "put_away", lambda *_: at_work.set() or True)
    heart = heartbeat(database, settings.load({"ONETHING_DATA_DIR": str(tmp_path)}), Pace())
    heart.start()
    assert at_work.wait(60)

    stopping = threading.Thread(target=heart.stop)
    stopping.start()
    stopping.join(60)
    ended = not stopping.is_alive()
    over.set()
    stopping.join()

    assert ended


def test_sweep__again(kept):
    for _ in range(2):
        sweep(kept, 4 * DAY)

    assert counted(kept) == [0, 0]
