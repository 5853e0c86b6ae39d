"""Idempotency keys: one command, one effect, one answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import func, select

from engine import idempotency
from engine.actors import Actor
from engine.errors import InvalidInput
from engine.idempotency import Answer
from engine.models import Department, IdempotentAnswer

CLERK, OTHER = Actor(name="clerk"), Actor(name="other")
FIRST = Answer(status=201, body='{"number": 1}')


def run(database, key, *, actor=CLERK, request_hash="a", answer=FIRST):
    """A command that adds a department; gives what the caller is answered."""
    with database.transaction() as session:
        if first := idempotency.begin(session, key, actor=actor, request_hash=request_hash):
            return first
        session.add(Department(code=f"d{session.scalar(select(func.count(Department.code)))}", name="部门"))
        idempotency.finish(session, key, actor=actor, answer=answer)
        return answer


def refuse(session):
    idempotency.begin(session, "k", actor=CLERK, request_hash="a")
    raise InvalidInput("Expected something else, but this was tried")


def effects(database):
    with database.reading() as session:
        return session.scalar(select(func.count(Department.code)))


def test_begin__repeated(database):
    first = run(database, "k")

    again = run(database, "k", answer=Answer(status=200, body="another"))

    assert again == first == FIRST
    assert effects(database) == 1


def test_begin__other_command(database):
    run(database, "k")

    with pytest.raises(InvalidInput, match="belongs to another command"):
        run(database, "k", request_hash="b")

    assert effects(database) == 1


def test_begin__key_of_another_actor(database):
    run(database, "k")

    run(database, "k", actor=OTHER)

    assert effects(database) == 2


def test_begin__first_was_refused(database):
    with pytest.raises(InvalidInput), database.transaction() as session:
        refuse(session)

    assert run(database, "k") == FIRST
    assert effects(database) == 1


def test_begin__two_at_once(database):
    start = Barrier(2)

    def command(n):
        start.wait(5)
        return run(database, "k", answer=Answer(status=201, body=str(n)))

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(command, range(2))

    assert one == two
    assert effects(database) == 1


def test_begin__waits_for_a_first_that_fails(database):
    taken = Event()

    def fail():
        with database.transaction() as session:
            idempotency.begin(session, "k", actor=CLERK, request_hash="a")
            taken.set()
            Event().wait(0.2)
            raise ZeroDivisionError

    with ThreadPoolExecutor(1) as pool:
        failing = pool.submit(fail)
        taken.wait(5)
        assert run(database, "k") == FIRST

    assert isinstance(failing.exception(), ZeroDivisionError)
    with database.reading() as session:
        assert session.scalars(select(IdempotentAnswer.status)).all() == [201]
