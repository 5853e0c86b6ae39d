"""What comes by the thousand besides timers, jobs and continuations, is done together; what fails, or is more urgent, stands alone."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import func, select, update

from engine import broadcasts, database, pieces, scheduler
from engine.broadcasts import Thrown
from engine.models import Activity, Job
from engine.schedule_models import Continuation
from engine.variables import Given
from tests.benchmarks.meter import counted
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import signal

SHARE = {"camunda:expression": "${1 / divisor}", "camunda:resultVariable": "share"}


def listening():
    """A task beside which a signal is heard as often as it is thrown, and something is computed then."""
    content = (d.start("s"), d.user("work", name="办理"), d.boundary("hear", signal("closed"), on="work", interrupting=False))
    content += (d.element("serviceTask", "compute", attrs=SHARE), d.end("heard"), d.end("e"))
    return d.diagram(*content, d.flows("s -> work -> e", "hear -> compute -> heard"), key="p")


def carried(priority=0):
    """Something is computed, as a job of the engine's own."""
    attrs = {**SHARE, "camunda:asyncBefore": "true", "camunda:jobPriority": str(priority)}
    content = (d.start("s"), d.element("serviceTask", "compute", attrs=attrs), d.user("work", name="办理"), d.end("e"))
    return d.diagram(*content, d.flows("s -> compute -> work -> e"), key="p")


@pytest.fixture
def begun(stage, designer):
    """Start processes of a diagram, one for each divisor."""
    stage.checking = False

    def begin(diagram, *divisors):
        stage.deploy("p", p_bpmn=diagram)
        return [designer.start("p", divisor=divisor).id for divisor in divisors]

    return begin


@pytest.fixture
def throw(stage, designer, monkeypatch):
    """Throw a signal; the process dies before it has told anybody."""

    def throw():
        with monkeypatch.context() as dying:
            dying.setattr(database, "LONGEST_LINE", 0)
            thrown = Thrown(name="closed", given=Given(values={}))
            pieces.do(stage.database, partial(broadcasts.throw, signal=thrown, actor=designer.actor))

    return throw


def computed(stage):
    """In which instances it was computed, once for each time."""
    with stage.reading() as session:
        return sorted(session.scalars(select(Activity.instance_id).where(Activity.element == "compute", Activity.outcome == "completed")))


def count(stage, table):
    with stage.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_jobs__many_are_due(stage, begun, throw):
    """A signal to many cases costs few statements, however many they are."""
    some = begun(listening(), *[1] * 12)
    throw()

    with counted(stage.database.bind) as few:
        assert scheduler.tick(stage.database) == 12

    assert computed(stage) == sorted(some)
    assert count(stage, Job) == 0
    assert len(few.statements) < 30


def test_jobs__one_of_many_fails(stage, begun, throw):
    """The others are done; it alone is counted, and tried again by itself."""
    some = begun(listening(), 1, 3, 2)
    throw()
    with stage.database.transaction() as session:
        session.execute(update(Job).where(Job.instance_id == some[1]).values(kind="begin"))

    scheduler.tick(stage.database)

    assert computed(stage) == sorted([some[0], some[2]])
    with stage.reading() as session:
        [job] = session.scalars(select(Job))
    assert (job.instance_id, job.attempts, "definition" in (job.error or "")) == (some[1], 1, True)


def test_jobs__two_of_one_case(stage, begun, throw):
    """None of them reads what another one has put off: each is of another case."""
    some = begun(listening(), 1, 2)
    throw()
    throw()

    scheduler.drain(stage.database)

    assert computed(stage) == sorted(some * 2)


def test_jobs__of_several_kinds(stage, begun, throw):
    [one, other] = begun(listening(), 1, 2)
    throw()
    with stage.database.transaction() as session:
        session.execute(update(Job).where(Job.instance_id == other).values(kind="refresh"))

    assert scheduler.tick(stage.database) == 2
    assert (computed(stage), count(stage, Job)) == ([one], 0)


def test_continuations__many_are_due(stage, begun):
    some = begun(carried(), *[1] * 12)

    with counted(stage.database.bind) as few:
        assert scheduler.tick(stage.database) == 12

    assert computed(stage) == sorted(some)
    assert count(stage, Continuation) == 0
    assert len(few.statements) < 30


def test_continuations__one_of_many_fails(stage, begun):
    some = begun(carried(), 1, 0, 2)

    scheduler.tick(stage.database)

    assert computed(stage) == sorted([some[0], some[2]])
    with stage.reading() as session:
        [row] = session.scalars(select(Continuation))
    assert (row.instance_id, row.retries, "compute" in (row.error or "")) == (some[1], 2, True)


def test_continuations__what_failed_keeps_nobody_waiting(stage, begun):
    """It is the most urgent of all, and comes up again and again."""
    [failing] = begun(carried(priority=9), 0)
    scheduler.tick(stage.database)
    with stage.database.transaction() as session:
        session.execute(update(Continuation).values(due_at=Continuation.created_at))
    [other] = begun(carried(), 1)

    scheduler.tick(stage.database)

    assert computed(stage) == [other]
    with stage.reading() as session:
        [row] = session.scalars(select(Continuation))
    assert (row.instance_id, row.retries) == (failing, 1)
