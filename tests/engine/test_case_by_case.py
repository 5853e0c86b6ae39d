"""Where a transaction writes to one case only (`ONETHING_BATCH=1`), everything comes about as elsewhere, and once, whoever dies on the way."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from engine import (
    archives,
    broadcasts,
    correlation,
    database,
    deeds,
    definitions,
    deployments,
    instances,
    jobs,
    pieces,
    processes,
    scheduler,
    suspension,
    timers,
)
from engine.broadcasts import Thrown
from engine.correlation import Message
from engine.deeds import Kind
from engine.errors import InvalidState, Unavailable, Unsettled
from engine.models import Activity, Definition, Deployment, Instance, Job, Outbox, Subscription, Timer
from engine.pace import Pace
from engine.places import Place
from engine.queues import LONG_AGO
from engine.schedule_models import Continuation
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import signal

PAST = "2026-01-01T00:00:00Z"
REMINDING = d.diagram(
    *(
        d.start("s"),
        d.user("work", name="办理"),
        d.timer_boundary("done", on="work", date=PAST, interrupting=False),
        d.end("r"),
        d.end("e"),
    ),
    d.flows("s -> work -> e", "done -> r"),
    key="p",
)
CARRIED = d.diagram(
    *(d.start("s"), d.user("work", name="办理"), d.end("e")),
    d.element("serviceTask", "done", attrs={"camunda:asyncBefore": "true", "camunda:expression": "${1}", "camunda:resultVariable": "x"}),
    d.flows("s -> done -> work -> e"),
    key="p",
)
HEARING = d.diagram(
    *(
        d.start("s"),
        d.user("work", name="办理"),
        d.boundary("done", signal("flood"), on="work", interrupting=False),
        d.end("r"),
        d.end("e"),
    ),
    d.flows("s -> work -> e", "done -> r"),
    key="p",
)
RECEIVING = d.diagram(d.start("s"), d.receive("done", message="paid"), d.end("e"), d.flows("s -> done -> e"), key="p")
THROWING = d.diagram(d.start("s"), d.throw("warn", signal("flood")), d.end("e"), d.flows("s -> warn -> e"), key="thrower")
BEGINNING = d.diagram(d.start("done", signal("flood")), d.user("note"), d.end("e"), d.flows("done -> note -> e"), key="beginner")


@pytest.fixture(autouse=True)
def alone(stage, monkeypatch):
    stage.checking = False
    monkeypatch.setitem(stage.database.info, database.BATCH, 1)


@pytest.fixture
def begun(stage, designer):
    """Start so many processes of a diagram."""

    def begin(diagram, count):
        stage.deploy("p", p_bpmn=diagram)
        return [designer.start("p").id for _ in range(count)]

    return begin


@pytest.fixture
def owed(stage, designer, begun, monkeypatch):
    """Two processes that hear a signal, and one that begins with it; it is thrown by a process, and the node dies before it has told anybody."""
    some = begun(HEARING, 2)
    stage.deploy("thrower", thrower_bpmn=THROWING)
    stage.deploy("beginner", beginner_bpmn=BEGINNING)
    with monkeypatch.context() as dying:
        dying.setattr(jobs, "run_after_commit", lambda *_: None)
        thrower = designer.start("thrower")
    return thrower, some


def done(stage):
    """How often each instance has done what it is there for."""
    with stage.reading() as session:
        return Counter(session.scalars(select(Activity.instance_id).where(Activity.element == "done", Activity.outcome == "completed")))


def count(stage, table):
    with stage.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def all_jobs(stage):
    with stage.reading() as session:
        return session.scalars(select(Job).order_by(Job.id)).all()


def as_if_not_struck_out(stage, rows):
    """Put jobs back that were done: whoever had done them died before he could strike them out."""
    with stage.database.transaction() as session:
        session.add_all(
            [Job(**row.key, id=row.id, instance_id=row.instance_id, kind=row.kind, payload=row.payload, due_at=row.due_at) for row in rows]
        )


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("diagram", "table"), [(REMINDING, Timer), (CARRIED, Continuation)])
def test_tick__many_are_due(stage, begun, transactions, diagram, table):
    some = begun(diagram, 12)
    transactions.clear()

    assert scheduler.tick(stage.database) == 12

    assert done(stage) == Counter(some)
    assert count(stage, table) == 0
    assert [len(cases) for cases, _ in transactions if cases] == [1] * 12


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("diagram", [REMINDING, CARRIED])
def test_tick__two_nodes_of_two_hands(stage, begun, diagram):
    some = begun(diagram, 30)
    together = Barrier(2)

    def work(_):
        together.wait()
        while scheduler.tick(stage.database, limit=10, pace=Pace(hands=2)):
            pass

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    scheduler.drain(stage.database)

    assert done(stage) == Counter(some)
    with stage.reading() as session:
        assert {row.rev for row in session.scalars(select(Instance))} == {2}


# Signals ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__in_a_process(stage, owed, transactions):
    """It is owed in the case that throws it; each that hears it, or begins with it, writes to its own."""
    thrower, some = owed
    assert [(job.kind, job.instance_id) for job in all_jobs(stage)] == [("tell", thrower.id)] * 2 + [("begin", thrower.id)]

    assert scheduler.tick(stage.database) == 3

    assert {each: times for each, times in done(stage).items() if each in some} == dict.fromkeys(some, 1)
    assert sum(done(stage).values()) == 3
    assert (all_jobs(stage), [len(cases) for cases, _ in transactions if cases]) == ([], [1] * 6)


def test_throw__whoever_told_it_dies_before_it_is_struck_out(stage, owed):
    before = all_jobs(stage)
    scheduler.drain(stage.database)
    as_if_not_struck_out(stage, before)

    scheduler.drain(stage.database)

    assert set(done(stage).values()) == {1}
    assert (len(done(stage)), all_jobs(stage)) == (3, [])
    with stage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Instance)) == 4


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("place", "module", "step", "tells"), [(0, instances, "lock", True), (2, definitions, "get", False)])
def test_throw__somebody_else_does_the_same_meanwhile(stage, owed, monkeypatch, place, module, step, tells):
    """Whoever was slow is taken for dead, and goes on when all is done, the job struck out: it comes to nothing, and is no failure."""
    job, go_on = all_jobs(stage)[place], getattr(module, step)

    def overtaken(*args):
        patch.undo()
        assert deeds.run(stage.database, job.id)
        return go_on(*args)

    with monkeypatch.context() as patch:
        patch.setattr(module, step, overtaken)
        assert deeds.run(stage.database, job.id) is tells
        assert getattr(module, step) is go_on, "nobody was slow"
    scheduler.drain(stage.database)

    assert (set(done(stage).values()), len(done(stage))) == ({1}, 3)
    assert (count(stage, Instance), all_jobs(stage)) == (4, [])


@pytest.mark.parametrize(("name", "left"), [("p", 1), ("beginner", 2)])
def test_throw__who_was_to_hear_it_is_gone(stage, designer, owed, name, left):
    with stage.database.transaction() as session:
        deployment = session.scalars(select(Deployment.id).where(Deployment.name == name)).one()
        deployments.delete(session, deployment, actor=designer.actor, cascade=True)

    scheduler.drain(stage.database)

    assert (sum(done(stage).values()), all_jobs(stage)) == (left, [])


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__who_was_to_hear_it_is_suspended(stage, designer, owed):
    """It is owed there until that is activated, and keeps no other waiting."""
    _, some = owed
    with stage.database.transaction() as session:
        suspension.suspend(session, some[0], actor=designer.actor)

    scheduler.drain(stage.database)

    assert [(job.kind, job.instance_id) for job in all_jobs(stage)] == [("signal", some[0])]
    assert (done(stage)[some[0]], done(stage)[some[1]]) == (0, 1)
    with stage.database.transaction() as session:
        suspension.activate(session, some[0], actor=designer.actor)
    scheduler.drain(stage.database)
    assert (done(stage)[some[0]], all_jobs(stage)) == (1, [])


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__who_was_to_hear_it_has_ended(stage, designer, owed):
    _, some = owed
    with stage.database.transaction() as session:
        suspension.suspend(session, some[0], actor=designer.actor)
        processes.end(session, some[0], actor=designer.actor, reason="不办了")

    scheduler.drain(stage.database)

    assert (done(stage)[some[0]], done(stage)[some[1]], all_jobs(stage)) == (0, 1, [])


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__from_outside(stage, designer, begun, transactions):
    some = begun(HEARING, 3)
    stage.deploy("beginner", beginner_bpmn=BEGINNING)
    transactions.clear()

    designer.does(partial(broadcasts.throw, signal=Thrown(name="flood"), actor=designer.actor))

    assert {each: times for each, times in done(stage).items() if each in some} == dict.fromkeys(some, 1)
    assert sum(done(stage).values()) == 4
    assert {len(cases) for cases, _ in transactions if cases} == {1}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__from_outside_to_one(stage, designer, begun):
    one, _ = begun(HEARING, 2)

    designer.does(partial(broadcasts.throw, signal=Thrown(name="flood", place=Place(one)), actor=designer.actor))

    assert done(stage) == {one: 1}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_correlate__with_everybody(stage, designer, begun, transactions):
    some = begun(RECEIVING, 3)
    transactions.clear()

    find = partial(correlation.correlate, message=Message(name="paid"), actor=designer.actor, everybody=True)
    assert [reached.instance.id for reached in designer.does(find)] == some

    assert done(stage) == Counter(some)
    assert [len(cases) for cases, _ in transactions if cases] == [1] * 3


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_throw__what_has_begun_is_archived_already(stage, designer, owed):
    """It has begun, ended and gone to the archive before whoever had begun it could strike that out."""
    begun = [job for job in all_jobs(stage) if job.kind == "begin"]
    scheduler.drain(stage.database)
    [case] = [stage.of(instance) for instance in running(stage, "beginner")]
    designer.complete(case, "note")
    with stage.database.transaction() as session:
        session.execute(update(Outbox).values(sent_at=case.submitted_at))
    assert archives.put_away(stage.database, case.id)
    as_if_not_struck_out(stage, begun)

    scheduler.drain(stage.database)

    assert (running(stage, "beginner"), all_jobs(stage)) == ([], [])


def running(stage, key):
    """Instances of a process."""
    with stage.reading() as session:
        return session.scalars(select(Instance).join(Definition).where(Definition.key == key)).all()


# Pieces -----------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def strike_out(stage, begun):
    """Do four pieces, and let one of them fail; gives its error, and how many are left then."""
    some = begun(HEARING, 4)

    def strike_out(failing, error, **more):
        def piece(instance_id, session):
            if instance_id == some[failing]:
                raise error
            session.delete(session.scalars(select(Subscription).where(Subscription.instance_id == instance_id)).one())

        with pytest.raises(type(error)) as raised:
            pieces.do(stage.database, lambda _: [partial(piece, each) for each in some], **more)
        return type(raised.value), count(stage, Subscription)

    return strike_out


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("batch", "left"), [(1, 2), (2, 4)])
def test_do__one_fails(stage, strike_out, monkeypatch, batch, left):
    """What was done before it stays where each has its own transaction; else nothing does."""
    monkeypatch.setitem(stage.database.info, database.BATCH, batch)

    assert strike_out(2, InvalidState("no")) == (InvalidState, left)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("failing", "known"), [(0, Unavailable), (1, Unsettled)])
def test_do__the_database_is_in_the_way_of_one(strike_out, failing, known):
    """It is tried again by itself; when that is in vain, the command may only be repeated when nothing was done."""
    tries = []

    def again(work):
        tries.append(work)
        return work()

    assert strike_out(failing, Unavailable("away"), again=again) == (known, 4 - failing)
    assert len(tries) == failing + 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_together__tries_more_than_the_one_that_is_first(stage, begun):
    """That may be held by somebody who hangs, while it is the next one that fails."""
    begun(REMINDING, 3)
    tried = []

    def fail(*_, **__):
        raise InvalidState("no")

    kind = Kind(batch=timers.DUE, together=fail, alone=lambda _, one: not tried.append(one))

    assert (deeds.do_together(stage.database, kind, 1, LONG_AGO), len(tried)) == (3, 3)
