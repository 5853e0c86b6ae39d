"""What an instance went through, as `engine.activities` writes it and `engine.history` tells it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from engine import history, scheduler, tasks
from engine.actors import Role, RoleGrant
from engine.models import Instance
from tests import tiny
from tests.bpmn import diagrams as d
from tests.stage import BEIJING

pytestmark = pytest.mark.usefixtures("one_order_of_locks")


def listed(stage, who, **wanted):
    with stage.reading() as session:
        conditions = (history.FILTERS[name].condition(value) for name, value in wanted.items())
        return [history.told(row) for row in history.search(who.actor, *conditions).rows(session)]


def told(stage, who, **wanted):
    """Elements that were gone through, each with how it ended."""
    return [(one.activity.element, one.activity.outcome) for one in listed(stage, who, **wanted)]


def loop():
    """A task that is done until it is good."""
    return d.diagram(
        d.start("s"),
        d.user("work", name="登记"),
        d.exclusive("good"),
        d.end("done"),
        d.flows("s -> work -> good", "good -> done [${good}]", "good -> work [${not good}]"),
        key="loop",
    )


def test_record__each_round_of_a_loop(stage, designer):
    stage.deploy("loop", loop_bpmn=loop())
    instance = designer.start("loop")
    admin = stage.person("admin")

    admin.complete(stage.of(instance), "登记", good=False)
    assert told(stage, designer) == [("s", "completed"), ("work", "completed"), ("good", "completed"), ("work", None)]
    admin.complete(stage.of(instance), "登记", good=True)

    round_ = [("work", "completed"), ("good", "completed")]
    assert told(stage, designer, processInstanceId=instance.id) == [("s", "completed"), *round_, *round_, ("done", "completed")]


def test_record__when_and_by_whom(stage, designer):
    stage.deploy("loop", loop_bpmn=loop())
    instance = designer.start("loop")
    admin, task = stage.person("admin"), stage.task(stage.of(instance), "登记")
    with admin.acting() as session:
        tasks.claim(session, task.id, actor=admin.actor)
    stage.move_to(2026, 3, 3)

    admin.complete(stage.of(instance), "登记", good=True)

    [work] = listed(stage, designer, activityId="work")
    assert (work.activity.name, work.activity.type, work.activity.scope) == ("登记", "userTask", None)
    assert (work.task_id, work.assignee, work.called_id) == (task.id, "admin", None)
    assert work.instance.id == instance.id
    assert work.activity.ended_at - work.activity.started_at >= timedelta(hours=23)


def interrupted():
    return d.diagram(
        d.start("s"),
        d.subprocess(
            "inner",
            d.start("is"),
            d.user("slow", name="办理"),
            d.end("ie"),
            d.flows("is -> slow -> ie"),
        ),
        d.timer_boundary("late", on="inner", duration="P1D"),
        d.end("over"),
        d.end("done"),
        d.flows("s -> inner -> done", "late -> over"),
        key="interrupted",
    )


def test_record__interrupted(stage, designer):
    """In the order in which it happened, although the boundary event has waited since before."""
    stage.deploy("interrupted", interrupted_bpmn=interrupted())
    designer.start("interrupted")

    stage.travel(2026, 3, 5)

    assert told(stage, designer) == [
        ("s", "completed"),
        ("inner", "canceled"),
        ("is", "completed"),
        ("slow", "canceled"),
        ("late", "completed"),
        ("over", "completed"),
    ]
    assert told(stage, designer, canceled=True) == [("inner", "canceled"), ("slow", "canceled")]
    assert told(stage, designer, unfinished=True) == []
    assert told(stage, designer, activityIdIn=["late"]) == [("late", "completed")]


def test_record__a_call(stage, designer):
    """The call tells which instance it has called; that one has a history of its own."""
    caller = d.diagram(d.start("s"), d.call("call", of="loop"), d.end("e"), d.flows("s -> call -> e"), key="caller")
    stage.deploy("both", caller_bpmn=caller, loop_bpmn=loop())
    instance = designer.start("caller")

    [call] = listed(stage, designer, activityId="call")
    with stage.reading() as session:
        child = session.scalars(select(Instance).where(Instance.parent_id == instance.id)).one()
    assert call.called_id == child.id
    assert told(stage, designer, processInstanceId=child.id) == [("s", "completed"), ("work", None)]
    assert told(stage, designer, processDefinitionKey="caller") == [("s", "completed"), ("call", None)]


def test_record__nothing_that_the_compiler_put_in(stage, designer):
    """A fork that is not drawn is in nobody's history."""
    fork = d.diagram(d.start("s"), d.user("a", name="甲"), d.user("b", name="乙"), d.flows("s -> a", "s -> b"), key="fork")
    stage.deploy("fork", fork_bpmn=fork)

    designer.start("fork")

    assert told(stage, designer) == [("s", "completed"), ("a", None), ("b", None)]


def test_record__a_command_that_is_refused(stage, designer):
    stage.deploy("loop", loop_bpmn=loop())
    instance = designer.start("loop")
    admin, task = stage.person("admin"), stage.task(stage.of(instance), "登记")

    def complete_and_die():
        with admin.acting() as session:
            tasks.complete(session, task.id, actor=admin.actor, data={"good": True})
            raise RuntimeError("the process dies before the commit")

    with pytest.raises(RuntimeError):
        complete_and_die()

    assert told(stage, designer) == [("s", "completed"), ("work", None)]


def test_search__only_what_one_may_see(stage, clerk, designer):
    """A designer sees processes without a matter; a clerk the cases of its hall; a stranger nothing."""
    stage.deploy("loop", loop_bpmn=loop(), **tiny.folder({"alpha": {}}))
    designer.start("loop")
    clerk.submit("tiny")

    assert told(stage, designer) == [("s", "completed"), ("work", None)]
    assert told(stage, clerk) == [("submitted", "completed"), ("intake", None)]
    assert told(stage, stage.somebody(RoleGrant(role=Role.CLERK, hall="elsewhere"))) == []


# How long it is kept ----------------------------------------------------------------------------------------------------------------------


def kept(ttl):
    attrs = {} if ttl is None else {"camunda:historyTimeToLive": ttl}
    return d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="kept", attrs=attrs)


@pytest.mark.parametrize(("ttl", "day"), [("30", 1), ("P30D", 1), ("P2M", 32), (None, None), ("", None), ("0", -29)])
def test_purge__when_its_time_is_over(stage, designer, ttl, day):
    """Counted from the end, in days or as ISO 8601; without one it is kept for ever."""
    stage.deploy("kept", kept_bpmn=kept(ttl))
    instance = designer.start("kept")

    due = stage.instance(instance).purge_at

    expected = None if day is None else datetime(2026, 4, 1, 9, tzinfo=BEIJING) + timedelta(days=day - 1)
    assert (due is None) == (expected is None)
    assert due is None or abs(due - expected) < timedelta(minutes=1)


def test_purge__by_the_scheduler(stage, designer):
    stage.deploy("kept", kept_bpmn=kept("P30D"), loop_bpmn=loop())
    instance = designer.start("kept")
    running = designer.start("loop")

    stage.travel(2026, 3, 31)
    assert len(told(stage, designer, processInstanceId=instance.id)) == 2
    stage.travel(2026, 4, 2)

    assert told(stage, designer, processInstanceId=instance.id) == []
    assert len(told(stage, designer, processInstanceId=running.id)) == 2
    assert stage.instance(instance).status == "completed"
    assert scheduler.tick(stage.database) == 0
