"""Escalations out of a called instance: the one that called it answers, however deep."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import escalations, scheduler, tasks
from engine.models import Instance, Job
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
CHILD = d.diagram(
    d.start("s"),
    d.throw("ask", defs.escalation("LATE")),
    d.user("work", name="办理"),
    d.end("e"),
    d.flows("s -> ask -> work -> e"),
    key="child",
)


def parent(*, code="LATE", interrupting=True, key="parent", of="child"):
    return d.diagram(
        d.start("s"),
        d.call("call", of=of),
        d.boundary("late", defs.escalation(code), on="call", interrupting=interrupting),
        d.user("look", name="督办"),
        d.user("next", name="归档"),
        d.flows("s -> call -> next", "late -> look"),
        key=key,
    )


def all_tasks(stage):
    """Names of all open tasks, and how the instances stand, oldest first."""
    with stage.reading() as session:
        rows = session.scalars(select(Instance).order_by(Instance.id)).all()
    return sorted(name for case in {row.case_id: stage.of(row) for row in rows}.values() for name in stage.tasks(case)), [
        str(row.status) for row in rows
    ]


def test_answer__the_parent_interrupts_the_call(stage, designer):
    """What was called is ended before it goes on."""
    stage.deploy("both", parent_bpmn=parent(), child_bpmn=CHILD)

    designer.start("parent")

    assert all_tasks(stage) == (["督办"], ["running", "canceled"])


def test_answer__the_parent_goes_on_beside(stage, designer):
    stage.deploy("both", parent_bpmn=parent(interrupting=False), child_bpmn=CHILD)

    designer.start("parent")

    assert all_tasks(stage) == (["办理", "督办"], ["running", "running"])


def test_answer__nobody_listens(stage, designer):
    """An escalation that nothing catches is no error."""
    stage.deploy("both", parent_bpmn=parent(code="OTHER"), child_bpmn=CHILD)

    instance = designer.start("parent")

    assert all_tasks(stage) == (["办理"], ["running", "running"])
    stage.person("admin").complete(stage.of(instance), "办理")
    assert all_tasks(stage) == (["归档"], ["running", "completed"])


def test_answer__through_two_calls(stage, designer):
    between = d.diagram(d.start("s"), d.call("call", of="child"), d.end("e"), d.flows("s -> call -> e"), key="between")
    stage.deploy("all", parent_bpmn=parent(of="between"), between_bpmn=between, child_bpmn=CHILD)

    designer.start("parent")

    assert all_tasks(stage) == (["督办"], ["running", "canceled", "canceled"])


def test_answer__nobody_has_called(stage, designer):
    stage.deploy("child", child_bpmn=CHILD)

    designer.start("child")

    assert all_tasks(stage) == (["办理"], ["running"])


def test_answer__the_process_dies_after_the_commit(stage, designer, monkeypatch):
    """The token rests until the scheduler asks the parent; asking twice changes nothing."""
    stage.deploy("both", parent_bpmn=parent(interrupting=False), child_bpmn=CHILD)
    with monkeypatch.context() as patch:
        patch.setattr("engine.jobs.run_after_commit", lambda *_: None)
        instance = designer.start("parent")
    assert all_tasks(stage)[0] == []
    [job] = stage.all(Job, stage.of(instance))
    assert (job.kind, job.instance_id) == ("escalate", instance.id)

    scheduler.drain(stage.database)
    with designer.acting() as session:
        escalations.answer(session, job.instance_id, child_of(stage, instance).id, "LATE", wait=job.payload["wait"], actor=designer.actor)

    assert all_tasks(stage)[0] == ["办理", "督办"]


def child_of(stage, instance):
    with stage.reading() as session:
        return session.scalars(select(Instance).where(Instance.parent_id == instance.id)).one()


@pytest.mark.parametrize(("interrupting", "left"), [(True, ["督办"]), (False, ["办理", "督办"])])
def test_raise_at__a_task_of_a_called_instance(stage, designer, interrupting, left):
    """Somebody escalates at a task; the call hears it, and the task stays unless the call is interrupted."""
    quiet = d.diagram(d.start("s"), d.user("work", name="办理"), d.end("e"), d.flows("s -> work -> e"), key="child")
    stage.deploy("both", parent_bpmn=parent(interrupting=interrupting), child_bpmn=quiet)
    instance = designer.start("parent")
    task, admin = stage.task(stage.of(instance), "办理"), stage.person("admin")

    with admin.acting() as session:
        tasks.raise_escalation(session, task.id, "LATE", actor=admin.actor)

    assert all_tasks(stage)[0] == left


def test_answer__again_and_again(stage, designer):
    """Hundreds in a row: a long chain of answers is no deep one."""
    rounds = d.diagram(
        d.start("s"),
        d.exclusive("x"),
        d.throw("ask", defs.escalation("LATE")),
        d.element("serviceTask", "count", attrs={"camunda:expression": "${n + 1}", "camunda:resultVariable": "n"}),
        d.exclusive("enough"),
        d.end("e"),
        d.flows("s -> x -> ask -> count -> enough", "enough -> x [${n < 150}]", "enough -> e [${n >= 150}]"),
        key="child",
    )
    caller = d.diagram(d.start("s"), d.call("call", of="child", inputs=["n"]), d.end("e"), d.flows("s -> call -> e"), key="parent")
    stage.deploy("both", parent_bpmn=caller, child_bpmn=rounds)

    designer.start("parent", n=0)
    scheduler.drain(stage.database)

    assert all_tasks(stage) == ([], ["completed", "completed"])
