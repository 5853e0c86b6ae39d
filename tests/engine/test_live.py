"""Live instances: what stays in memory changes nothing but how long it takes."""

from __future__ import annotations

import tracemalloc

import pytest
import time_machine
from sqlalchemy import select

from engine import columns, models
from engine.database import Database
from engine.errors import InvalidInput
from tests.benchmarks import reference
from tests.stage import MONDAY


@pytest.fixture
def running(database):
    reference.deploy(database)
    return reference.begin(database)


def decide(database, instance, branch, **data):
    reference.complete(
        database, reference.standing(database, instance)[f"department{branch}"], reference.officer(branch), {**reference.DATA, **data}
    )


def test_complete__hot(database, running):
    hits = database.live.hits
    decide(database, running, 2)
    decide(database, running, 3)
    assert database.live.hits == hits + 2


def test_complete__another_node_wrote(database, database_url, running):
    other = Database(database_url)
    decide(other, running, 2)
    hits, misses = database.live.hits, database.live.misses
    decide(database, running, 3)  # what is in memory is of yesterday
    decide(database, running, 4)
    assert (database.live.hits, database.live.misses) == (hits + 1, misses + 1)
    assert list(reference.standing(database, running)) == ["issue"]
    other.close()


def test_complete__refused_and_then_again(database, running):
    with pytest.raises(InvalidInput):
        decide(database, running, 2, outcome="perhaps")
    decide(database, running, 2)
    assert "department2" not in reference.standing(database, running)


def test_keep__the_database_was_restored(database, running):
    """The same number of writes, but not the same instance: it is woken from what is there."""
    with database.reading() as session:
        row = session.get_one(models.Instance, running)
        before = {"state": row.state, "variables": row.variables, "rev": row.rev + 1}
    decide(database, running, 2)
    with database.bind.begin() as connection:
        connection.execute(models.Instance.__table__.update().where(models.Instance.id == running).values(before))
        connection.execute(models.Task.__table__.update().where(models.Task.element == "department2").values(status="open", ended_at=None))
    decide(database, running, 2)  # what is in memory has it done
    assert set(reference.standing(database, running)) == {"department3", "department4"}


def test_keep__the_limit(monkeypatch, database, running):
    monkeypatch.setattr(database.live, "limit", 100_000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(40):
        reference.begin(database)
    assert 0 < database.live.size <= 100_000
    assert len(database.live) < 40
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4_000_000  # it grows no further, whatever else has been cached on the way


def test_keep__nothing_that_has_ended(database):
    reference.deploy(database)
    before = len(database.live)
    instance = reference.begin(database, done=5)
    assert len(database.live) == before + 1
    reference.complete(database, reference.standing(database, instance)["issue"], reference.CLERK, {})
    assert len(database.live) == before


def course(url, megabytes):
    """Play the reference process to its end; gives every row that is left."""
    database = Database(url, live=megabytes)
    with time_machine.travel(MONDAY, tick=False), columns.seeded("hot or cold"):
        reference.deploy(database)
        instance = reference.begin(database, done=5)
        reference.complete(database, reference.standing(database, instance)["issue"], reference.CLERK, {})
    tables = (models.Instance, models.Task, models.Activity, models.Entry, models.Timer)
    with database.reading() as session:
        rows = {table.__tablename__: sorted(map(str, session.execute(select(table.__table__)))) for table in tables}
    database.close()
    return rows


def test_course__hot_and_cold_leave_the_same_rows(store):
    with store.fresh() as hot, store.fresh() as cold:
        assert course(hot, 64) == course(cold, 0)
