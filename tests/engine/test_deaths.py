"""The scheduler dies at every commit of a process with all that it owes itself: it goes on, and nothing is lost or doubled."""

from __future__ import annotations

import itertools
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import select

from engine import scheduler
from engine.models import Activity, Instance, Job, Task
from engine.schedule_models import Continuation
from tests import invariants
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.listening import at_commits

CATCHER = d.diagram(
    d.start("s"), d.catch("wait", defs.signal("go")), d.user("help", name="救援"), d.flows("s -> wait -> help"), key="catcher"
)
BEGINNER = d.diagram(d.start("s", defs.signal("go")), d.user("note", name="记录"), d.flows("s -> note"), key="beginner")
CHILD = d.diagram(
    d.start("s"),
    d.throw("ask", defs.escalation("LATE")),
    d.task("quick", attrs={"camunda:asyncBefore": "true"}),
    d.end("e"),
    d.flows("s -> ask -> quick -> e"),
    key="child",
)
MAIN = d.diagram(
    d.start("s", attrs={"camunda:asyncBefore": "true"}),
    d.element(
        "serviceTask",
        "count",
        attrs={"camunda:expression": "${n + 1}", "camunda:resultVariable": "n", "camunda:asyncAfter": "true"},
    ),
    d.throw("warn", defs.signal("go", "n")),
    d.call("call", of="child"),
    d.boundary("late", defs.escalation("LATE"), on="call", interrupting=False),
    d.user("look", name="督办"),
    d.user("file", name="归档"),
    d.flows("s -> count -> warn -> call -> file", "late -> look"),
    key="main",
)


class Killed(BaseException):
    """Nobody catches it: whoever is killed does nothing any more."""


@contextmanager
def killing(moment):
    """Die just before or just after a commit; tells how many such moments have passed."""
    passed = itertools.count(1)
    told = []

    def look(_session):
        told.append(next(passed))
        if told[-1] == moment:
            raise Killed

    with suppress(Killed), at_commits(look, look):
        yield told


@pytest.fixture
def lives(stage, designer):
    """Start anew, let the scheduler die at a moment, and let another one go on; what there is in the end."""
    stage.deploy("all", catcher_bpmn=CATCHER, beginner_bpmn=BEGINNER, child_bpmn=CHILD, main_bpmn=MAIN)

    def live(moment):
        with stage.reading() as session:
            before = set(session.scalars(select(Instance.id)))
        designer.start("catcher")
        designer.start("main", n=0)
        with killing(moment) as told:
            scheduler.drain(stage.database)
        scheduler.drain(stage.database)
        return len(told), remains(stage, before)

    return live


def remains(stage, before):
    with stage.reading() as session:
        assert session.scalars(select(Job)).all() == []
        assert session.scalars(select(Continuation)).all() == []
        rows = [row for row in session.scalars(select(Instance).order_by(Instance.id)) if row.id not in before]
        mine = [row.id for row in rows]
        return {
            "instances": sorted((str(row.status), row.variables.get("n")) for row in rows),
            "tasks": sorted(session.scalars(select(Task.name).where(Task.instance_id.in_(mine)))),
            "activities": sorted(session.scalars(select(Activity.element).where(Activity.instance_id.in_(mine)))),
        }


def test_drain__dies_at_every_commit(stage, lives):
    moments, whole = lives(0)
    assert whole["tasks"] == ["归档", "救援", "督办", "记录"]
    assert moments > 12

    for moment in range(1, moments + 1):
        assert lives(moment)[1] == whole, f"after a death at {moment}"

    invariants.check(stage.database)
