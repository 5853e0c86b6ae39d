from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from engine import database, execution, incidents, scheduler, tasks
from engine.actors import ENGINE
from engine.errors import Busy, InvalidState, NotFound
from engine.models import ExternalTask, Incident, Instance, Task
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_jobs import complete_and_die

FIVE = {code: {} for code in ("alpha", "beta", "gamma", "delta", "epsilon")}


def accepted(stage, clerk, items, **folder):
    stage.deploy("tiny", **tiny.folder(items, **folder))
    return clerk.take_in("tiny")


# Together ---------------------------------------------------------------------------------------------------------------------------------


def test_running__five_departments_at_the_same_moment(stage, clerk, market):
    """Nobody waits for the others' locks, nobody is refused, and the bundle goes on once for each."""
    case = accepted(stage, clerk, FIVE)
    rev = stage.bundle(case).rev
    open_tasks = [stage.task(case, f"{code}审批").id for code in FIVE]
    together = Barrier(5)

    def decide(task_id):
        together.wait()
        with market.acting(checked=False) as session:
            tasks.complete(session, task_id, actor=market.actor, data={"outcome": "granted"})

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(decide, open_tasks))

    assert set(stage.statuses(case).values()) == {"granted"}
    assert stage.tasks(case) == ["统一出件"]
    assert rev < stage.bundle(case).rev <= rev + 5  # who comes late may find that an earlier one has seen it all
    assert stage.jobs(case) == []


def test_complete__the_same_task_at_the_same_moment(stage, clerk, market):
    """One completes it; the other is told that it is completed."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    task = stage.task(case, "alpha审批")
    together = Barrier(3)

    def decide(_):
        together.wait()
        try:
            with market.acting(checked=False) as session:
                tasks.complete(session, task.id, actor=market.actor, data={"outcome": "granted"})
        except InvalidState as refusal:
            return refusal.details["status"]
        return "done"

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(decide, range(3))) == ["completed", "completed", "done"]

    assert len([n for n in stage.notices(case) if n == "grant"]) == 1


def test_put_back__somebody_wrote_meanwhile_without_the_lock(stage, clerk, market):
    """A write that rests on an old `rev` is refused: a lost update is worse than an error."""
    case = accepted(stage, clerk, {"alpha": {}})
    instance = stage.own_process(stage.item(case, "alpha"))
    task = stage.task(case, "alpha审批")

    with (
        pytest.raises(Busy, match="try again"),
        market.acting() as session,
        execution.running(session, instance.id, actor=market.actor),
    ):
        session.execute(
            update(Instance).where(Instance.id == instance.id).values(rev=Instance.rev + 1),
            execution_options={"synchronize_session": False},
        )

    assert stage.own_process(stage.item(case, "alpha")).rev == instance.rev
    assert stage.task(case, "alpha审批").id == task.id


def test_running__has_ended(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}})
    market.complete(case, "alpha审批", outcome="granted")
    instance = stage.own_process(stage.item(case, "alpha"))

    with (
        pytest.raises(InvalidState, match="to be running, but it is completed"),
        market.acting() as session,
        execution.running(session, instance.id, actor=market.actor),
    ):
        pass


def test_running__no_such_instance(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}})

    with pytest.raises(NotFound), market.acting() as session, execution.running(session, case.id, actor=market.actor):
        pass


# Failure ----------------------------------------------------------------------------------------------------------------------------------


def failing_gateway():
    return tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.exclusive("decided"),
        d.user("more", name="补充核查", groups="department-market"),
        d.end("done"),
        d.flows(
            "accepted -> decide -> decided",
            "decided -> more [${nowhere_set == 1}]",
            "decided -> done [${nowhere_set == 2}]",
            "more -> done",
        ),
    )


def test_complete__gateway_cannot_be_evaluated(stage, clerk, market, supervisor):
    """What the officer did is kept; the case waits at the gateway, the others go on, a retry asks again."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": failing_gateway()})

    market.complete(case, "alpha审批", outcome="granted")

    [incident] = stage.incidents(case)
    assert stage.item(case, "alpha").status == "granted"
    assert (incident.element, "nowhere_set" in incident.message) == ("decided", True)
    market.complete(case, "beta审批", outcome="granted")
    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)
    assert [i.element for i in stage.incidents(case)] == ["decided"]


