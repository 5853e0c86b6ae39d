"""What others fetch is found, whatever has come and gone before it, and however late it was written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from engine import external_tasks, fetches, moments, outbox, remains, suspension
from engine.database import Database
from engine.external_tasks import Failure
from engine.fetches import Fetch, Wanted
from engine.floors import UNSEEN
from engine.models import ExternalTask, Outbox
from engine.outbox import Topic
from engine.remains import RARELY, Memory
from tests.acceptance import plans
from tests.benchmarks import bench_queues
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR
from tests.restaurant import ANSWERS

MINUTES, SECONDS = timedelta(minutes=1), timedelta(seconds=1)
PRINTED = d.diagram(d.start("s"), d.external("t", topic="print"), d.end("e"), d.flows("s -> t -> e"), key="p")


class Node:
    """One process on a database, whose looks take as long as one says."""

    def __init__(self, database: Database) -> None:
        self.database, self.passed, self.takes = database, 0.0, 0.0
        remains._memories[database.bind] = Memory(self.tell)

    def tell(self):
        self.passed += self.takes
        return self.passed

    def look(self):
        """Look through everything from its very beginning; it takes so long that it is not soon done again."""
        self.takes = 10.0
        self.messages()
        self.tasks()
        self.takes = 0.0

    def tasks(self, *, limit=1, lock=MINUTES, by_priority=True, only_look=True, **asked):
        """Whether there are any, and then which are given; ids."""
        wanted = Wanted(topic="print", lock=lock, **asked)
        what = Fetch(worker="w", limit=limit, by_priority=by_priority, wanted=(wanted,))
        with self.database.reading() as session:
            there = fetches.is_there(session, what, actor=OPERATOR)
        if only_look or not there:
            return []
        with self.database.transaction() as session:
            return [found.task.id for found, _ in fetches.fetch(session, what, actor=OPERATOR)]

    def fetch(self, **asked):
        return self.tasks(only_look=False, **asked)

    def messages(self, limit=100, topic=Topic.NOTICE):
        with self.database.reading() as session:
            return [row.id for row in outbox.unsent(session, actor=OPERATOR, topic=topic, limit=limit)]


@pytest.fixture
def node(stage):
    stage.deploy("p", p_bpmn=PRINTED)
    return Node(stage.database)


@pytest.fixture
def start(stage, designer) -> Callable[..., list]:
    """Start processes whose tasks are so old; ids of these."""

    def start(*ages, **asked):
        started = [designer.start("p", **asked).id for _ in ages]
        with stage.database.transaction() as session:
            rows = [session.scalars(select(ExternalTask).where(ExternalTask.instance_id == one)).one() for one in started]
            for row, ago in zip(rows, ages, strict=True):
                row.created_at = moments.now() - ago
            return [row.id for row in rows]

    return start


@pytest.fixture
def put(stage, clerk) -> Callable[..., list]:
    """Owe messages that are so old; ids."""
    case = clerk.submit("open_restaurant", answers=ANSWERS)

    def put(*ages, topic=Topic.NOTICE):
        with stage.database.transaction() as session:
            rows = [outbox.owe(session, case, topic) for _ in ages]
            for row, ago in zip(rows, ages, strict=True):
                row.created_at = moments.now() - ago
            session.flush()
            return [row.id for row in rows]

    with stage.database.transaction() as session:
        outbox.confirm(session, session.scalars(select(Outbox.id)).all(), actor=OPERATOR)
    return put


def confirm(stage, ids):
    with stage.database.transaction() as session:
        assert outbox.confirm(session, ids, actor=OPERATOR) == len(ids)


def change(stage, task_id, how):
    with stage.database.transaction() as session:
        task = session.get_one(ExternalTask, task_id)
        how(session, task)


only_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@only_sqlite
def test_fetch__what_was_committed_late(node, start):
    """Whoever wrote it may have taken a while until the commit."""
    node.look()

    late = start(UNSEEN - 5 * SECONDS)

    assert node.fetch() == late


@only_sqlite
def test_fetch__what_was_written_long_ago(node, start):
    """It waits for a look from the very beginning."""
    node.look()

    old = start(30 * MINUTES)

    assert node.fetch() == []
    node.passed += 10 * RARELY
    assert node.fetch() == old


def _lapse(stage, node, task_id):
    stage.traveller.shift(2 * MINUTES)


def _retry(stage, node, task_id):
    change(stage, task_id, lambda session, task: external_tasks.set_retries(session, task.id, 1, actor=OPERATOR))


def _activate(stage, node, task_id):
    change(stage, task_id, lambda session, task: suspension.activate(session, task.instance_id, actor=OPERATOR))


def _unlock(stage, node, task_id):
    change(stage, task_id, lambda session, task: external_tasks.unlock(session, task.id, actor=OPERATOR))


def _hold(stage, node, task_id):
    assert node.fetch(lock=MINUTES) == [task_id]


def _fail(stage, node, task_id):
    _hold(stage, node, task_id)
    failure = Failure(message="no paper", details=None, retries=0, after=timedelta(0))
    change(stage, task_id, lambda session, task: external_tasks.fail(session, task.id, "w", failure, actor=OPERATOR))


def _suspend(stage, node, task_id):
    change(stage, task_id, lambda session, task: suspension.suspend(session, task.instance_id, actor=OPERATOR))


@pytest.mark.parametrize(
    ("taken", "given_back"), [(_hold, _lapse), (_hold, _unlock), (_fail, _retry), (_suspend, _activate)], ids=lambda verb: verb.__name__
)
def test_fetch__what_was_there_and_could_not_be_had(stage, node, start, taken, given_back):
    """It is had in the moment in which it can be, however old it is: nobody looks from the very beginning for that."""
    (old,) = start(60 * MINUTES)
    taken(stage, node, old)
    node.look()
    assert node.fetch() == []

    given_back(stage, node, old)

    assert node.fetch() == [old]


def test_fetch__more_wait_than_are_remembered(node, start, monkeypatch):
    monkeypatch.setattr(remains, "MOST", 2)
    waiting = start(*(age * MINUTES for age in (50, 40, 30, 20, 10)))
    node.look()

    assert [node.fetch() for _ in range(6)] == [*([one] for one in waiting), []]


@only_sqlite
def test_fetch__the_greatest_priority_first(stage, node, start, monkeypatch):
    """Wherever it stands."""
    monkeypatch.setattr(remains, "MOST", 2)
    waiting = start(*(age * MINUTES for age in (50, 40, 30, 20, 10)))
    for place, priority in ((1, 7), (3, 9)):
        change(stage, waiting[place], lambda session, task, of=priority: external_tasks.set_priority(session, task.id, of, actor=OPERATOR))
    node.look()

    assert node.fetch(limit=3) == [waiting[3], waiting[1], waiting[0]]


@only_sqlite
@pytest.mark.parametrize("asked", [{"business_key": "mine"}, {"variables": {"colour": "red"}}], ids=str)
def test_fetch__one_among_many(node, start, monkeypatch, asked):
    """More than are named in one go are no reason to miss it."""
    monkeypatch.setattr(fetches, "LOOK", 2)
    start(*[MINUTES] * 5, colour="blue")
    mine = start(SECONDS, business_key="mine", colour="red")

    assert node.fetch(**asked) == mine


def test_fetch__two_nodes(stage, node, start):
    """What one has seen go, comes back to both; each is given what the other is not."""
    other = Node(Database(stage.database.bind.url.render_as_string(hide_password=False)))
    (old,) = start(60 * MINUTES)
    for one in (node, other):
        one.look()
    new = start(*[timedelta(0)] * 4)

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda one: one.fetch(limit=3), (node, other)))

    assert sorted(found[0] + found[1] + node.fetch(limit=5)) == sorted([old, *new])
    stage.traveller.shift(2 * MINUTES)
    assert sorted(other.fetch(limit=5)) == sorted([old, *new])
    other.database.close()


@only_sqlite
def test_fetch__the_clock_was_set_back(stage, node, start):
    """Then what comes now seems to be older than what was seen."""
    node.look()
    stage.traveller.shift(-60 * MINUTES)

    new = start(timedelta(0))

    assert node.fetch() == new


@only_sqlite
def test_fetch__who_has_written_himself_remembers_nothing(stage, node, start):
    """What he has seen may not come true."""
    (waiting,) = start(60 * MINUTES)
    what = Fetch(worker="w", limit=1, wanted=(Wanted(topic="print", lock=MINUTES),))
    with stage.database.transaction() as session:
        session.delete(session.get_one(ExternalTask, waiting))
        assert not fetches.is_there(session, what, actor=OPERATOR)
        session.rollback()

    assert node.fetch() == [waiting]


@only_sqlite
def test_ready_topics__only_those_that_are_waited_for(node, start):
    start(60 * MINUTES)
    node.look()

    with node.database.reading() as session:
        assert fetches.ready_topics(session, {"print", "stamp"}) == {"print"}
        assert fetches.ready_topics(session, {"stamp"}) == fetches.ready_topics(session, set()) == set()


@only_sqlite
def test_memory__has_an_end(node, monkeypatch):
    """Clients say what topics are called."""
    monkeypatch.setattr(remains, "QUEUES", 3)

    with node.database.reading() as session:
        for number in range(10):
            fetches.ready_topics(session, {f"topic {number}"})

    assert len(remains.memory(session)._known) <= 3


def test_unsent__what_nobody_carries_stays(stage, node, put):
    """It is given again and again, and what comes behind it, too."""
    stays, goes = put(60 * MINUTES, 50 * MINUTES)
    node.look()
    confirm(stage, [goes])
    late, new = put(UNSEEN - 5 * SECONDS, timedelta(0))

    assert node.messages() == [stays, late, new]
    assert node.messages(limit=2) == [stays, late]


def test_unsent__more_wait_than_are_remembered(stage, node, put, monkeypatch):
    monkeypatch.setattr(remains, "MOST", 2)
    waiting = put(*(age * MINUTES for age in (50, 40, 30, 20, 10)))
    node.look()

    assert node.messages() == waiting
    for one in waiting:
        assert node.messages(limit=1) == [one]
        confirm(stage, [one])
    assert node.messages() == []


@only_sqlite
def test_unsent__what_was_written_long_ago(node, put):
    node.look()

    old = put(30 * MINUTES, 20 * MINUTES)
    others = put(30 * MINUTES, topic=Topic.ALERT)

    assert (node.messages(), node.messages(topic=Topic.ALERT)) == ([], others)
    node.passed += 10 * RARELY
    assert node.messages() == old


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_anything__dead_rows_are_not_looked_at(stage, node, start, put):
    """Pages that a look touches behind what an old state of the database keeps, with something at the head that stays."""
    start(300 * MINUTES)
    put(300 * MINUTES)
    with stage.database.snapshot() as backup:
        backup.execute(text("SELECT count(*) FROM timers"))
        bench_queues.churn(stage.database, 20_000, before=0, topic="print", message=Topic.NOTICE)
        node.passed += 10 * RARELY
        from_the_beginning = pages(node)
        node.look()
        remembered = pages(node)
        with stage.database.bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))  # from now on the planner takes the tables for empty

        assert pages(node) < 60
        assert remembered < 60
        assert from_the_beginning > 500


def pages(node):
    """How many pages PostgreSQL touches for the statements of two looks."""
    with plans.recorded(node.database) as statements:
        node.messages()
        node.tasks()
    return plans.pages_touched(node.database, statements)
