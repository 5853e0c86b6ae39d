"""Processes that begin by themselves: once, or again and again, in their newest version only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import func, select

from engine import deployments, scheduler, start_timers
from engine.case_models import Case
from engine.database import Database
from engine.errors import InvalidInput
from engine.models import Definition, Incident, Instance
from engine.schedule_models import StartTimer
from tests import interleaving
from tests.bpmn import diagrams as d
from tests.stage import DESIGNER


def timed(name="登记", *, key="p", **when):
    return d.diagram(d.start("s", d.timer(**when)), d.user("t", name=name), d.flows("s -> t"), key=key)


def begun(stage):
    with stage.reading() as session:
        return session.scalar(select(func.count()).select_from(Instance))


def planned(stage):
    with stage.reading() as session:
        return session.scalars(select(StartTimer).order_by(StartTimer.due_at)).all()


def test_start_timer__a_duration(stage, designer):
    """Counted from the deployment; it starts once."""
    stage.deploy("p", p_bpmn=timed(duration="P2D"))

    stage.travel(2026, 3, 4, hour=8)
    assert begun(stage) == 0
    stage.travel(2026, 3, 4, hour=10)
    stage.travel(2026, 4, 4)

    assert begun(stage) == 1
    assert planned(stage) == []
    with stage.reading() as session:
        case = session.scalars(select(Case)).one()
    assert (case.entry, case.submitted_by, case.number[:6]) == ("process", "engine", "430100")
    assert stage.tasks(case) == ["登记"]


def test_start_timer__where_the_installation_is(stage):
    stage.deploy("p", p_bpmn=timed(date="2026-03-03T09:00:00+08:00"))
    stage.move_to(2026, 3, 4)

    with closing(Database(stage.database.bind.url.render_as_string(hide_password=False), region="110000")) as there:
        scheduler.tick(there)

    with stage.reading() as session:
        assert session.scalars(select(Case.number)).one().startswith("110000")


@pytest.mark.parametrize("date", ["2026-03-03T09:00:00+08:00", '=date and time(today() + duration("P1D"), time("09:00:00+08:00"))'])
def test_start_timer__a_date(stage, date):
    stage.deploy("p", p_bpmn=timed(date=date))

    stage.travel(2026, 3, 3, hour=8)
    assert begun(stage) == 0
    stage.travel(2026, 3, 3, hour=10)

    assert begun(stage) == 1


def test_start_timer__a_cycle(stage):
    stage.deploy("p", p_bpmn=timed(cycle="R3/P1D"))

    counts = []
    for day in (3, 4, 5, 6, 7):
        stage.travel(2026, 3, day, hour=10)
        counts.append(begun(stage))

    assert counts == [1, 2, 3, 3, 3]
    assert planned(stage) == []


def test_start_timer__missed_while_nobody_looked(stage):
    """What was missed is one start, not many, as with the timers of what runs."""
    stage.deploy("p", p_bpmn=timed(cycle="R/P1D"))

    stage.travel(2026, 3, 20, hour=10)

    assert begun(stage) == 1
    [timer] = planned(stage)
    assert timer.due_at.day == 21


def test_start_timer__a_newer_version(stage):
    """It takes the place of the old one, and counts from its own deployment; one that has none any more ends it."""
    stage.deploy("p", p_bpmn=timed(duration="P2D"))
    stage.travel(2026, 3, 3)
    stage.deploy("p", p_bpmn=timed("新登记", duration="P2D"))

    stage.travel(2026, 3, 4, hour=12)
    assert begun(stage) == 0
    stage.travel(2026, 3, 5, hour=12)
    with stage.reading() as session:
        assert stage.tasks(session.scalars(select(Case)).one()) == ["新登记"]

    stage.deploy("p", p_bpmn=timed(cycle="R/P1D"))
    stage.deploy("p", p_bpmn=d.diagram(d.start("s"), d.user("t", name="登记"), d.flows("s -> t"), key="p"))
    assert planned(stage) == []


def test_start_timer__the_newer_version_is_deleted(stage, designer):
    """The one before starts again, as if it were deployed now."""
    stage.deploy("old", p_bpmn=timed("旧", duration="P1D"))
    with stage.database.transaction() as session:
        newer = deployments.deploy(session, "new", {"p.bpmn": timed("新", duration="P1D")}, actor=DESIGNER)

    with stage.database.transaction() as session:
        deployments.delete(session, newer.id, actor=DESIGNER)
    stage.travel(2026, 3, 3, hour=12)

    with stage.reading() as session:
        assert stage.tasks(session.scalars(select(Case)).one()) == ["旧"]


def test_start_timer__the_only_version_is_deleted(stage):
    with stage.database.transaction() as session:
        only = deployments.deploy(session, "p", {"p.bpmn": timed(duration="P1D")}, actor=DESIGNER)

    with stage.database.transaction() as session:
        deployments.delete(session, only.id, actor=DESIGNER)
    stage.travel(2026, 3, 5)

    assert begun(stage) == 0


def test_start_timer__an_older_version_is_deleted(stage):
    """The newest goes on as if nothing had been: what it has begun once does not begin anew, what is to come is not put off."""
    with stage.database.transaction() as session:
        files = {"p.bpmn": timed(cycle="R/P7D"), "q.bpmn": timed(key="q", cycle="R/P7D")}
        older = deployments.deploy(session, "old", files, actor=DESIGNER)
    stage.travel(2026, 3, 3, hour=8)
    stage.deploy("new", p_bpmn=timed("新", date="2026-03-03T09:00:00+08:00"), q_bpmn=timed("新", key="q", cycle="R/P7D"))
    stage.travel(2026, 3, 4)
    before = [timer.due_at for timer in planned(stage)]
    assert begun(stage) == 1

    with stage.database.transaction() as session:
        deployments.delete(session, older.id, actor=DESIGNER)
    stage.travel(2026, 3, 5)

    assert begun(stage) == 1
    assert [timer.due_at for timer in planned(stage)] == before


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_start_timer__the_newer_version_is_deleted_while_another_is_deployed(stage):
    """The one before does not begin by itself beside that."""
    without = d.diagram(d.start("s"), d.user("t", name="登记"), d.flows("s -> t"), key="p")
    with stage.database.transaction() as session:
        deployments.deploy(session, "first", {"p.bpmn": timed(duration="P1D")}, actor=DESIGNER)
        second = deployments.deploy(session, "second", {"p.bpmn": without}, actor=DESIGNER)

    def deploying(session):
        deployments.deploy(session, "third", {"p.bpmn": timed(duration="P2D")}, actor=DESIGNER)

    def delete():
        with stage.database.transaction() as session:
            deployments.delete(session, second.id, actor=DESIGNER)

    with interleaving.waited_for(stage.database, deploying, delete):
        pass

    with stage.reading() as session:
        begins = select(Definition.version).join(StartTimer, StartTimer.definition_id == Definition.id)
        assert session.scalars(begins).all() == [3]


def test_start_timer__deleted_when_it_has_failed(stage):
    broken = d.diagram(d.start("s", d.timer(duration="P1D")), d.call("c", of="${'nowhere'}"), d.flows("s -> c"), key="broken")
    with stage.database.transaction() as session:
        deployment = deployments.deploy(session, "p", {"p.bpmn": broken}, actor=DESIGNER)
    stage.travel(2026, 3, 4)
    for day in (5, 6, 7):
        stage.travel(2026, 3, day)
    with stage.reading() as session:
        assert session.scalars(select(Incident.resolved_at)).all() == [None]

    with stage.database.transaction() as session:
        deployments.delete(session, deployment.id, actor=DESIGNER)

    with stage.reading() as session:
        assert session.scalars(select(Incident.id)).all() == []


def test_start_timer__two_schedulers(stage):
    """Each occasion once, whoever comes first."""
    for number in range(4):
        stage.deploy(f"p{number}", p_bpmn=timed(key=f"p{number}", cycle="R/P1D"))
    stage.move_to(2026, 3, 4, hour=12)
    together = Barrier(2)

    def work(_):
        together.wait()
        scheduler.drain(stage.database)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))

    assert begun(stage) == 4


def test_start_timer__cannot_be_started(stage):
    """It is put off, and others have their turn; nothing of it is left behind."""
    broken = d.diagram(d.start("s", d.timer(duration="P1D")), d.call("c", of="${'nowhere'}"), d.flows("s -> c"), key="broken")
    stage.deploy("p", broken_bpmn=broken, p_bpmn=timed(duration="P1D"))
    stage.move_to(2026, 3, 4, hour=12)

    scheduler.drain(stage.database)

    assert begun(stage) == 1
    [timer] = planned(stage)
    assert timer.due_at > datetime.now(UTC)


def test_replace__a_time_that_cannot_be_told(stage):
    with pytest.raises(InvalidInput):
        stage.deploy("p", p_bpmn=timed(date="${nobody_knows}"))

    assert planned(stage) == []
    with stage.reading() as session:
        assert start_timers.due(session, 9) == []
