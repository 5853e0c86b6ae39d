"""Numbers of cases: none twice, and nobody waits for somebody else's case to get one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from sqlalchemy import select

from engine import idempotency, numbers
from engine.command_models import Reservation
from engine.errors import Unavailable
from engine.idempotency import Command
from tests.stage import MONDAY


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


def take(database, region="430100"):
    with database.transaction() as session:
        return numbers.next_case(session, region)[1]


def take_with_a_key(database, key="k", *, ends=None):
    """Id and number for a command that may be repeated; it dies before its commit, or commits something else."""
    command = Command(key=key, actor="clerk", request_hash="a")
    with idempotency.transaction(database, command) as session:
        found = numbers.next_case(session, "430100")
        if ends is not None:
            raise ends
    return found


def fail(database):
    with database.transaction() as session:
        numbers.next_case(session, "430100")
        raise ZeroDivisionError


def test_next_case__counts_by_region_and_day(database):
    first, second, there = take(database), take(database), take(database, "430104")

    assert (first, second, there) == ("43010020260302000001", "43010020260302000002", "43010420260302000001")
    with time_machine.travel("2026-03-03T00:00:00+08:00", tick=False):
        assert take(database) == "43010020260303000001"


def test_next_case__many_begin_the_day(database):
    start = Barrier(8)

    def begin(_):
        start.wait(60)
        return take(database)

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(begin, range(8)))

    assert found == [f"43010020260302{count:06d}" for count in range(1, 9)]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_next_case__while_another_case_is_being_submitted(database):
    """Whoever has a number keeps nobody waiting, however long his own transaction lasts."""
    with database.transaction() as session:
        _, first = numbers.next_case(session, "430100")
        second = take(database)

    assert (first[-1], second[-1]) == ("1", "2")


def test_next_case__of_a_case_that_does_not_come_about(database):
    """On PostgreSQL its number is missing, on SQLite the next one has it; it is never given to two."""
    with pytest.raises(ZeroDivisionError):
        fail(database)

    assert take(database)[-1] == {"postgresql": "2", "sqlite": "1"}[database.bind.dialect.name]


def test_next_case__of_a_command_that_is_repeated(database):
    """It is to be what it was to be at first, and no number is lost; another command has another one."""
    first, again, other = take_with_a_key(database), take_with_a_key(database), take_with_a_key(database, "other")

    assert first == again
    assert other[0] != first[0]
    assert (other[1][-1], take(database)[-1]) == ("2", "3")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_next_case__killed_before_the_commit(database):
    with pytest.raises(Unavailable):
        take_with_a_key(database, ends=Unavailable(""))

    with database.reading() as session:
        reserved = session.scalars(select(Reservation)).one()
    assert take_with_a_key(database) == (reserved.case_id, reserved.number)
    assert take(database)[-1] == "2"


def test_next_case__of_commands_with_one_key_at_the_same_moment(database):
    start = Barrier(8)

    def begin(_):
        start.wait(60)
        return take_with_a_key(database)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(begin, range(8)))

    assert len(found) == 1
    assert take(database)[-1] == "2"


def test_next_case__of_one_key_in_two_regions(database):
    command = Command(key="k", actor="clerk", request_hash="a")
    with idempotency.transaction(database, command) as session:
        found = [numbers.next_case(session, region) for region in ("430100", "430104")]

    assert [number[:6] for _, number in found] == ["430100", "430104"]
    assert found[0][0] != found[1][0]


def pass_over(database, region="430100"):
    with database.transaction() as session:
        numbers.pass_over(session, region)


def test_pass_over__what_may_have_been_given_today(database):
    """A copy of the database that knows nothing of them is behind all that it has given until now, in each region that it knows."""
    first = take(database, "430104")
    with time_machine.travel("2026-03-03T10:00:00+08:00", tick=False):
        pass_over(database)
        assert [take(database, region)[6:] for region in ("430100", "430104")] == ["20260303360001", "20260303360001"]
        pass_over(database)
        assert take(database) == "43010020260303360002"
    with time_machine.travel("2026-03-03T10:00:01+08:00", tick=False):
        pass_over(database)
        assert take(database) == "43010020260303360011"
    with time_machine.travel("2026-03-04T00:00:00+08:00", tick=False):
        pass_over(database)
        assert take(database) == "43010020260304000001"

    assert first == "43010420260302000001"
