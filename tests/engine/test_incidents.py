from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from engine import cases, dossiers, execution, external_tasks, incidents, instances, keys, queues, scheduled_work, scheduler
from engine.actors import ENGINE, Role, RoleGrant
from engine.case_models import ClockEntry
from engine.columns import new_id
from engine.errors import NotFound, NotPermitted
from engine.models import ExternalTask, Incident, Timer
from engine.moments import now
from tests import tiny
from tests.benchmarks.lists import ADMIN
from tests.benchmarks.meter import counted
from tests.bpmn import diagrams as d

pytestmark = pytest.mark.usefixtures("one_order_of_locks")


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


def try_all(stage):
    """Let time pass until nothing is left to try."""
    for _ in range(3):
        scheduler.drain(stage.database)
        stage.traveller.shift(timedelta(minutes=5))


def mend(stage, case):
    """Somebody mends the data."""
    item = stage.item(case, "alpha")
    with stage.database.transaction() as session:
        session.query(ClockEntry).filter_by(item_id=item.id, kind="stopped").delete()
        session.get_one(type(item), item.id).clock = "running"


@pytest.fixture
def failing(stage, clerk, market):
    """The timer after the decision cannot go off: the clock that should be paused has stopped."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes={"alpha": late_hearing()}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="granted")
    stage.move_to(2026, 3, 4)
    scheduler.drain(stage.database)
    return case


@pytest.fixture
def case(stage, failing):
    """It has been tried as often as it may."""
    try_all(stage)
    return failing


def test_timer__is_tried_again(stage, failing):
    [timer] = stage.all(Timer, failing, element="later")
    assert (timer.retries, stage.incidents(failing)) == (2, [])
    assert "stopped" in timer.error
    mend(stage, failing)

    stage.traveller.shift(timedelta(seconds=5))
    scheduler.drain(stage.database)

    assert (stage.incidents(failing), "听证" in stage.tasks(failing)) == ([], True)


def test_case__shows_what_stands_to_whom_it_concerns(stage, clerk):
    """Its light may be green: whoever looks at it sees that it waits for somebody, and for what."""
    processes = {"alpha": late_hearing(), "beta": tiny.inspected("beta").replace(b"market", b"fire")}
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes=processes))
    case, market, fire = clerk.take_in("tiny"), stage.person("officer-market"), stage.person("officer-fire")
    market.complete(case, "alpha审批", outcome="granted")
    stage.move_to(2026, 3, 4)
    try_all(stage)

    def shown(who):
        with stage.reading() as session:
            return [found.element for found in dossiers.read(session, cases.get(session, case.number, who.actor), who.actor).incidents]

    assert (shown(clerk), shown(market), shown(fire)) == (["later"], ["later"], [])
    mend(stage, case)
    [incident] = stage.incidents(case)
    with stage.database.transaction() as session:
        incidents.retry(session, incident.id, actor=stage.person("supervisor").actor)
    assert shown(clerk) == []


def test_timer__says_once_that_it_cannot_go_off(stage, case):
    [incident] = stage.incidents(case)
    [timer] = stage.all(Timer, case, element="later")

    assert (incident.element, incident.wait, incident.job_id) == ("later", timer.wait, None)
    assert "stopped" in incident.message
    try_all(stage)
    assert [i.id for i in stage.incidents(case)] == [incident.id]
    assert stage.all(Timer, case, element="later")[0].retries == 0
    with stage.reading() as session:  # an incident waits for somebody; nothing is late
        assert {queue.name: queue.depth for queue in queues.look(session, now=datetime.now(UTC))}["timers"] == 0
        assert queues.standing_incidents(session) == 1


def test_retry__a_timer(stage, supervisor, case):
    """It is tried at once, and once: then the incident stands again, until what is wrong is mended."""
    [incident] = stage.incidents(case)
    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)
    assert stage.incidents(case) == []
    scheduler.drain(stage.database)
    [again] = stage.incidents(case)

    mend(stage, case)
    with supervisor.acting(checked=False) as session:
        incidents.retry(session, again.id, actor=supervisor.actor)
    scheduler.drain(stage.database)

    assert (stage.incidents(case), "听证" in stage.tasks(case)) == ([], True)


def test_timer__taken_away_while_its_incident_stands(stage, case):
    """What was to go off is not needed any more: the incident goes with it."""
    [incident] = stage.incidents(case)
    with stage.database.transaction() as session:
        instances.cancel(session, incident.instance_id, actor=ENGINE)

    assert (stage.incidents(case), stage.all(Timer, case, element="later")) == ([], [])


def test_retry__no_such_incident(stage, supervisor, case):
    with pytest.raises(NotFound), supervisor.acting(checked=False) as session:
        incidents.retry(session, case.id, actor=supervisor.actor)


def test_retry__by_a_department(stage, market, case):
    [incident] = stage.incidents(case)

    with pytest.raises(NotPermitted), market.acting(checked=False) as session:
        incidents.retry(session, incident.id, actor=market.actor)


@pytest.mark.parametrize(("department", "refused"), [("market", None), ("fire", NotFound)])
def test_retry__by_the_system_of_a_department(stage, case, department, refused):
    """What has failed at an item is tried again by whoever runs it; nobody else's system even sees it."""
    system = stage.somebody(RoleGrant(role=Role.SYSTEM, department=department))
    [timer], [incident] = stage.all(Timer, case, element="later"), stage.incidents(case)

    with pytest.raises(refused) if refused else nullcontext(), system.acting(checked=False) as session:
        scheduled_work.set_retries(session, timer.id, 0, actor=system.actor)
    with pytest.raises(refused) if refused else nullcontext(), system.acting(checked=False) as session:
        incidents.retry(session, incident.id, actor=system.actor)

    assert stage.all(Timer, case, element="later")[0].retries == (0 if refused else 1)


