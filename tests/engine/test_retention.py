"""What has served its time is deleted, and nothing else."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from api.cli.work import heartbeat
from engine import accounts, idempotency, retention, samples, settings
from engine.actors import Actor
from engine.idempotency import Answer
from engine.models import Account, IdempotentAnswer, LogIn
from engine.pace import Pace
from engine.settings import Environment

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLERK = Actor(name="clerk")
FIRST = Answer(status=201, body="{}")
DAY = timedelta(days=1)


@pytest.fixture
def kept(database):
    """An answer and a log-in of the morning."""
    with time_machine.travel(MORNING), database.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        answer(session, "k")
        accounts.begin(session, "clerk")
    return database


def answer(session, key):
    """Run a command, or get its first answer."""
    first = idempotency.begin(session, key, actor=CLERK, request_hash="a")
    if first is None:
        idempotency.finish(session, key, actor=CLERK, answer=FIRST)
    return first


def counted(database):
    with database.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in (IdempotentAnswer, LogIn)]


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
    with kept.transaction() as session:
        assert answer(session, "k") == FIRST

    sweep(kept, 4 * DAY)

    with kept.transaction() as session:
        assert answer(session, "k") is None


def test_sweep__by_the_heartbeat_of_a_node(kept):
    """Whoever runs the scheduler does it at once, and then every hour."""
    with kept.transaction() as session:
        session.execute(update(IdempotentAnswer).values(answered_at=datetime.now(UTC) - timedelta(hours=72, minutes=1)))
    heart = heartbeat(kept, settings.load({}), Pace())

    heart.start()
    for _ in range(100):
        if counted(kept)[0] == 0:
            break
        time.sleep(0.05)
    heart.stop()

    assert counted(kept) == [0, 0]


def test_sweep__again(kept):
    for _ in range(2):
        sweep(kept, 4 * DAY)

    assert counted(kept) == [0, 0]
