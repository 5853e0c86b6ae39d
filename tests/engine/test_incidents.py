from __future__ import annotations

from datetime import timedelta

import pytest

from engine import execution, incidents, worker
from engine.actors import ENGINE
from engine.case_models import ClockEntry
from engine.errors import InvalidState, NotFound, NotPermitted
from tests import tiny
from tests.bpmn import diagrams as d


def late_hearing():
    """A timer leads to a special procedure; it cannot begin while the item's clock has been stopped."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "hearing", "onething.days": "${days}"}
    return tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.timer_catch("later", duration="P1D"),
        d.user("hearing", name="听证", groups="department-market", properties=properties | {"onething.days": "5"}),
        d.end("decided"),
        d.flows("accepted -> decide -> later -> hearing -> decided"),
    )


@pytest.fixture
def case(stage, clerk, market):
    """The timer after the decision cannot go off: the clock that should be paused has stopped."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes={"alpha": late_hearing()}))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "alpha审批", outcome="granted")
    stage.move_to(2026, 3, 4)
    worker.drain(stage.database)
    return case


def test_timer__says_once_that_it_cannot_go_off(stage, case):
    [incident] = stage.incidents(case)

    assert (incident.element, incident.wait, incident.job_id) == ("later", None, None)
    assert "stopped" in incident.message
    stage.traveller.shift(timedelta(minutes=5))
    worker.drain(stage.database)
    assert [i.id for i in stage.incidents(case)] == [incident.id]


def test_retry__a_timer_tries_by_itself(stage, supervisor, case):
    [incident] = stage.incidents(case)

    with pytest.raises(InvalidState, match="its timer tries by itself"), supervisor.acting(checked=False) as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)


def test_timer__resolved_once_it_goes_off(stage, case):
    item = stage.item(case, "alpha")
    with stage.database.transaction() as session:  # somebody mends the data
        session.query(ClockEntry).filter_by(item_id=item.id, kind="stopped").delete()
        session.get_one(type(item), item.id).clock = "running"

    stage.traveller.shift(timedelta(minutes=5))
    worker.drain(stage.database)

    assert stage.incidents(case) == []
    assert "听证" in stage.tasks(case)


def test_retry__no_such_incident(stage, supervisor, case):
    with pytest.raises(NotFound), supervisor.acting(checked=False) as session:
        incidents.retry(session, case.id, actor=supervisor.actor)


def test_retry__by_a_department(stage, market, case):
    [incident] = stage.incidents(case)

    with pytest.raises(NotPermitted), market.acting(checked=False) as session:
        incidents.retry(session, incident.id, actor=market.actor)


def test_incident__does_not_hold_the_others(stage, market, case):
    with stage.database.transaction() as session:
        execution.refresh(session, stage.bundle(case).id, actor=ENGINE)
    assert stage.tasks(case) == ["beta审批"]
