"""Timers that go off together share a transaction, and nothing else: what fails, is held, or dies takes nothing along."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from engine import database, deeds, instances, scheduler, timers
from engine.actors import ENGINE
from engine.database import Database
from engine.models import Activity, Instance, Timer
from engine.pace import Pace
from engine.queues import LONG_AGO
from tests import tiny
from tests.benchmarks.meter import counted
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import signal

PAST = "2026-01-01T00:00:00Z"


def reminding(*more, after="end", date=PAST):
    """A task with a timer that is due, and does not interrupt; what comes after it."""
    end = d.end("end") if after == "end" else ""
    content = (d.start("s"), d.user("work", name="办理"), d.timer_boundary("late", on="work", date=date, interrupting=False), end)
    return d.diagram(*content, *more, d.end("e"), d.flows("s -> work -> e", f"late -> {after}"), key="p")


@pytest.fixture
def begun(stage, designer):
    """Start processes of a diagram, one for each set of variables."""
    stage.checking = False

    def begin(diagram, *all_variables):
        stage.deploy("p", p_bpmn=diagram)
        return [designer.start("p", **variables).id for variables in all_variables]

    return begin


def went_off(stage, element="late"):
    """How often the timer of each instance has gone off."""
    with stage.reading() as session:
        return Counter(session.scalars(select(Activity.instance_id).where(Activity.element == element, Activity.outcome == "completed")))


def left(stage):
    with stage.reading() as session:
        return list(session.scalars(select(Timer.instance_id)))


def test_tick__many_are_due(stage, begun):
    """They cost few statements, however many there are."""
    due = begun(reminding(), *[{}] * 12)

    with counted(stage.database.bind) as few:
        assert scheduler.tick(stage.database) == 12

    assert went_off(stage) == Counter(due)
    assert left(stage) == []
    assert len(few.statements) < 25


def test_tick__many_do_not_stay_in_memory(stage, begun):
    """Who is reminded comes later, and mostly to another process: others are there whose instances are to stay."""
    live = stage.database.live
    before = len(live)
    begun(reminding(), *[{}] * 12)
    assert len(live) == before + 12  # each as whoever began it has left it

    assert scheduler.tick(stage.database) == 12

    assert len(live) == before


def test_tick__by_several_hands(stage, begun):
    """What is due is shared, each goes off once, and nothing is left."""
    due = begun(reminding(), *[{}] * 12)

    while scheduler.tick(stage.database, pace=Pace(hands=3, together=3)):
        pass

    assert went_off(stage) == Counter(due)
    assert left(stage) == []


def test_tick__told_to_stop(stage, begun):
    """The transaction at hand is the last."""
    begun(reminding(), *[{}] * 12)
    told = iter([False, True, True])

    assert scheduler.tick(stage.database, pace=Pace(together=3, stopping=lambda: next(told))) == 3
    assert len(left(stage)) == 9


def test_tick__one_of_many_fails(stage, begun):
    """The others go off; it alone is put off."""
    failing = d.element("serviceTask", "compute", attrs={"camunda:expression": "${1 / divisor}", "camunda:resultVariable": "share"})
    some = begun(reminding(failing, d.end("computed"), d.flows("compute -> computed"), after="compute"), {"divisor": 2}, {}, {"divisor": 4})

    scheduler.drain(stage.database)

    assert went_off(stage) == Counter([some[0], some[2]])
    assert left(stage) == [some[1]]
    with stage.reading() as session:
        [timer] = session.scalars(select(Timer))
        assert (timer.retries, "compute" in (timer.error or "")) == (2, True)


def test_tick__two_of_one_case(stage, begun):
    more = (d.timer_boundary("later", on="work", date=PAST, interrupting=False), d.end("ended"), d.flows("later -> ended"))
    due = begun(reminding(*more), {}, {})

    scheduler.drain(stage.database)

    assert went_off(stage) == Counter(due)
    assert went_off(stage, "later") == Counter(due)


def test_tick__one_throws_what_another_waits_for(stage, begun):
    """Who began to wait for a signal in the same transaction, a moment before, hears it."""
    ways = [d.exclusive("which", default="listen"), d.catch("listen", signal("done")), d.end("heard")]
    ways += [d.throw("tell", signal("done")), d.end("told"), d.flow("which", "tell", when="${throws}")]
    ways += [d.flows("which -> listen -> heard", "tell -> told")]
    earlier = {"throws": False, "date": "2026-01-01T00:00:00Z"}
    [hears, _] = begun(reminding(*ways, after="which", date="${date}"), earlier, {"throws": True, "date": "2026-01-02T00:00:00Z"})

    scheduler.drain(stage.database)

    assert went_off(stage, "heard") == {hears: 1}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_tick__somebody_holds_one(stage, begun):
    """Nobody waits for whoever works on an instance."""
    some = begun(reminding(), {}, {}, {})
    with stage.database.transaction() as session:
        instances.lock(session, some[1])

        assert scheduler.tick(stage.database) == 2

    assert scheduler.tick(stage.database) == 1
    assert went_off(stage) == Counter(some)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_fire_together__a_node_dies(stage, begun):
    """What it had claimed is free at once, and was never done."""
    some = begun(reminding(), *[{}] * 4)
    another = Database(stage.database.bind.url.render_as_string(hide_password=False))
    with another.bind.connect() as dying, database.Session(dying) as session:
        assert timers.fire_together(session, 3, actor=ENGINE) == 3
        assert scheduler.tick(stage.database) == 1
        dying.invalidate()

    assert scheduler.tick(stage.database) == 3
    assert went_off(stage) == Counter(some)
    another.close()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_fire_together__waits_for_nobody(stage, begun):
    """Who has claimed many instances, in no order, could be waited for by whoever it waits for."""
    begun(reminding(), {})

    with counted(stage.database.bind) as happened:
        deeds.do_together(stage.database, deeds.TIMERS, 5, LONG_AGO)

    assert happened.statements[0].startswith("SET LOCAL lock_timeout = '10ms'")
    assert "SKIP LOCKED" in happened.statements[1]


def test_tick__two_nodes(stage, begun):
    """Each takes what the other has not."""
    some = begun(reminding(), *[{}] * 30)
    together = Barrier(2)

    def work(_):
        together.wait()
        while scheduler.tick(stage.database, limit=5):
            pass

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    scheduler.drain(stage.database)

    assert went_off(stage) == Counter(some)
    with stage.reading() as session:
        assert {row.rev for row in session.scalars(select(Instance))} == {2}


def test_fire__reminders_of_one_day(stage, clerk):
    """Two that are drawn, or several for which nobody was at work, are one when they come on one day; the next day has its own."""
    warned = (
        d.timer_boundary("warn", on="decide", date="${deadline('warning')}", interrupting=False),
        d.timer_boundary("again", on="decide", cycle="R5/${deadline('warning')}/P1D", interrupting=False),
        *(d.external(name, topic="onething.remind") for name in ("first", "more")),
    )
    flows = d.flows("s -> decide -> e", "warn -> first -> e", "again -> more -> e")
    alpha = tiny.item("alpha", d.start("s"), tiny.decision("alpha"), *warned, d.end("e"), flows)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")

    stage.travel(2026, 3, 15)
    assert stage.alerts(case) == [("yellow", "reminder")]
    stage.travel(2026, 3, 16)

    assert stage.alerts(case) == [("yellow", "reminder")] * 2