def test_complete__gateway_can_be_evaluated_at_the_retry(stage, clerk, market, supervisor):
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": failing_gateway()})
    market.complete(case, "alpha审批", outcome="granted")
    [incident] = stage.incidents(case)
    item = stage.item(case, "alpha")
    with supervisor.acting(checked=False) as session, execution.running(session, item.instance_id, actor=ENGINE) as run:
        run.process.variables["nowhere_set"] = 2

    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)

    assert stage.incidents(case) == []
    assert stage.tasks(case) == ["统一出件"]


def test_step__fails_in_a_savepoint(stage, clerk, market):
    """What the step had written is undone; what the clerk did is not."""
    alpha = tiny.item(
        "alpha",
        d.start("accepted"),
        d.user("prepare", name="准备", groups="department-market"),
        d.external("decide", topic="onething.decide"),
        d.end("done"),
        d.flows("accepted -> prepare -> decide -> done"),
    )
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": alpha})

    # Denied, but the table gives no reason: refused after the item had been touched.
    market.complete(case, "准备", outcome="denied")

    with stage.reading() as session:
        assert session.scalars(select(Task.status).where(Task.name == "准备")).one() == "completed"
    assert stage.item(case, "alpha").status == "in_review"
    assert stage.item(case, "alpha").decided_at is None
    assert "reason" in stage.incidents(case)[0].message


def test_step__with_an_unknown_topic(stage, clerk):
    alpha = tiny.item("alpha", d.start("s"), d.external("odd", topic="${'onething.nothing'}"), d.end("e"), d.flows("s -> odd -> e"))

    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": alpha})

    assert "Expected a topic of the engine" in stage.incidents(case)[0].message
    assert stage.tasks(case) == ["beta审批"]


def test_step__fails_and_is_broken_off_in_the_same_moment(stage, clerk):
    """What goes on beside it has ended it: no incident stands where nothing waits any more."""
    alpha = tiny.broken_off("odd", d.external("odd", topic="${'onething.nothing'}"))

    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": alpha})

    assert (stage.incidents(case), stage.tasks(case)) == ([], ["alpha审批"])
    stage.travel(2026, 3, 2, hour=10)
    assert stage.jobs(case) == []


def test_step__of_a_worker_is_left_to_it(stage, clerk):
    alpha = tiny.item("alpha", d.start("s"), d.external("print", topic="print"), d.end("e"), d.flows("s -> print -> e"))

    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": alpha})

    assert stage.incidents(case) == []
    with stage.reading() as session:
        assert session.scalars(select(ExternalTask.topic)).all() == ["print"]


# Calls ------------------------------------------------------------------------------------------------------------------------------------


def calling(*content):
    """A matter of its own kind around one item."""
    body = d.diagram(*content, key="calling", properties={"onething.kind": "matter"})
    return {"calling_bpmn": body, "calling_dmn": tiny.tables({"alpha": {}}, [])}


INTAKE = d.user("intake", name="一窗受理", groups="window", properties={"onething.kind": "intake"})


