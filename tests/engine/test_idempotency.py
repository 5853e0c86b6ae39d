"""Idempotency keys: one command, one effect, one answer; and the answer lies where the command has written."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError

from engine import clients, idempotency, keys
from engine.actors import Actor
from engine.command_models import IdempotentAnswer
from engine.errors import Busy, InvalidInput, InvalidState, Unavailable, Vanished
from engine.idempotency import Answer, Command, Repeated
from engine.models import Department, Incident
from engine.moments import now
from engine.upgrades import migrating

CLERK, OTHER = Actor(name="clerk"), Actor(name="other")
FIRST = Answer(status=201, body='{"number": 1}')
#: Seconds after which somebody hangs, however busy the machine is.
PATIENCE = 60
#: The cases that a command may be about; `None`: none.
HERE, THERE = ({"case_id": UUID(int=number), "region": "430100"} for number in (1, 2))


@pytest.fixture(params=["newest", "expanded"])
def database(database, request):
    """As it is, and as it is as long as nodes of the release before may be there: one answer of a key, wherever it lies."""
    if request.param == "expanded":
        with migrating(database.bind) as config:
            command.downgrade(config, "0026")
    return database


def add(session, case=HERE):
    """What may succeed twice: an incident of a case that knows nothing of others."""
    session.add(Incident(**(case or keys.NOBODY), element="a", message="", raised_at=now()))


def run(database, key="k", *, actor=CLERK, request_hash="a", answer=FIRST, work=add):
    """Carry a command out; gives what the caller is answered."""
    try:
        with idempotency.transaction(database, Command(key=key, actor=actor.name, request_hash=request_hash)) as session:
            work(session)
            idempotency.keep(session, answer)
    except Repeated as first:
        return first.answer
    return answer


def effects(database):
    with database.reading() as session:
        return session.scalar(select(func.count(Incident.id)))


def places(database):
    with database.reading() as session:
        return [(row.case_id, row.region) for row in session.scalars(select(IdempotentAnswer).order_by(IdempotentAnswer.key))]


def test_transaction__repeated(database):
    first = run(database)

    again = run(database, answer=Answer(status=200, body="another"))

    assert again == first == FIRST
    assert effects(database) == 1


def test_transaction__something_is_in_the_way_of_the_repeat(database):
    """What the first one did: its answer counts, not what the second one is told."""

    def once(session):
        if session.scalar(select(func.count(Incident.id))):
            raise InvalidState("Expected to do it once, but it is done")
        add(session)

    assert run(database, work=once) == FIRST
    assert run(database, work=once) == FIRST
    with pytest.raises(InvalidState):
        run(database, "another", work=once)
    assert effects(database) == 1


def test_transaction__the_database_is_in_the_way_of_the_repeat(database):
    """Something is there that is one by a rule of the database alone."""

    def name(session):
        add(session)
        session.add(Department(code="d", name="部门"))
        session.flush()

    assert run(database, work=name) == run(database, work=name) == FIRST
    with pytest.raises(Vanished) as told:  # whoever meets that again is told the cause (`api.repeats`)
        run(database, "another", work=name)
    assert isinstance(told.value.__cause__, IntegrityError)
    assert effects(database) == 1


@pytest.mark.parametrize("case", [HERE, THERE, None])
def test_transaction__other_command(database, case):
    """About the same case, about another one, about none."""
    run(database)

    with pytest.raises(InvalidInput, match="belongs to another command"):
        run(database, request_hash="b", work=lambda session: add(session, case))

    assert effects(database) == 1


def test_transaction__key_of_another_actor(database):
    run(database)

    run(database, actor=OTHER)

    assert effects(database) == 2


def test_transaction__first_was_refused(database):
    """It changed nothing, and keeps nothing: the key is as good as new, for a better command, too."""

    def refuse(session):
        add(session)
        raise InvalidInput("Expected something else, but this was tried")

    with pytest.raises(InvalidInput, match="something else"):
        run(database, work=refuse)

    assert run(database, request_hash="b") == FIRST
    assert effects(database) == 1


def test_transaction__the_commit_fails(database):
    """Nobody knows: whoever repeats it finds out."""

    def lose(session):
        add(session)
        event.listen(session.connection(), "commit", fail)

    def fail(_connection):
        raise Unavailable("Expected the database to answer, but it cannot be reached just now")

    with pytest.raises(Unavailable):
        run(database, work=lose)

    assert effects(database) == 0
    assert run(database) == FIRST
    assert effects(database) == 1


def test_transaction__the_case_has_gone_elsewhere(database):
    """What was done to an item is asked again when the item is in a bundle, in another place: an adoption takes no answers along."""
    run(database, work=lambda session: add(session, HERE))

    assert run(database, answer=Answer(status=200, body="another"), work=lambda session: add(session, THERE)) == FIRST
    assert effects(database) == 1
    assert places(database) == [tuple(HERE.values())]


def test_keep__where_the_command_has_written(database):
    def write_a_case(session):
        department(session)
        add(session, THERE)

    def department(session):
        session.add(Department(code=f"d{session.scalar(select(func.count(Department.code)))}", name="部门"))
        session.flush()

    for key, work in enumerate((add, write_a_case, department, lambda session: add(session, None), lambda _session: None)):
        run(database, str(key), work=work)

    nobody = tuple(keys.NOBODY.values())
    assert places(database) == [tuple(HERE.values()), tuple(THERE.values()), nobody, nobody, nobody]


def at_once(database, first_work, second_work, *, ends=None, **second):
    """Two commands of one key, of which the second begins while the first stands before its commit, and waits for it; gives both answers."""
    stands, goes = Event(), Event()

    def stand(_connection):
        stands.set()
        assert goes.wait(PATIENCE)
        if ends is not None:
            raise ends

    def first(session):
        first_work(session)
        event.listen(session.connection(), "commit", stand)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, database, work=first)
        assert stands.wait(PATIENCE)
        two = pool.submit(run, database, work=second_work, answer=Answer(status=201, body="2"), **second)
        _await_that_somebody_waits(database)
        goes.set()
        return [one.exception() or one.result(), two.exception() or two.result()]


def _await_that_somebody_waits(database):
    if database.bind.dialect.name == "sqlite":
        return  # whoever comes second waits for his turn, whenever it is that he comes
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.reading() as session:
            if clients.waiting(session.connection()):
                return
        time.sleep(0.01)
    raise AssertionError("Expected the second command to wait for the first, but it does not")


def test_transaction__two_at_once(database):
    one, two = at_once(database, add, add)

    assert one == two == FIRST
    assert effects(database) == 1


def test_transaction__two_at_once_and_the_first_fails(database):
    one, two = at_once(database, add, add, ends=ZeroDivisionError())

    assert two == Answer(status=201, body="2")
    assert one == two or isinstance(one, ZeroDivisionError)  # when it looks what became of its key, the second one may be done
    assert effects(database) == 1


def test_transaction__other_command_at_once(database):
    one, two = at_once(database, add, add, request_hash="b")

    assert one == FIRST
    assert isinstance(two, InvalidInput)
    assert effects(database) == 1


@pytest.mark.parametrize("database", ["expanded"], indirect=True)
def test_transaction__other_command_elsewhere_at_once_while_older_nodes_may_be_there(database):
    one, two = at_once(database, add, lambda session: add(session, THERE), request_hash="b")

    assert one == FIRST
    assert isinstance(two, InvalidInput)
    assert effects(database) == 1


@pytest.mark.parametrize("database", ["newest"], indirect=True)
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("there", [THERE, None])
def test_transaction__other_command_elsewhere_at_once(database, there):
    """Neither is in the other's way: both are done, each has its answer, and who repeats one is given that; a third one is refused."""
    second = {"request_hash": "b", "answer": Answer(status=200, body="2"), "work": lambda session: add(session, there)}

    def first(session):
        add(session)
        event.listen(session.connection(), "commit", lambda _connection: run(database, **second))

    assert run(database, work=first) == FIRST
    assert effects(database) == 2

    assert run(database, answer=Answer(status=200, body="1 again")) == FIRST
    assert run(database, **second | {"answer": Answer(status=200, body="2 again")}) == second["answer"]
    for case in (HERE, there):
        with pytest.raises(InvalidInput, match="belongs to another command"):
            run(database, request_hash="c", work=lambda session, case=case: add(session, case))
    assert effects(database) == 2