def test_retry__what_a_worker_failed_in_a_case(stage, clerk):
    """The system of the department allows more attempts, by its task or by the incident; another one's cannot."""
    flow = d.flows("s -> check -> decide -> e")
    alpha = tiny.item("alpha", d.start("s"), d.external("check", topic="register"), tiny.decision("alpha"), d.end("e"), flow)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")
    [task] = stage.all(ExternalTask, case)
    system, other = (stage.somebody(RoleGrant(role=Role.SYSTEM, department=department)) for department in ("market", "fire"))

    def fail():
        failure = external_tasks.Failure(message="no answer", details=None, retries=0, after=timedelta(0))
        with system.acting() as session:
            external_tasks.lock(session, task.id, "w", timedelta(minutes=1), actor=system.actor)
            external_tasks.fail(session, task.id, "w", failure, actor=system.actor)
        [incident] = stage.incidents(case)
        return incident

    fail()
    with pytest.raises(NotFound), other.acting() as session:
        external_tasks.set_retries(session, task.id, 1, actor=other.actor)
    with system.acting() as session:
        external_tasks.set_retries(session, task.id, 1, actor=system.actor)
    assert stage.incidents(case) == []
    incident = fail()
    with system.acting() as session:
        incidents.retry(session, incident.id, actor=system.actor)
    assert (stage.incidents(case), stage.all(ExternalTask, case)[0].retries) == ([], 1)


def test_incident__does_not_hold_the_others(stage, market, case):
    with stage.database.transaction() as session:
        execution.refresh(session, stage.bundle(case).id, actor=ENGINE)
    assert stage.tasks(case) == ["beta审批"]


def test_with_cases__in_one_statement(stage, clerk):
    """However many stand; one that stands on no instance has no case."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    submitted = [clerk.submit("tiny") for _ in range(3)]
    with stage.database.transaction() as session:
        for case in submitted:
            where = {**case.key, "instance_id": stage.bundle(case).id, "wait": 1}
            session.add(Incident(id=new_id(), **where, element="print", message="no paper", raised_at=now()))
        session.add(Incident(id=new_id(), **keys.NOBODY, element="s", message="no time", raised_at=now()))

    with stage.reading() as session, counted(stage.database.bind) as sample:
        found = incidents.with_cases(session, ADMIN, 10)
        some = incidents.with_cases(session, ADMIN, 2)

    numbers = [case.number for case in submitted]
    assert sorted(row.case or "" for row in found) == ["", *numbers]
    assert len(some) == 2
    assert len(sample.statements) == 2
