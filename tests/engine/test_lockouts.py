"""Wrong passwords lock an account where they come from, and nowhere else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

import pytest
import time_machine
from alembic import command
from sqlalchemy import func, select

from engine import accounts, lockouts, retention, samples, schema
from engine.account_models import WrongPassword
from engine.actors import Actor, Role, RoleGrant
from engine.lockouts import FAILURES, LOCKED_FOR
from engine.passwords import WELL_KNOWN
from engine.settings import Environment
from engine.upgrades import migrating

ADMIN = Actor(name="root", grants=(RoleGrant(role=Role.ADMIN),))
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
DESK, WORKER, STRANGER = "10.0.0.7", "10.0.0.8", "203.0.113.9"


@pytest.fixture
def clock():
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def seeded(database, clock):
    with database.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
    return database


def log_in(database, password="clerk", *, at=DESK, name="clerk"):
    return accounts.authenticate(database, name, password, passwords=WELL_KNOWN, address=at) is not None


def fail(database, times=FAILURES, *, at=STRANGER):
    assert not any(log_in(database, "wrong", at=at) for _ in range(times))


def rows(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(WrongPassword))


def test_count__locks_where_it_comes_from(seeded):
    fail(seeded, 5 * FAILURES)

    assert not log_in(seeded, at=STRANGER)
    assert log_in(seeded, at=DESK)
    assert log_in(seeded, at=STRANGER, name="supervisor", password="supervisor")


def test_count__somebody_else_who_gets_in_helps_no_guesser(seeded):
    fail(seeded, FAILURES - 1)
    assert log_in(seeded, at=DESK)

    fail(seeded, 1)

    assert not log_in(seeded, at=STRANGER)


def test_count__a_success_between(seeded):
    for _ in range(2):
        fail(seeded, FAILURES - 1, at=DESK)
        assert log_in(seeded, at=DESK)
    assert rows(seeded) == 0


def test_count__a_lock_ends_though_somebody_goes_on(seeded, clock):
    """A worker does not give up; it has ten more then."""
    fail(seeded, at=WORKER)
    for _ in range(14):
        clock.shift(60)
        fail(seeded, 1, at=WORKER)
    assert not log_in(seeded, at=WORKER)

    clock.shift(60)

    fail(seeded, FAILURES - 1, at=WORKER)
    assert log_in(seeded, at=WORKER)


def test_count__what_was_long_ago_counts_no_more(seeded, clock):
    for _ in range(3 * FAILURES):
        fail(seeded, 1)
        clock.shift(LOCKED_FOR)

    assert log_in(seeded, at=STRANGER)


def test_count__at_once(seeded):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: log_in(seeded, "wrong"), range(FAILURES)))

    assert not log_in(seeded)
    assert rows(seeded) == 1


def test_count__from_very_many_addresses(seeded, monkeypatch, clock):
    """Each further one is locked by its first; who has been nowhere wrong gets in all the same."""
    monkeypatch.setattr(lockouts, "ADDRESSES", 3)
    for number in range(3):
        fail(seeded, 1, at=f"203.0.113.{number}")
    fail(seeded, 1, at="203.0.113.3")

    assert [log_in(seeded, at=f"203.0.113.{number}") for number in range(4)] == [True, True, True, False]
    assert log_in(seeded, at=DESK)
    clock.shift(LOCKED_FOR)
    fail(seeded, 1, at="203.0.113.4")
    assert log_in(seeded, at="203.0.113.4")


def test_count__nobody_of_that_name(seeded):
    assert not any(log_in(seeded, "wrong", name="nobody") for _ in range(FAILURES))

    assert rows(seeded) == 0


def test_set_password__ends_every_lock(seeded):
    for at in (DESK, STRANGER):
        fail(seeded, at=at)

    with seeded.transaction() as session:
        accounts.set_password(session, "clerk", "new password", actor=ADMIN, passwords=WELL_KNOWN)

    assert [log_in(seeded, "new password", at=at) for at in (DESK, STRANGER)] == [True, True]


def test_sweep__what_counts_no_more(seeded, clock):
    fail(seeded, at=STRANGER)
    clock.shift(LOCKED_FOR - timedelta(seconds=1))
    fail(seeded, 1, at=DESK)
    clock.shift(1)

    retention.sweep(seeded, answers=timedelta(days=3))

    assert rows(seeded) == 1
    assert log_in(seeded, at=STRANGER)


def test_count__before_there_is_a_place_for_it(seeded, monkeypatch):
    """As nodes of the release before do: the account is locked as a whole; and afterwards that is over."""
    monkeypatch.setattr(schema, "_seen", WeakKeyDictionary())
    with migrating(seeded.bind) as config:
        command.downgrade(config, "0029")
    retention.sweep(seeded, answers=timedelta(days=3))
    fail(seeded, FAILURES - 1)
    assert log_in(seeded, at=DESK)

    fail(seeded)

    assert not log_in(seeded, at=DESK)
    seeded.migrate()
    assert log_in(seeded, at=DESK)
