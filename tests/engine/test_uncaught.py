"""Errors that nothing catches: one path ends; the history, the journal and, in a case, an alert say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from engine import escalations, external_tasks, instance_lists, jobs, scheduler, tasks, verification
from engine.case_models import Notice
from engine.models import Activity, ExternalTask, Instance, Job, Task
from tests import tiny
from tests.bpmn import diagrams as d

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
CHILD = d.diagram(
    d.start("s"),
    d.user("work", name="办理"),
    d.end("e"),
    d.flows("s -> work -> e"),
    key="child",
)


@pytest.fixture
def store(sqlite):
    """Nothing here depends on the kind of database."""
    return sqlite


def parent(*boundaries, of="child", key="parent"):
    content = (d.start("s"), d.call("call", of=of), d.user("next", name="归档"), d.user("look", name="督办"))
    return d.diagram(*content, *boundaries, d.flows("s -> call -> next"), key=key)


CATCHES = d.error_boundary("bad", on="call", error="E1"), d.flows("bad -> look")


def instances(stage):
    with stage.reading() as session:
        return session.scalars(select(Instance).order_by(Instance.id)).all()


def raise_error(stage, instance, code="E1"):
    admin, task = stage.person("admin"), stage.task(stage.of(instance), "办理")
    with admin.acting() as session:
        tasks.raise_error(session, task.id, code, actor=admin.actor)


def test_raise_error__nobody_has_called(stage, designer):
    stage.deploy("child", child_bpmn=CHILD)
    instance = designer.start("child")

    raise_error(stage, instance)

    [row] = instances(stage)
    assert (str(row.status), row.error, row.end) == ("failed", "E1", "work")
    assert [str(task.status) for task in stage.all(Task, stage.of(instance))] == ["canceled"]
    with stage.reading() as session:
        columns = Activity.element, Activity.outcome, Activity.error
        assert session.execute(select(*columns).order_by(Activity.number)).all() == [("s", "completed", None), ("work", "completed", "E1")]
    told = [(entry.what, entry.details) for entry in stage.journal(stage.of(instance))]
    assert told[-1] == ("error uncaught", {"element": "work", "code": "E1"})
    assert stage.alerts(stage.of(instance)) == []


def test_report_error__nobody_catches_it(stage, designer):
    """What the worker had is over; it is told nothing of that."""
    content = d.start("s"), d.external("work", topic="post"), d.end("e"), d.flows("s -> work -> e")
    stage.deploy("child", child_bpmn=d.diagram(*content, key="child"))
    case = stage.of(designer.start("child"))
    admin = stage.person("admin")
    [task] = stage.all(ExternalTask, case)

    with admin.acting() as session:
        external_tasks.lock(session, task.id, "w", timedelta(seconds=1), actor=admin.actor)
        external_tasks.raise_error(session, task.id, "w", "E1", actor=admin.actor)

    assert ([str(row.status) for row in instances(stage)], stage.all(ExternalTask, case)) == (["failed"], [])


def test_answer_error__the_call_catches_it(stage, designer):
    stage.deploy("both", parent_bpmn=parent(*CATCHES), child_bpmn=CHILD)
    instance = designer.start("parent")

    raise_error(stage, instance)

    assert [(str(row.status), row.error) for row in instances(stage)] == [("running", None), ("canceled", None)]
    assert stage.tasks(stage.of(instance)) == ["督办"]


def test_answer_error__three_callers_above(stage, designer):
    """What lies between is ended, too: it is taken before what it has called."""
    deepest = {"child_bpmn": CHILD, "c_bpmn": parent(key="c"), "b_bpmn": parent(key="b", of="c")}
    stage.deploy("four", parent_bpmn=parent(*CATCHES, of="b"), **deepest)
    instance = designer.start("parent")

    raise_error(stage, instance)

    assert [str(row.status) for row in instances(stage)] == ["running", "canceled", "canceled", "canceled"]
    assert stage.tasks(stage.of(instance)) == ["督办"]


def test_answer_error__nobody_catches_it(stage, designer):
    stage.deploy("both", parent_bpmn=parent(), child_bpmn=CHILD)
    instance = designer.start("parent")

    raise_error(stage, instance)

    assert [(str(row.status), row.error) for row in instances(stage)] == [("running", None), ("failed", "E1")]
    assert stage.tasks(stage.of(instance)) == ["归档"]


@pytest.mark.parametrize(("boundaries", "left"), [((), ["归档"]), (CATCHES, ["督办"])])
def test_answer_error__the_process_dies_after_the_commit(stage, designer, monkeypatch, boundaries, left):
    """The token rests, and nobody does its task any more, until the scheduler asks; asking again changes nothing."""
    stage.deploy("both", parent_bpmn=parent(*boundaries), child_bpmn=CHILD)
    instance = designer.start("parent")
    with monkeypatch.context() as patch:
        patch.setattr("engine.jobs.run_after_commit", lambda *_: None)
        raise_error(stage, instance)
    assert stage.tasks(stage.of(instance)) == []
    [job] = stage.all(Job, stage.of(instance))

    scheduler.drain(stage.database)
    with designer.acting() as session:
        child, wait = instances(stage)[1].id, job.payload["wait"]
        escalations.answer_error(session, job.instance_id, child, child, wait, actor=designer.actor)

    assert (job.kind, job.instance_id, stage.tasks(stage.of(instance))) == ("error", instance.id, left)


def test_verify__nobody_answers_an_error(stage, designer, monkeypatch):
    """While it is owed an answer all is well; without the job its token would rest for ever."""
    stage.deploy("both", parent_bpmn=parent(), child_bpmn=CHILD)
    instance = designer.start("parent")
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)
    raise_error(stage, instance)
    assert list(verification.verify(stage.database)) == []

    with stage.database.transaction() as session:
        session.execute(delete(Job))

    [fault] = verification.verify(stage.database)
    assert fault.message == "Expected the error at work to be answered, but no job does"


def bundle(stage, clerk, alpha, *catches, **more):
    """A case whose matter calls one item, accepted."""
    intake = d.user("intake", name="一窗受理", groups="window", properties={"onething.kind": "intake"})
    call = d.call("call", of="alpha", properties={"onething.item": "alpha"})
    content = d.start("s"), intake, call, d.user("next", name="归档", groups="window"), *catches, d.flows("s -> intake -> call -> next")
    matter = d.diagram(*content, key="calling", properties={"onething.kind": "matter"})
    stage.deploy("calling", alpha_bpmn=alpha, calling_bpmn=matter, calling_dmn=tiny.tables({"alpha": {}}, []), **more)
    case = clerk.submit("calling")
    clerk.complete(case, "一窗受理", outcome="accept")
    return case


UNCAUGHT = [("red", "uncaught_error")]
LOST = tiny.item("alpha", d.start("s"), tiny.decision("alpha"), d.end("bad", error="E1"), d.flows("s -> decide -> bad"))


def test_item__an_error_keeps_it_from_being_decided(stage, clerk, market):
    """It is no decision: the item ends without one, a supervisor is alerted, and the bundle goes on."""
    case = bundle(stage, clerk, LOST)

    market.complete(case, "alpha审批", outcome="undecided")

    item = stage.item(case, "alpha")
    assert (str(item.status), item.reason) == ("terminated", {"reason": "办理流程出错，未能作出决定", "error": "E1"})
    assert stage.notices(case)[-1] == "termination"
    assert (stage.own_process(item).status, stage.alerts(case), stage.tasks(case)) == ("failed", UNCAUGHT, ["归档"])


SAID = d.tag(
    "bpmn:error", attrs={"id": "Error_E1", "errorCode": "E1", "name": "登记信息不一致", "camunda:errorMessage": "登记信息与提交的不一致"}
)


@pytest.mark.parametrize(
    ("error", "end", "words"),
    [
        (SAID, "核对不上", "登记信息与提交的不一致"),
        (SAID.replace("登记信息与提交的不一致", "${text}"), "核对不上", "登记信息不一致"),
        (SAID.replace("登记信息与提交的不一致", "").replace("登记信息不一致", "E1"), "核对不上", "核对不上"),
    ],
)
@pytest.mark.parametrize("caught", [False, True])
def test_item__what_the_applicant_is_told_of_an_error(stage, clerk, market, error, end, words, caught):
    """What the diagram says of it, or else its end event; the code is in the item and in the journal, for officers."""
    alpha = LOST.replace(b'<bpmn:error id="Error_E1" errorCode="E1"/>', error.encode()).replace(
        b'id="bad"', f'id="bad" name="{end}"'.encode()
    )
    assert error.encode() in alpha
    catches = (d.error_boundary("bad", on="call", error="E1"), d.user("look", name="督办"), d.flows("bad -> look")) if caught else ()
    case = bundle(stage, clerk, alpha, *catches)

    market.complete(case, "alpha审批", outcome="undecided", text="x")

    item, notice = stage.item(case, "alpha"), stage.all(Notice, case)[-1]
    assert (notice.kind, notice.content["reason"], "E1" in str(notice.content)) == ("termination", words, False)
    assert item.reason == {"reason": words, "error": "E1"}
    [details] = [entry.details for entry in stage.journal(case) if entry.what == "item terminated"]
    assert details == {"item": item.number, "notice": notice.number, "reason": words, "error": "E1"}


def test_item__an_error_after_its_decision(stage, clerk, market):
    """What is decided stays so; a supervisor is alerted."""
    case = bundle(stage, clerk, LOST)

    market.complete(case, "alpha审批", outcome="granted")

    assert (stage.statuses(case), stage.alerts(case), stage.tasks(case)) == ({"alpha": "granted"}, UNCAUGHT, ["归档"])


def test_item__the_bundle_catches_its_error(stage, clerk, market):
    catches = d.error_boundary("bad", on="call", error="E1"), d.user("look", name="督办", groups="window"), d.flows("bad -> look")
    case = bundle(stage, clerk, LOST, *catches)

    market.complete(case, "alpha审批", outcome="undecided")

    item = stage.item(case, "alpha")
    assert (str(item.status), item.reason) == ("terminated", {"reason": "办理流程出错，未能作出决定", "error": "E1"})
    assert (stage.own_process(item).status, stage.alerts(case), stage.tasks(case)) == ("canceled", [], ["督办"])


def test_item__the_bundle_catches_its_error_after_its_decision(stage, clerk, market):
    catches = d.error_boundary("bad", on="call", error="E1"), d.user("look", name="督办", groups="window"), d.flows("bad -> look")
    case = bundle(stage, clerk, LOST, *catches)

    market.complete(case, "alpha审批", outcome="granted")

    item = stage.item(case, "alpha")
    assert (str(item.status), stage.own_process(item).status) == ("granted", "canceled")
    assert (stage.alerts(case), stage.tasks(case)) == ([], ["督办"])


def test_item__an_error_on_one_of_its_paths(stage, clerk, market):
    """The other goes on to its decision; a supervisor is alerted meanwhile."""
    alpha = tiny.item(
        "alpha",
        d.start("s"),
        d.parallel("p"),
        d.user("visit", name="踏勘", groups="department-market"),
        d.end("bad", error="E1"),
        tiny.decision("alpha"),
        d.end("e"),
        d.flows("s -> p -> visit -> bad", "p -> decide -> e"),
    )
    case = bundle(stage, clerk, alpha)

    market.complete(case, "踏勘")

    assert (stage.statuses(case), stage.alerts(case), stage.tasks(case)) == ({"alpha": "in_review"}, UNCAUGHT, ["alpha审批"])
    market.complete(case, "alpha审批", outcome="granted")
    assert (stage.statuses(case), stage.tasks(case)) == ({"alpha": "granted"}, ["归档"])
    row = stage.own_process(stage.item(case, "alpha"))
    assert (str(row.status), row.end, row.error) == ("completed", "e", "E1")


def test_item__failed_in_an_earlier_release(stage, clerk, market, monkeypatch):
    """It ended the whole instance, with the code as its end, and owed its call the error."""
    catches = d.error_boundary("bad", on="call", error="E1"), d.user("look", name="督办", groups="window"), d.flows("bad -> look")
    case = bundle(stage, clerk, LOST, *catches)
    with stage.database.transaction() as session:
        row = session.get_one(Instance, stage.item(case, "alpha").instance_id)
        session.execute(update(Instance).where(Instance.id == row.id).values(status="failed", end="E1", ended_at=row.started_at))
        jobs.owe(session, "resume", session.get_one(Instance, row.parent_id), child=str(row.id))

    scheduler.drain(stage.database)

    assert (stage.statuses(case), "督办" in stage.tasks(case)) == ({"alpha": "terminated"}, True)
    with stage.reading() as session:
        found = {
            name: session.scalars(select(Instance.id).where(instance_lists.HISTORY[name].condition(True))).all()
            for name in ("internallyTerminated", "completed")
        }
    assert found == {"internallyTerminated": [row.id], "completed": []}