def test_call__interrupted_by_the_diagram(stage, clerk):
    """A timer ends the call: the item's process ends with it, and the item without decision."""
    stage.deploy(
        "calling",
        alpha_bpmn=tiny.item("alpha"),
        **calling(
            d.start("s"),
            INTAKE,
            d.call("call_alpha", of="alpha", properties={"onething.item": "alpha"}),
            d.timer_boundary("late", on="call_alpha", duration="P3D"),
            d.user("sorry", name="致歉", groups="window"),
            d.end("e"),
            d.flows("s -> intake -> call_alpha -> e", "late -> sorry -> e"),
        ),
    )
    case = clerk.submit("calling")
    clerk.complete(case, "一窗受理", outcome="accept")

    stage.travel(2026, 3, 6)

    assert stage.tasks(case) == ["致歉"]
    assert stage.statuses(case) == {"alpha": "terminated"}
    assert stage.own_process(stage.item(case, "alpha")).status == "canceled"
    assert stage.notices(case)[-1] == "termination"


def test_call__ends_with_an_error_that_the_diagram_catches(stage, clerk, market):
    alpha = tiny.item("alpha", d.start("s"), tiny.decision("alpha"), d.end("e", error="LOST"), d.flows("s -> decide -> e"))
    stage.deploy(
        "calling",
        alpha_bpmn=alpha,
        **calling(
            d.start("s"),
            INTAKE,
            d.call("call_alpha", of="alpha", properties={"onething.item": "alpha"}),
            d.error_boundary("lost", on="call_alpha", error="LOST"),
            d.user("sorry", name="致歉", groups="window"),
            d.end("e"),
            d.flows("s -> intake -> call_alpha -> e", "lost -> sorry -> e"),
        ),
    )
    case = clerk.submit("calling")
    clerk.complete(case, "一窗受理", outcome="accept")

    market.complete(case, "alpha审批", outcome="undecided")

    assert stage.tasks(case) == ["致歉"]
    assert stage.statuses(case) == {"alpha": "terminated"}


def test_call__plain_process_within_an_item(stage, clerk, market):
    """It belongs to the item: its clock is the item's, and it ends with it."""
    alpha = tiny.item(
        "alpha",
        d.start("s"),
        d.call("sub", of="site_visit", inputs=["all"]),
        tiny.decision("alpha"),
        d.end("e"),
        d.flows("s -> sub -> decide -> e"),
    )
    visit = d.diagram(
        d.start("s"),
        d.user("visit", name="踏勘", groups="department-market", due="${deadline('promised')}"),
        d.end("e"),
        d.flows("s -> visit -> e"),
        key="site_visit",
    )
    stage.deploy("visit", site_visit_bpmn=visit)
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": alpha})
    assert stage.task(case, "踏勘").item_id == stage.item(case, "alpha").id
    assert stage.task(case, "踏勘").due_at.isoformat() == "2026-03-16T16:00:00+00:00"

    market.complete(case, "踏勘")
    assert stage.tasks(case) == ["alpha审批", "beta审批"]
    market.complete(case, "alpha审批", outcome="granted")

    assert stage.statuses(case)["alpha"] == "granted"


def test_call__a_process_within_an_item_decides_it(stage, clerk, market):
    """The bundle sees it at once, though the process of the item goes on: the longest wait for the others begins."""
    decides = d.diagram(d.start("s"), tiny.decision("alpha"), d.end("e"), d.flows("s -> decide -> e"), key="deciding")
    filing = d.user("file", name="归档", groups="department-market")
    alpha = tiny.item("alpha", d.start("s"), d.call("sub", of="deciding"), filing, d.end("e"), d.flows("s -> sub -> file -> e"))
    stage.deploy("deciding", deciding_bpmn=decides)
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": alpha})
    assert stage.timer(case, "longest_wait") is None

    market.complete(case, "alpha审批", outcome="granted")

    assert stage.tasks(case) == ["beta审批", "归档"]
    assert stage.timer(case, "longest_wait").isoformat() == "2026-03-05"


