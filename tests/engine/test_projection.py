"""Rows equal waits: `tests/invariants.py` checks it after every command of every test; here is what is easily missed."""

from __future__ import annotations

import pytest

from engine import continuations, deeds, scheduler, tasks, worklists
from engine.models import ExternalTask, Task
from engine.schedule_models import Continuation
from engine.worklists import TaskFilter
from tests import invariants, tiny
from tests.bpmn import diagrams as d


@pytest.fixture
def case(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    return clerk.submit("tiny")


ELEMENTS = [
    d.user("t", assignee="${x}"),
    d.user("t", groups="clerks, ${x}"),
    d.user("t", attrs={"camunda:candidateUsers": "${x}"}),
    d.external("t", topic="${x}"),
    d.message_catch("t", message="${x}"),
    d.call("t", of="q", ext='<camunda:in businessKey="${x}"/>'),
]


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("value", ["甲" * 256, "a\0b"], ids=["long", "nul"])
def test_project__what_no_column_takes(stage, designer, element, value):
    """PostgreSQL would refuse the row, and with it all that had led there."""
    called = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="q")
    stage.deploy("p", q_bpmn=called, p_bpmn=d.diagram(d.start("s"), element, d.end("e"), d.flows("s -> t -> e"), key="p"))

    case = stage.of(designer.start("p", x=value))

    [incident] = stage.incidents(case)
    assert (incident.element, "\0" in incident.message) == ("t", False)


@pytest.mark.parametrize("element", [d.user("t", priority="${2147483648}"), d.script("t", "${x + 1}")], ids=["priority", "message"])
def test_project__what_no_column_takes_of_what_is_computed(stage, designer, element):
    stage.deploy("p", p_bpmn=d.diagram(d.start("s"), element, d.end("e"), d.flows("s -> t -> e"), key="p"))

    case = stage.of(designer.start("p", x="a\0b"))

    [incident] = stage.incidents(case)
    assert (incident.element, "\0" in incident.message) == ("t", False)


@pytest.mark.parametrize("when", ["camunda:asyncBefore", "camunda:asyncAfter"])
def test_project__what_waits_beside_stays(stage, designer, when):
    """Of two tokens side by side, each of which the engine carries on, one goes on: the other still has its row."""
    steps = [d.element("task", name, attrs={when: "true"}) for name in ("a", "b")]
    flows = d.flows("s -> f", "f -> a -> j", "f -> b -> j", "j -> t -> e")
    drawn = d.diagram(d.start("s"), d.parallel("f"), *steps, d.parallel("j"), d.user("t", name="登记"), d.end("e"), flows, key="p")
    stage.deploy("p", p_bpmn=drawn)
    case = stage.of(designer.start("p"))

    first, second = stage.all(Continuation, case)
    with stage.database.transaction() as session:
        continuations.execute(session, first, actor=deeds.ENGINE)

    invariants.check(stage.database)
    assert [row.wait for row in stage.all(Continuation, case)] == [second.wait]
    scheduler.drain(stage.database)
    assert stage.tasks(case) == ["登记"]


def test_project__what_was_interrupted_is_canceled(stage, clerk, case):
    task = stage.task(case, "一窗受理")

    clerk.withdraw(case)

    with stage.reading() as session:
        row = session.get_one(Task, task.id)
    assert (row.status, row.completed_by) == ("canceled", None)
    assert row.ended_at is not None


def test_project__groups_assignee_priority_and_form(stage, clerk):
    alpha = tiny.item(
        "alpha",
        d.start("s"),
        d.user("work", name="办理", groups="department-market, window, department-market", assignee="officer-market", priority="80"),
        tiny.decision("alpha"),
        d.end("e"),
        d.flows("s -> work -> decide -> e"),
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")

    task = stage.task(case, "办理")
    with stage.reading() as session:
        assert tasks.groups(session, [task]) == {task.id: ["department-market", "window"]}
    assert (task.assignee, task.priority, task.kind, task.hall, task.matter) == ("officer-market", 80, "work", "changsha", "tiny")


def test_project__name_and_description_are_computed(stage, designer):
    said = d.tag("bpmn:documentation", "受理号 ${number}")
    drawn = d.diagram(
        d.start("s"), d.script("n", "${7}", result="number"), d.user("t", said, name="审核 ${number}"), d.end("e"),
        d.flows("s -> n -> t -> e"), key="plain",
    )  # fmt: skip
    stage.deploy("plain", plain_bpmn=drawn)

    task = stage.task(stage.of(designer.start("plain")), "审核 7")

    assert task.description == "受理号 7"


def test_project__a_loop_makes_a_new_task_each_time(stage, clerk, market):
    alpha = tiny.item(
        "alpha",
        d.start("s"),
        tiny.decision("alpha"),
        d.exclusive("again", default="e"),
        d.end("e"),
        d.flows("s -> decide -> again -> e", "again -> decide [${outcome == 'again'}]"),
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")
    first = stage.task(case, "alpha审批")

    market.complete(case, "alpha审批", outcome="again")

    assert stage.task(case, "alpha审批").id != first.id
    assert [task.status for task in stage.all(Task, case, name="alpha审批")] == ["completed", "open"]


def test_project__due_date_of_a_task_moves_with_the_clock(stage, clerk, market, case):
    clerk.complete(case, "一窗受理", outcome="accept")
    assert stage.task(case, "alpha审批").due_at.isoformat() == "2026-03-16T16:00:00+00:00"

    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    assert stage.task(case, "alpha审批").due_at is None
    stage.travel(2026, 3, 4)
    market.handle("resume", stage.item(case, "alpha"))

    assert stage.task(case, "alpha审批").due_at.isoformat() == "2026-03-18T16:00:00+00:00"


def test_project__whose_task_and_when(stage, designer):
    """Candidate users, owner and dates, as they are drawn: who is named sees it in whatever hall."""
    diagram = d.diagram(
        d.start("s"),
        d.user(
            "t", name="登记", attrs={"camunda:candidateUsers": "li, ${second}, li", "camunda:followUpDate": "P2D", "camunda:dueDate": "P5D"}
        ),
        d.flows("s -> t"),
        key="p",
    )
    stage.deploy("p", p_bpmn=diagram)
    instance = designer.start("p", second="wang")
    wang = stage.somebody(name="wang")

    with wang.acting() as session:
        [found] = worklists.find_tasks(session, wang.actor, TaskFilter(), after=None, limit=10)
        task = tasks.get(session, found.id, wang.actor)
        assert tasks.users(session, [task.id]) == {task.id: ["li", "wang"]}
    assert (task.due_at - task.follow_up_at).days == 3
    wang.complete(stage.of(instance), "登记")
    with stage.reading() as session:
        assert session.get_one(Task, task.id).completed_by == "wang"


def test_project__priority_of_external_tasks(stage, designer):
    """As it is drawn on the task, else on the process, else nought."""
    parts = (
        d.start("s"),
        d.parallel("x"),
        d.external("own", topic="a", attrs={"camunda:taskPriority": "${7}"}),
        d.external("of_all", topic="a"),
    )
    flows = d.flows("s -> x -> own", "x -> of_all")
    stage.deploy(
        "p", p_bpmn=d.diagram(*parts, flows, key="p", attrs={"camunda:taskPriority": "3"}), q_bpmn=d.diagram(*parts, flows, key="q")
    )

    drawn, silent = designer.start("p"), designer.start("q")

    found = [{task.element: task.priority for task in stage.all(ExternalTask, stage.of(one))} for one in (drawn, silent)]
    assert found == [{"own": 7, "of_all": 3}, {"own": 7, "of_all": 0}]
