"""Signals: everybody who waits for one has it, in whatever instance, and processes begin with it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from engine import broadcasts, database, deeds, duties, scheduler
from engine.broadcasts import Thrown
from engine.errors import InvalidState, NotPermitted
from engine.models import Definition, Instance, Job, Subscription
from engine.places import Place
from engine.settings import Settings
from engine.variables import Given
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d

pytestmark = pytest.mark.parametrize(
    ("store", "batch"), [("sqlite", Settings.batch), ("postgresql", Settings.batch), ("sqlite", 1)], indirect=True
)
CATCHER = d.diagram(
    d.start("s"), d.catch("wait", defs.signal("flood")), d.user("help", name="救援"), d.flows("s -> wait -> help"), key="catcher"
)
THROWER = d.diagram(
    d.start("s"), d.throw("warn", defs.signal("flood", "level")), d.user("watch", name="值守"), d.flows("s -> warn -> watch"), key="thrower"
)
BEGINNER = d.diagram(
    d.start("none"), d.start("s", defs.signal("flood")), d.user("note", name="记录"), d.flows("none -> note", "s -> note"), key="beginner"
)


@pytest.fixture(autouse=True)
def batch(stage, request, monkeypatch):
    """Everybody is told in one transaction, or each case in its own."""
    monkeypatch.setitem(stage.database.info, database.BATCH, request.param)
    return request.param


def throw(who, name="flood", **more):
    who.does(partial(broadcasts.throw, signal=Thrown(name=name, **more), actor=who.actor))


def running(stage, key):
    """Instances of a process that have begun, oldest first."""
    with stage.reading() as session:
        return session.scalars(select(Instance).join(Definition).where(Definition.key == key).order_by(Instance.id)).all()


def jobs(stage):
    with stage.reading() as session:
        return session.scalars(select(Job)).all()


def open_tasks(stage, *instances):
    return [stage.tasks(stage.of(one)) for one in instances]


def test_throw__reaches_other_instances(stage, designer):
    """With the variables that go with it; who throws it goes on."""
    stage.deploy("both", catcher_bpmn=CATCHER, thrower_bpmn=THROWER)
    waiting = [designer.start("catcher") for _ in range(3)]

    thrower = designer.start("thrower", level=4)

    assert open_tasks(stage, thrower, *waiting) == [["值守"], *[["救援"]] * 3]
    assert [stage.instance(one).variables for one in waiting] == [{"level": 4}] * 3


def test_throw__the_one_that_has_called_it_catches_it(stage, designer):
    """It waits since before it has called anybody, though both have begun in the same moment."""
    call = d.call("call", of="thrower", inputs=["level"]), d.boundary("caught", defs.signal("flood"), on="call")
    caller = d.diagram(d.start("s"), *call, d.user("help", name="救援"), d.flows("s -> call", "caught -> help"), key="caller")
    stage.deploy("both", caller_bpmn=caller, thrower_bpmn=THROWER)

    instance = designer.start("caller", level=4)

    assert open_tasks(stage, instance) == [["救援"]]
    assert stage.instance(instance).variables == {"level": 4}
    assert [str(one.status) for one in running(stage, "thrower")] == ["canceled"]


@pytest.fixture
def ending(stage, designer, monkeypatch):
    """A process that has ended with a signal for which its call waits; the node has died before it could tell anything."""
    call = d.call("call", of="last"), d.boundary("caught", defs.signal("flood"), on="call")
    flows = d.flows("s -> call -> missed", "caught -> help")
    caller = d.diagram(d.start("s"), *call, d.user("missed", name="未闻"), d.user("help", name="救援"), flows, key="caller")
    flows = d.flows("s -> watch -> warn -> e")
    last = d.diagram(d.start("s"), d.user("watch", name="值守"), d.throw("warn", defs.signal("flood")), d.end("e"), flows, key="last")
    stage.deploy("both", caller_bpmn=caller, last_bpmn=last)
    instance = designer.start("caller")
    with monkeypatch.context() as dead:
        dead.setattr("engine.jobs.run_after_commit", lambda *_: None)
        designer.complete(stage.of(instance), "值守")
    assert sorted((job.instance_id, job.kind) for job in jobs(stage)) == [(instance.id, "resume"), (instance.id, "signal")]
    return instance


def test_throw__somebody_else_tells_the_caller_meanwhile(stage, ending):
    """Whoever tells it of another one that has ended leaves alone what is not to be heard yet: a call that has gone on hears no signal."""
    assert deeds.resume(stage.database, ending.id) == 0

    scheduler.drain(stage.database)

    assert open_tasks(stage, ending) == [["救援"]]
    assert jobs(stage) == []


def test_throw__what_was_thrown_last_is_due_first(stage, ending):
    """The clock was set back in between."""
    with stage.database.transaction() as session:
        for job in session.scalars(select(Job).where(Job.kind == "resume")):
            job.due_at -= timedelta(hours=1)

    scheduler.drain(stage.database)

    assert open_tasks(stage, ending) == [["救援"]]
    assert jobs(stage) == []


def test_throw__what_has_failed_keeps_no_end_waiting(stage, ending, monkeypatch):
    """It comes later, as a job that has failed does; an incident tells of it in the end."""
    monkeypatch.setitem(duties.PERFORM, "signal", failing)

    scheduler.drain(stage.database)

    assert open_tasks(stage, ending) == [["未闻"]]
    assert [(job.kind, job.attempts) for job in jobs(stage)] == [("signal", 1)]


def failing(*_given):
    raise ZeroDivisionError


def test_throw__nobody_waits(stage, designer):
    stage.deploy("both", thrower_bpmn=THROWER)

    thrower = designer.start("thrower", level=4)

    assert open_tasks(stage, thrower) == [["值守"]]


def test_throw__the_process_dies_after_the_commit(stage, designer, monkeypatch, batch):
    """The signal is owed; the scheduler delivers it."""
    stage.deploy("both", catcher_bpmn=CATCHER, thrower_bpmn=THROWER)
    waiting = designer.start("catcher")
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)

    thrower = designer.start("thrower", level=4)
    owed = {1: (thrower, "tell")}.get(batch, (waiting, "signal"))
    assert [(job.instance_id, job.kind) for job in jobs(stage)] == [(owed[0].id, owed[1])]
    scheduler.drain(stage.database)

    assert open_tasks(stage, waiting) == [["救援"]]
    assert jobs(stage) == []


def test_throw__once_to_each_in_its_own_instance(stage, designer):
    """What waits in the thrower's own instance has it at once, and not a second time."""
    own = d.diagram(
        d.start("s"),
        d.parallel("fork"),
        d.catch("wait", defs.signal("flood")),
        d.throw("warn", defs.signal("flood")),
        d.user("help", name="救援"),
        d.end("e"),
        d.flows("s -> fork -> wait -> help", "fork -> warn -> e"),
        key="own",
    )
    stage.deploy("own", own_bpmn=own)

    instance = designer.start("own")

    assert open_tasks(stage, instance) == [["救援"]]