def test_call__ends_within_an_item_that_was_denied(stage, clerk, market):
    """What waits for the item belongs to the bundle, and is left to whoever holds that."""
    visit = d.diagram(
        d.start("s"), d.user("visit", name="踏勘", groups="department-market"), d.end("e"), d.flows("s -> visit -> e"), key="site_visit"
    )
    both = d.flows("s -> fork -> decide -> join -> e", "fork -> sub -> join")
    body = d.start("s"), d.parallel("fork"), tiny.decision("alpha"), d.call("sub", of="site_visit"), d.parallel("join"), d.end("e"), both
    stage.deploy("visit", site_visit_bpmn=visit)
    items = {"alpha": {}, "beta": {"predecessors": "alpha:FS"}}
    case = accepted(stage, clerk, items, processes={"alpha": tiny.item("alpha", *body)})
    complete_and_die(stage, market, case, "alpha审批", {"outcome": "denied", "reason_code": "conditions", "reason": "不符合条件"})
    complete_and_die(stage, market, case, "踏勘", {})
    own = stage.item(case, "alpha").instance_id
    [ended] = stage.all(Instance, case, parent_id=own)

    with stage.database.transaction() as session:
        execution.resume(session, own, [ended.id], actor=ENGINE)
        session.info.pop(database._AFTER_COMMIT)

    assert stage.statuses(case) == {"alpha": "denied", "beta": "waiting"}
    scheduler.drain(stage.database)
    assert stage.statuses(case) == {"alpha": "denied", "beta": "blocked"}


def test_call__plain_process_ends_with_its_item(stage, clerk, market):
    alpha = tiny.item(
        "alpha", d.start("s"), d.call("sub", of="endless"), tiny.decision("alpha"), d.end("e"), d.flows("s -> sub -> decide -> e")
    )
    stage.deploy(
        "endless",
        endless_bpmn=d.diagram(d.start("s"), d.user("w", name="等", groups="window"), d.end("e"), d.flows("s -> w -> e"), key="endless"),
    )
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": alpha})

    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    assert stage.tasks(case) == ["beta审批"]
    with stage.reading() as session:
        assert len(session.scalars(select(Instance).where(Instance.case_id == case.id, Instance.status == "running")).all()) == 2


def test_throw__nobody_waits(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}})

    with clerk.acting() as session:
        assert execution.throw(session, case, "nothing", actor=clerk.actor) == 0


def test_incident__of_a_case_that_is_not_yours(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": failing_gateway()})
    market.complete(case, "alpha审批", outcome="granted")
    elsewhere = stage.person("clerk-yuelu")
    with stage.reading() as session:
        incident = session.scalars(select(Incident)).one()

    with pytest.raises(NotFound), elsewhere.acting() as session:
        incidents.retry(session, incident.id, actor=elsewhere.actor)


def test_bundle__ends_without_having_called_an_item(stage, clerk, market):
    """The diagram calls alpha only, and ends: beta is given back, not forgotten."""
    body = d.diagram(
        d.start("s"),
        INTAKE,
        d.exclusive("later", default="call_alpha"),
        d.call("call_alpha", of="alpha", properties={"onething.item": "alpha"}),
        d.call("call_beta", of="beta", properties={"onething.item": "beta"}),
        d.end("e"),
        d.flows("s -> intake -> later -> call_alpha -> e", "later -> call_beta [${outcome == 'never'}]", "call_beta -> e"),
        key="calling",
        properties={"onething.kind": "matter"},
    )
    files = {"alpha_bpmn": tiny.item("alpha"), "beta_bpmn": tiny.item("beta"), "calling_dmn": tiny.tables({"alpha": {}, "beta": {}}, [])}
    stage.deploy("calling", calling_bpmn=body, **files)
    case = clerk.submit("calling")
    clerk.complete(case, "一窗受理", outcome="accept")

    market.complete(case, "alpha审批", outcome="denied", reason_code="x", reason="不符合条件")

    assert stage.statuses(case) == {"alpha": "denied", "beta": "terminated"}
    assert stage.notices(case)[-1] == "termination"  # nobody has said a word of it otherwise
    assert stage.case(case).ended_at is not None
