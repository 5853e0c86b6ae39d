"""A node without memory: nothing is half done, whoever asked may try again, and what is due and does not fit alone keeps nobody waiting."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from engine import execution, functions, instances, live, meters, scheduled_work, scheduler, timers
from engine.errors import Exhausted, Unavailable
from engine.models import Timer
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_verification import found


def take_all(*_about, **_words):
    """What there is not."""
    raise MemoryError


@pytest.fixture
def case(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    return clerk.submit("tiny")


@pytest.mark.parametrize(
    ("module", "name"), [(execution, "settle"), (functions.World, "ready")], ids=["the engine", "what the diagram asks"]
)
def test_complete__no_memory(stage, case, clerk, monkeypatch, module, name):
    """Nothing is done, no incident is told of, and the instance that stayed in memory is woken anew."""
    counted = meters.OUTAGE.labels("Exhausted")._value.get()
    with monkeypatch.context() as patched:
        patched.setattr(module, name, take_all)
        with pytest.raises(Exhausted, match="Expected this node to have memory for it, but it has none left; try again"):
            clerk.complete(case, "一窗受理", outcome="accept")

    assert issubclass(Exhausted, Unavailable)  # so it is answered with 503, and a command ends with 75
    assert meters.OUTAGE.labels("Exhausted")._value.get() == counted + 1
    assert (stage.tasks(case), stage.incidents(case)) == (["一窗受理"], [])
    clerk.complete(case, "一窗受理", outcome="accept")
    assert stage.tasks(case) == ["alpha审批"]


def test_complete__no_memory_to_stay_in(stage, case, clerk, monkeypatch):
    """It is committed by then: whoever was told to try again would do it twice, or be refused."""
    with monkeypatch.context() as patched:
        patched.setattr(live.large_values, "length", take_all)
        with capture_logs() as logged:
            clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.tasks(case) == ["alpha审批"]
    assert {line["event"] for line in logged} >= {"out of memory"}


@pytest.fixture
def late(stage, designer):
    """Processes with a timer that is due, by their ids."""
    timer = (d.timer_boundary("late", on="work", duration="PT1H", interrupting=False), d.user("reminder", name="催办"))
    content = (d.start("s"), d.user("work", name="办理"), *timer, d.end("e"), d.flows("s -> work -> e", "late -> reminder"))
    stage.deploy("p", p_bpmn=d.diagram(*content, key="p"))
    begun = [designer.start("p").id for _ in range(3)]
    stage.move_to(2026, 3, 27)
    return begun


def tried(stage):
    """Attempts that are left to the timers that are still there."""
    with stage.reading() as session:
        return [(timer.instance_id, timer.retries) for timer in session.scalars(select(Timer))]


def test_tick__no_memory_for_many_together(stage, late, monkeypatch):
    """One by one they fit: no attempt is counted."""
    monkeypatch.setattr(timers.DUE, "taken", take_all)

    assert scheduler.tick(stage.database) == 3

    assert tried(stage) == []


def test_tick__no_memory_for_one_alone(stage, late, monkeypatch):
    """That is counted, and an incident in the end: others go on, and are not kept waiting by what will never fit."""
    fire = timers.fire

    def fire_if_it_fits(session, timer, **about):
        return take_all() if timer.instance_id == late[1] else fire(session, timer, **about)

    monkeypatch.setattr(timers.DUE, "taken", take_all)
    monkeypatch.setattr(timers, "fire", fire_if_it_fits)

    assert scheduler.tick(stage.database) == 3

    assert tried(stage) == [(late[1], 2)]
    with stage.reading() as session:
        assert "Exhausted" in session.scalars(select(Timer.error)).one()


def test_execute__no_memory(stage, late, designer, monkeypatch):
    """Whoever tries it by hand may try again: that is not the failure of what he has tried."""
    with stage.reading() as session:
        timer = session.scalars(select(Timer.id)).first()
    monkeypatch.setattr(timers, "fire", take_all)

    with pytest.raises(Exhausted), designer.acting() as session:
        scheduled_work.execute(session, timer, actor=designer.actor)


def test_verify__no_memory(stage, case, monkeypatch):
    """That is no fault of the instance that was just looked at, for which a backup would be restored."""
    with monkeypatch.context() as patched:
        patched.setattr(instances, "look", take_all)
        with pytest.raises(Exhausted):
            found(stage.database)

    assert found(stage.database) == []