def test_transaction__many_at_once(database):
    start = Barrier(8)

    def command(number):
        start.wait(PATIENCE)
        return run(database, answer=Answer(status=201, body=str(number)))

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(command, range(8)))

    assert len(answers) == 1
    assert effects(database) == 1


def older(session):
    """What a node of the release before does: it takes the key first, and does not say where; its answer is written last."""
    session.execute(text(OLDER[0]), {"now": now()})
    add(session)
    session.flush()
    session.execute(text(OLDER[1]))


#: Its statements.
OLDER = (
    "INSERT INTO idempotent_answers (key, actor, request_hash, status, body, answered_at) VALUES ('k', 'clerk', 'a', 0, '', :now)",
    "UPDATE idempotent_answers SET status = 201, body = 'older' WHERE key = 'k' AND actor = 'clerk'",
)


@pytest.mark.parametrize("database", ["expanded"], indirect=True)
def test_transaction__beside_a_node_of_the_release_before(database):
    """Both at once: the new one waits for the answer of the older one, though it does not see its key; no answer is ever a half one."""
    stands, goes = Event(), Event()

    def old():
        with database.transaction() as session:
            older(session)
            stands.set()
            assert goes.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(old)
        assert stands.wait(PATIENCE)
        two = pool.submit(run, database)
        _await_that_somebody_waits(database)
        goes.set()
        one.result()

    assert two.result() == run(database) == Answer(status=201, body="older")
    assert effects(database) == 1


@pytest.mark.parametrize("database", ["expanded"], indirect=True)
def test_transaction__before_a_node_of_the_release_before(database):
    run(database)

    with pytest.raises(IntegrityError), database.transaction() as session:
        older(session)
    assert effects(database) == 1


@pytest.mark.parametrize("database", ["expanded"], indirect=True)
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_transaction__waits_for_an_older_node_that_waits_for_it(database):
    """One has the key and wants a row, the other has the row and wants the key: PostgreSQL ends one of them, and one takes effect."""
    has_the_row, has_the_key = Event(), Event()
    row = text("SELECT 1 FROM departments WHERE code = 'd' FOR UPDATE")
    with database.transaction() as session:
        session.add(Department(code="d", name="部门"))

    def new(session):
        session.execute(row)
        has_the_row.set()
        assert has_the_key.wait(PATIENCE)
        add(session)

    def old():
        with database.transaction() as session:
            session.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            assert has_the_row.wait(PATIENCE)
            older(session)
            has_the_key.set()
            _await_that_somebody_waits(database)
            session.execute(row)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(run, database, work=new), pool.submit(old)

    assert (type(two.exception()), one.result()) == (Busy, FIRST)
    assert effects(database) == 1