def test_throw__a_boundary_that_stays(stage, designer):
    """It takes every one, until its activity is over."""
    guarded = d.diagram(
        d.start("s"),
        d.user("t", name="登记"),
        d.boundary("again", defs.signal("flood"), on="t", interrupting=False),
        d.user("help", name="救援"),
        d.flows("s -> t", "again -> help"),
        key="guarded",
    )
    stage.deploy("both", guarded_bpmn=guarded, thrower_bpmn=THROWER)
    instance = designer.start("guarded")

    designer.start("thrower", level=1)
    designer.start("thrower", level=2)

    assert open_tasks(stage, instance) == [["救援", "救援", "登记"]]
    assert len(stage.all(Subscription, stage.of(instance), kind="signal")) == 1


def test_throw__two_that_answer_each_other(stage, designer, batch):
    """For ever, as it is drawn: nobody waits for its end, and the scheduler goes on where the command stopped."""

    def player(key, waits, throws):
        return d.diagram(
            d.start("s"),
            d.exclusive("x"),
            d.catch("wait", defs.signal(waits)),
            d.throw("hit", defs.signal(throws)),
            d.flows("s -> x -> wait -> hit -> x"),
            key=key,
        )

    serve = d.diagram(d.start("s"), d.throw("hit", defs.signal("ping")), d.end("e"), d.flows("s -> hit -> e"), key="serve")
    stage.deploy("game", a_bpmn=player("left", "ping", "pong"), b_bpmn=player("right", "pong", "ping"), serve_bpmn=serve)
    designer.start("left"), designer.start("right")

    designer.start("serve")

    assert [job.kind for job in jobs(stage)] == [{1: "tell"}.get(batch, "signal")]


# Beginnings -------------------------------------------------------------------------------------------------------------------------------


def test_throw__begins_processes(stage, designer):
    """The newest version of each, once, with the variables of the signal."""
    stage.deploy("old", beginner_bpmn=BEGINNER)
    stage.deploy("new", beginner_bpmn=BEGINNER.replace("记录".encode(), "登记".encode()), thrower_bpmn=THROWER)

    designer.start("thrower", level=4)

    [begun] = running(stage, "beginner")
    assert open_tasks(stage, begun) == [["登记"]]
    assert begun.variables == {"level": 4}


def test_throw__from_outside(stage, designer):
    stage.deploy("both", catcher_bpmn=CATCHER, beginner_bpmn=BEGINNER)
    waiting = designer.start("catcher")

    throw(designer, given=Given(values={"level": 5}))

    [begun] = running(stage, "beginner")
    assert open_tasks(stage, waiting, begun) == [["救援"], ["记录"]]
    assert (stage.instance(waiting).variables, begun.variables) == ({"level": 5}, {"level": 5})


def test_throw__from_outside_to_one(stage, designer):
    stage.deploy("both", catcher_bpmn=CATCHER, beginner_bpmn=BEGINNER)
    one, other = designer.start("catcher"), designer.start("catcher")

    throw(designer, place=Place(one.id))

    assert open_tasks(stage, one, other) == [["救援"], []]
    assert running(stage, "beginner") == []
    with pytest.raises(InvalidState, match="has not subscribed"):
        throw(designer, place=Place(one.id))


def test_throw__from_outside_by_whom_it_does_not_concern(stage, clerk):
    with pytest.raises(NotPermitted):
        throw(clerk)
