"""Large values: written once, read by those to whom they are new, and seen by everybody as if they lay in the row of their instance."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress

import orjson
import pytest
from alembic import command
from sqlalchemy import delete, select, text, update

from engine import archive_search, archives, execution, holdings, instances, large_values, tasks, variables, verification
from engine.actors import ENGINE
from engine.database import Database
from engine.models import Instance, LargeValue, Task
from engine.upgrades import migrating
from engine.variables import Given
from engine.verification.faults import FaultKind
from tests import tiny
from tests.benchmarks import reference
from tests.bpmn import diagrams as d
from tests.engine.test_adoptions import running_alone
from tests.engine.test_archives import finish
from tests.engine.test_statements import measure

LARGE = "甲" * large_values.LARGE + "乙"
OTHER = [{"name": "张三", "share": 0.1, "none": None, "deep": [[1, 2], {"a": True}]}] * 300


class Undone(Exception):  # noqa: N818 - nothing is wrong
    """What was done is to be taken back."""


@pytest.fixture
def running(database):
    reference.deploy(database)
    return reference.begin(database, done=1)


def put(database, instance, *, gone=(), **values):
    with database.transaction() as session, execution.running(session, instance, actor=ENGINE) as run:
        variables.change(run, Given(values=values, gone=frozenset(gone)))


def decide(database, instance, number, **data):
    task = reference.standing(database, instance)[f"department{number}"]
    reference.complete(database, task, reference.officer(number), {"outcome": "granted", **data})


def apart(database, instance):
    """What lies apart: {SHA-256: value}."""
    with database.reading() as session:
        rows = session.scalars(select(LargeValue).where(LargeValue.instance_id == instance)).all()
        assert all(hashlib.sha256(orjson.dumps(row.content)).hexdigest() == row.sha256 for row in rows)
        return {row.sha256: row.content for row in rows}


def seen(database, instance):
    """The variables, as whoever looks sees them; whoever holds the instance sees the same, from memory or not."""
    with database.reading() as session:
        looked = session.get_one(Instance, instance).variables
    for live in (True, False):
        with database.transaction() as session:
            if not live:
                session.info.pop(holdings.LIVE)
            row = instances.lock(session, instance)
            assert row.variables == looked == instances.take_up(session, row, actor=ENGINE, even_suspended=True).process.variables
    return looked


def small(database, instance):
    with database.reading() as session:
        return session.get_one(Instance, instance).small


def test_put__lies_apart_and_is_seen(database, running):
    before = seen(database, running)

    put(database, running, plan=LARGE, shares=OTHER, note="short")

    assert seen(database, running) == {**before, "plan": LARGE, "shares": OTHER, "note": "short"}
    assert small(database, running) == {**before, "note": "short"}
    assert sorted(map(len, apart(database, running).values())) == sorted([len(LARGE), len(OTHER)])


@pytest.mark.parametrize("hot", [True, False], ids=["hot", "cold"])
def test_complete__beside_it(database, database_url, running, hot):
    """It is not written again, and not read where it is in memory."""
    put(database, running, plan=LARGE)
    before, mine = apart(database, running), database if hot else Database(database_url)
    task = reference.standing(database, running)["department2"]

    sample = measure(mine.bind, lambda: reference.complete(mine, task, reference.officer(2), reference.DATA))

    assert [said for said in sample.statements if "INTO large_values" in said or "FROM large_values AS" in said] == []
    assert len([said for said in sample.statements if "FROM large_values" in said]) == (0 if hot else 1)
    assert (apart(database, running), seen(database, running)["plan"]) == (before, LARGE)
    if not hot:
        mine.close()


def test_put__another_value(database, running):
    put(database, running, plan=LARGE, copy=LARGE)
    assert len(apart(database, running)) == 1

    put(database, running, plan=OTHER)
    assert list(apart(database, running).values()) in ([LARGE, OTHER], [OTHER, LARGE])

    put(database, running, copy="short")
    assert list(apart(database, running).values()) == [OTHER]

    put(database, running, gone=["plan"])
    assert apart(database, running) == {}
    assert "plan" not in seen(database, running)
    with database.reading() as session:
        assert session.get_one(Instance, running).large is None


def test_put__what_is_taken_back(database, running):
    put(database, running, plan=LARGE)
    before = seen(database, running), apart(database, running)

    with suppress(Undone), database.transaction() as session:
        run = instances.wake(session, running, actor=ENGINE)
        variables.change(run, Given(values={"plan": OTHER}))
        execution.settle(run)
        raise Undone
    assert (seen(database, running), apart(database, running)) == before

    with database.transaction() as session:
        row = instances.lock(session, running)
        with suppress(Undone), holdings.savepoint(session):
            row.variables = {**row.variables, "plan": OTHER, "more": LARGE + "丙"}
            holdings.of(session).write()
            raise Undone
        assert (row.variables, row.large) == (before[0], {"plan": next(iter(before[1]))})
    assert (seen(database, running), apart(database, running)) == before


def test_put__before_all_nodes_look_there(database, running):
    """A node of the release before reads the row alone: nothing lies apart until it is known to be gone."""
    with migrating(database.bind) as config:
        command.downgrade(config, large_values.KNOWN_SINCE)
    put(database, running, plan=LARGE)
    assert (apart(database, running), small(database, running)["plan"]) == ({}, LARGE)

    database.migrate()
    decide(database, running, 2)

    assert list(apart(database, running).values()) == [LARGE]
    assert "plan" not in small(database, running)


def test_migrate__down_and_up(database, running):
    put(database, running, plan=LARGE, shares=OTHER)
    before = seen(database, running)

    with migrating(database.bind) as config:
        command.downgrade(config, "0025")
    with database.reading() as session:
        [written] = session.execute(text("SELECT variables FROM instances WHERE parent_id IS NULL")).scalars()
    assert orjson.loads(written) == before

    database.migrate()
    assert seen(database, running) == before


def test_call__hands_it_on_and_back(stage, designer):
    """A process that is called has a value of its own; what calls it reads it when it has ended, and keeps it."""
    called = d.diagram(d.start("s"), d.user("work"), d.end("e"), d.flows("s -> work -> e"), key="called")
    calls = d.call("c", of="called", inputs=["all"], outputs=["all"])
    caller = d.diagram(d.start("s"), calls, d.user("after"), d.end("e"), d.flows("s -> c -> after -> e"), key="caller")
    stage.deploy("calls", **{"called.bpmn": called, "caller.bpmn": caller})
    instance = designer.start("caller", plan=LARGE)
    with stage.reading() as session:
        [child] = session.scalars(select(Instance.id).where(Instance.parent_id == instance.id))
        [task] = session.scalars(select(Task.id).where(Task.instance_id == child))
    assert seen(stage.database, child)["plan"] == LARGE
    assert len(apart(stage.database, child)) == len(apart(stage.database, instance.id)) == 1

    put(stage.database, child, result=OTHER)
    with designer.acting() as session:
        tasks.complete(session, task, actor=designer.actor, data={})

    assert {"plan": LARGE, "result": OTHER}.items() <= seen(stage.database, instance.id).items()
    assert len(apart(stage.database, instance.id)) == 2


def test_adopt__goes_along(stage, clerk, market, designer):
    """It lies where its case lies."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    _, item = running_alone(clerk, stage, materials=[])
    bundle = clerk.take_in("tiny", items=["beta"])
    put(stage.database, item.instance_id, plan=LARGE)

    clerk.adopt(bundle, item.number)

    assert seen(stage.database, item.instance_id)["plan"] == LARGE
    with stage.reading() as session:
        assert session.scalars(select(LargeValue.case_id)).all() == [bundle.id]


