"""A crowd acts at random on processes without a matter: it also modifies, suspends and moves them, and works for their topics.

Nothing is lost or done twice, nobody waits for ever or meets a stranger.  `make crowds` lets other crowds act.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from engine import (
    archives,
    arranging,
    broadcasts,
    case_migrations,
    correlation,
    external_tasks,
    fetches,
    incidents,
    modifications,
    pieces,
    processes,
    scheduled_work,
    scheduler,
    suspension,
    tasks,
    verification,
)
from engine.arranging import Facts
from engine.broadcasts import Thrown
from engine.columns import new_id
from engine.correlation import Message
from engine.errors import EngineError
from engine.external_tasks import Failure
from engine.fetches import Fetch, Wanted
from engine.models import Activity, ExternalTask, Incident, Instance, Job, Task, Timer
from engine.modifications import Instruction, Verb
from engine.places import Place
from engine.schedule_models import Continuation
from engine.states import InstanceStatus, TaskStatus
from engine.variables import Given
from tests import invariants, windows
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.engine.test_crowds import FIRST, PEOPLE, SEEDS

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
STEPS, PROCESSES = 80, 4
#: What each does how often.
DOES = {
    "complete": 8,
    "work": 6,
    "allow": 3,
    "correlate": 3,
    "broadcast": 2,
    "suspend": 2,
    "activate": 3,
    "modify": 3,
    "end": 1,
    "move": 3,
    "undo": 2,
    "execute": 3,
    "fill_in": 2,
    "rename": 2,
    "begin": 2,
    "days": 2,
}
SUB = d.diagram(
    d.start("s"),
    d.throw("ask", defs.escalation("LATE")),
    d.user("inside", name="踏勘"),
    d.exclusive("x", default="e"),
    d.end("lost", error="LOST"),
    d.end("e"),
    d.flows("s -> ask -> inside -> x -> e", "x -> lost [${n > 2}]"),
    key="sub",
)


def drawn(word: str) -> bytes:
    """One of two versions of a process with everything that waits."""
    content = (
        *(d.start("s"), d.parallel("f"), d.end("e")),
        *(d.user("review", name=word), d.timer_boundary("late", on="review", duration="P1D", interrupting=False), d.user("hurry")),
        *(d.external("send", topic="post"), d.user("sent", attrs={"camunda:asyncBefore": "true"})),
        *(d.receive("paid", message="fee_paid"), d.catch("wait", defs.signal("flood")), d.throw("tell", defs.signal("flood"))),
        *(d.call("call", of="sub", ext='<camunda:in variables="all"/>'), d.error_boundary("failed", on="call", error="LOST")),
        *(d.boundary("asked", defs.escalation("LATE"), on="call", interrupting=False), d.user("look")),
        *(d.timer_catch("rest", duration="P2D"), d.user("broken", groups="${group}")),
    )
    flows = d.flows(
        *("s -> f -> review -> e", "late -> hurry -> e", "f -> send -> sent -> e", "f -> paid -> tell -> e", "f -> wait -> e"),
        *("f -> call -> e", "failed -> look", "asked -> look -> e", "f -> rest -> broken -> e"),
    )
    return d.diagram(*content, flows, key="check", name=word, attrs={"camunda:historyTimeToLive": "P2D"})


class Crowd:
    """Several processes; each thread chooses by itself, by the number of its step."""

    def __init__(self, stage, designer, seed: int, *, breaks: bool) -> None:
        self.stage, self.designer, self.seed, self.breaks, self.here = stage, designer, seed, breaks, threading.local()
        stage.checking = False
        stage.deploy("sub", sub_bpmn=SUB)
        for word in ("审查", "复核"):
            stage.deploy("check", check_bpmn=drawn(word))
        self.batches = []
        self.here.choose = random.Random(f"{seed} beginning")
        for _ in range(PROCESSES):
            self.begin()

    def act(self, number: int) -> str:
        """Do something; what is refused is no fault."""
        self.here.choose = random.Random(f"{self.seed} {number}")
        windows.by(self.here.choose, breaks=self.breaks)
        name = self.here.choose.choices(list(DOES), list(DOES.values()))[0]
        try:
            return f"{number} {name}: {getattr(self, name)()}"
        except (EngineError, IndexError) as refused:
            return f"{number} {name} refused: {refused}"

    def any(self, table, *which):
        with self.stage.reading() as session:
            return self.here.choose.choice(session.scalars(select(table).where(*which).order_by(table.id)).all())

    def one(self) -> Instance:
        return self.any(Instance, Instance.status == InstanceStatus.RUNNING)

    def does(self, verb, *what, **more):
        with self.stage.database.transaction() as session:
            return verb(session, *what, actor=self.designer.actor, **more)

    def begin(self) -> str:
        given = {"n": self.here.choose.randint(1, 4)} | self.here.choose.choice([{}, {"group": "g"}])
        return str(self.designer.start("check", business_key=str(self.here.choose.randint(1, 3)), **given).id)

    def complete(self) -> str:
        task = self.any(Task, Task.status == TaskStatus.OPEN)
        self.does(tasks.complete, task.id, data={"n": self.here.choose.randint(1, 4)})
        return task.element

    def rename(self) -> str:
        task = self.any(Task, Task.status == TaskStatus.OPEN)
        facts = {"description": None, "priority": 1, "assignee": None, "owner": None, "delegation": None, "follow_up_at": None}
        self.does(arranging.update, task.id, Facts(name="急件", due_at=None, **facts))
        return task.element

    def work(self) -> str:
        """Fetch what there is for a worker, and complete it, or fail."""
        worker_name, lock = self.here.choose.choice(["a", "b"]), timedelta(days=self.here.choose.randint(0, 1))
        wanted = (Wanted(topic="post", lock=lock),)
        with self.stage.database.transaction() as session:
            what = Fetch(worker=worker_name, wanted=wanted, limit=2)
            found = [found.task.id for found, _ in fetches.fetch(session, what, actor=self.designer.actor)]
        for task_id in found:
            failure = Failure(message="?", details=None, retries=self.here.choose.randint(0, 1), after=timedelta(0))
            if self.here.choose.random() < 0.4:
                self.does(external_tasks.fail, task_id, worker_name, failure)
            else:
                self.does(external_tasks.complete, task_id, worker_name)
        return str(len(found))

    def allow(self) -> str:
        """Allow another attempt, or none."""
        verb = self.here.choose.choice(["task", "job", "incident"])
        left = self.here.choose.randint(0, 2)
        if verb == "task":
            self.does(external_tasks.set_retries, self.any(ExternalTask).id, left)
        elif verb == "job":
            self.does(scheduled_work.set_retries, self.any(self.here.choose.choice([Timer, Continuation])).id, left)
        else:
            self.does(incidents.retry, self.any(Incident, Incident.resolved_at.is_(None)).id)
        return f"{verb} {left}"

    def correlate(self) -> str:
        everybody = self.here.choose.random() < 0.5
        key = None if everybody else str(self.here.choose.randint(1, 3))
        message = Message(name="fee_paid", business_key=key, given=Given(values={"paid": True}))
        find = partial(correlation.correlate, message=message, actor=self.designer.actor, everybody=everybody)
        return str(len(pieces.do(self.stage.database, find)))

    def broadcast(self) -> str:
        find = partial(broadcasts.throw, signal=Thrown(name="flood"), actor=self.designer.actor)
        return str(len(pieces.do(self.stage.database, find)))

    def suspend(self) -> str:
        return str(self.does(suspension.suspend, self.one().id).id)

    def activate(self) -> str:
        return str(self.does(suspension.activate, self.any(Instance, Instance.suspended).id).id)

    def modify(self) -> str:
        """Cancel what lasts, or start anywhere."""
        row = self.one()
        with self.stage.reading() as session:
            lasting = session.scalars(select(Activity).filter_by(instance_id=row.id, ended_at=None)).all()
        if self.here.choose.random() < 0.5:
            there = self.here.choose.choice(lasting)
            one = Instruction(verb=Verb.CANCEL, number=there.number)
        else:
            one = Instruction(verb=Verb.BEFORE, target=self.here.choose.choice(["send", "call", "wait", "sent", "broken", "inside"]))
        self.does(modifications.modify, row.id, [one])
        return f"{one.verb} {one.target or there.element}"

    def end(self) -> str:
        row = self.one()
        self.does(modifications.end, row.id, reason="不办了")
        return str(row.id)

    def move(self) -> str:
        with self.stage.reading() as session:
            plan = case_migrations.plan(
                session, "check", **self.here.choose.choice([{"source": 1, "target": 2}, {"source": 2, "target": 1}])
            )
            about = self.here.choose.choice(case_migrations.affected(session, plan))
        batch = new_id()
        report = self.does(case_migrations.move, plan, about, batch=batch)
        self.batches += [batch] * report.done
        return str(report.reasons)

    def undo(self) -> str:
        batch = self.here.choose.choice(self.batches[-3:])
        with self.stage.reading() as session:
            (about,) = case_migrations.of_batch(session, batch)
        return str(self.does(case_migrations.undo, batch, about).reasons)

    def execute(self) -> str:
        row = self.any(self.here.choose.choice([Timer, Continuation]))
        self.does(scheduled_work.execute, row.id)
        return row.element

    def fill_in(self) -> str:
        given = Given(values={"group": "g", "text": "x" * self.here.choose.choice([1, 9_000]), "n": self.here.choose.randint(1, 4)})
        self.does(processes.set_variables, Place(self.one().id), given)
        return "all"

    def days(self) -> str:
        self.stage.traveller.shift(timedelta(hours=self.here.choose.randint(1, 40)))
        done = scheduler.drain(self.stage.database)
        return f"{done} done, {archives.sweep(self.stage.database)} put away"

    def rows(self, table, *which) -> list:
        with self.stage.reading() as session:
            return list(session.scalars(select(table).where(*which)))

    def finish(self) -> None:
        """Let everything go on, and end what still runs."""
        for row in self.rows(Instance, Instance.suspended):
            self.does(suspension.activate, row.id)
        scheduler.drain(self.stage.database)
        invariants.check(self.stage.database)
        assert list(verification.verify(self.stage.database)) == []
        while found := self.rows(Instance, Instance.status == InstanceStatus.RUNNING, Instance.parent_id.is_(None)):
            self.does(modifications.end, found[0].id, reason="不办了")
        scheduler.drain(self.stage.database)


@pytest.mark.parametrize("breaks", [False, True], ids=["", "breaks"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_crowd__whoever_mends_in_between(stage, designer, seed, breaks):
    crowd = Crowd(stage, designer, seed, breaks=breaks)

    with windows.widened(), ThreadPoolExecutor(PEOPLE) as people:
        told = list(people.map(crowd.act, range(STEPS)))

    scheduler.drain(stage.database)
    story = "\n".join(told)
    assert [(job.kind, job.error) for job in crowd.rows(Job) if job.attempts] == [], story
    invariants.check(stage.database)
    crowd.finish()
    assert (crowd.rows(Job), crowd.rows(Task, Task.status == TaskStatus.OPEN), crowd.rows(Incident, Incident.resolved_at.is_(None))) == (
        [],
        [],
        [],
    )
    assert {row.status for row in crowd.rows(Instance)} <= {InstanceStatus.COMPLETED, InstanceStatus.CANCELED, InstanceStatus.FAILED}, story
    invariants.check(stage.database)
    assert list(verification.verify(stage.database)) == [], story