def test_archive__goes_along(stage, clerk, market):
    """It leaves the tables of what goes on with its case, and is seen there as before."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, archive_days="30"))
    case = finish(clerk, market)
    with stage.database.transaction() as session:
        row = instances.lock(session, instances.of_case(session, case).id)
        row.variables, row.rev = {**row.variables, "plan": LARGE}, row.rev + 1
    assert list(apart(stage.database, row.id).values()) == [LARGE]
    stage.move_to(2026, 5, 4)

    assert archives.sweep(stage.database) == 1

    assert apart(stage.database, row.id) == {}
    with stage.reading() as session, archive_search.holding(session, case.number) as holding:
        assert holding.get_one(Instance, row.id).variables["plan"] == LARGE
    assert list(verification.verify(stage.database)) == []


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (delete(LargeValue), "Expected the value of variable plan to be there, but it is not"),
        (update(LargeValue).values(content="other"), "Expected the value of variable plan to be as it was written, but its hash differs"),
    ],
)
def test_verify__damaged(database, running, damage, says):
    put(database, running, plan=LARGE)
    assert list(verification.verify(database)) == []
    with database.transaction() as session:
        session.execute(damage)

    [fault] = verification.verify(database)

    assert (fault.kind, fault.message) == (FaultKind.STATE, says)


@pytest.mark.parametrize("seed", range(6))
def test_put__at_random(database, database_url, running, monkeypatch, seed):
    """Whatever comes and goes, on two nodes: what is seen is what was put, and nothing lies apart that no variable has."""
    monkeypatch.setattr(large_values, "LARGE", 40)
    put(database, running, a="")  # from now on even what is there is large
    choose, there = random.Random(seed), seen(database, running)
    nodes = [database, Database(database_url, live=0), Database(database_url)]
    values = ["", None, 5, "x" * 38, "x" * 39, "章" * 14, "x" * 41, ["y"] * 10, {"a": ["z" * 60]}, "x" * 1000, "章" * 500]
    for _ in range(25):
        given = {name: choose.choice(values) for name in choose.sample("abcde", k=choose.randint(0, 3))}
        gone = choose.sample([name for name in "abcde" if name not in given], k=choose.randint(0, 1))
        put(choose.choice(nodes), running, gone=gone, **given)
        there = {name: value for name, value in {**there, **given}.items() if name not in gone}
        assert seen(choose.choice(nodes), running) == there
        assert {*map(repr, apart(database, running).values())} == {
            repr(v) for v in there.values() if large_values.length(v) > large_values.LARGE
        }
    for node in nodes[1:]:
        node.close()
