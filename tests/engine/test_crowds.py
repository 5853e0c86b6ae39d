"""A crowd acts at random on several bundles, in wider windows: nothing is lost or done twice, nobody waits for ever or meets a stranger.

`make crowds SEEDS=200` lets other crowds act, one for each seed, and `FIRST=1000` begins with other seeds.
"""

from __future__ import annotations

import json
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from engine import archives, cases, idempotency, publications, recomputing, retention, scheduler, tasks, verification
from engine.case_models import Case, Item
from engine.errors import Busy, EngineError, Unavailable
from engine.models import Job
from engine.states import DeliveryStatus, InstanceStatus, ItemStatus
from tests import invariants, tiny, windows
from tests.bpmn import diagrams as d
from tests.engine.test_walks import ITEMS, MATERIALS, Walk
from tests.stage import APPLICANT, WORKFLOWS

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
FIRST, SEEDS = (int(os.environ.get(f"ONETHING_TEST_{name}", default)) for name, default in (("FIRST_SEED", "0"), ("SEEDS", "2")))
PEOPLE, STEPS, BUNDLES = 6, 80, 3
CODES = [*sorted(ITEMS), "zeta"]
#: What each does how often, beside what a walk does.
DOES = {
    "complete": 10,
    "bring": 4,
    "beside": 3,
    "join": 3,
    "back": 3,
    "revoke": 3,
    "hold": 2,
    "late": 2,
    "twice": 1,
    "gather": 1,
    "days": 2,
    "calendar": 1,
    "put_away": 2,
}
CHECKS = ({"outcome": "verified"}, {"outcome": "breached"}, {"outcome": "revoke"})
PROMISED = tiny.item(
    "zeta",
    d.start("accepted"),
    tiny.decision("zeta"),
    d.exclusive("decided", default="done"),
    d.external("plan", topic="onething.post-check"),
    d.end("done"),
    d.end("planned"),
    d.flows(
        "accepted -> decide -> decided -> done",
        "decided -> decide [${outcome == 'inspect'}]",
        "decided -> plan [${outcome == 'granted'}]",
        "plan -> planned",
    ),
)


class Crowd(Walk):
    """Several bundles and single items; each thread chooses by itself, by the number of its step."""

    def __init__(self, stage, clerk, market, seed: int, *, breaks: bool = False) -> None:
        self.stage, self.clerk, self.market, self.seed, self.here = stage, clerk, market, seed, threading.local()
        self.breaks = breaks
        stage.checking = False
        processes = {code: tiny.inspected(code) for code in ITEMS} | {"zeta": PROMISED}
        items = {**ITEMS, "zeta": {"post_check": 3}}
        stage.deploy("tiny", **tiny.folder(items, materials=MATERIALS, processes=processes, promised="30", archive_days="3"))
        self.begin("beginning")
        self.cases = [clerk.submit("tiny", items=self.choose.sample(CODES, k=self.choose.randint(2, 6))) for _ in range(BUNDLES)]
        self.singles = [clerk.submit(self.choose.choice(CODES), materials=["plan"]) for _ in range(BUNDLES)]
        for case in (*self.cases, *self.singles):
            self.attempt(lambda case=case: clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True))

    @property
    def choose(self) -> random.Random:
        return self.here.choose

    @property
    def case(self) -> Case:
        return self.here.case

    def begin(self, step) -> None:
        self.here.choose = random.Random(f"{self.seed} {step}")

    def act(self, number: int) -> str:
        """Do something; what is refused is no fault."""
        self.begin(number)
        windows.by(self.choose, breaks=self.breaks)
        self.here.case = self.choose.choice(self.cases + self.singles[-3:])
        action = getattr(self, self.choose.choices(list(DOES), list(DOES.values()))[0])
        try:
            return f"{number} {action.__name__}: {action()}"
        except (EngineError, IndexError) as refused:
            return f"{number} {action.__name__} refused: {refused}"

    def do(self, task, data) -> str:
        if task.kind != "post-check":
            return super().do(task, data)
        with self.market.acting() as session:
            tasks.complete(session, task.id, actor=self.market.actor, data=self.choose.choice(CHECKS) | {"findings": "已核查"})
        return task.name

    def join(self) -> str:
        """Only bundles take more items."""
        self.here.case = self.choose.choice(self.cases)
        return super().join()

    def back(self) -> str:
        """Take back, or apply again."""
        item = self.choose.choice(list(self.stage.items(self.case).values()))
        verb = self.choose.choice(["withdraw", "withdraw", "reapply", "reapply", "case"])
        if verb == "case":
            self.clerk.withdraw(self.case)
        elif verb == "withdraw":
            self.clerk.handle("withdraw", item, reason="不办了")
        elif (again := self.clerk.handle("reapply", item)).id not in {case.id for case in self.cases}:
            self.singles.append(again)
        return f"{verb} {item.number}"

    def revoke(self) -> str:
        """Take a decision back, also while its check begins, or is done."""
        revocable = {ItemStatus.GRANTED, ItemStatus.ISSUED}
        item = self.choose.choice([item for item in self.stage.items(self.case).values() if item.status in revocable])
        self.market.handle("revoke", item, reason="误点准予")
        return item.number

    def hold(self) -> None:
        """Claim a task, and give it back."""
        task = self.choose.choice(self.open_tasks())
        for verb in (tasks.claim, tasks.release):
            with self.market.acting() as session:
                verb(session, task.id, actor=self.market.actor)

    def late(self) -> None:
        """Report, or deliver, what may have ended long ago."""
        item = self.choose.choice(list(self.stage.items(self.case).values()))
        if self.choose.random() < 0.5:
            self.clerk.handle("deliver", item, outcome=DeliveryStatus.DELIVERED)
        else:
            event, state = str(self.choose.randint(1, 3)), self.choose.choice(["granted", "in_review"])
            self.market.handle("report", item, event_id=event, state=state, external_number=None)

    def twice(self) -> str:
        """Submit with a key, twice at the same moment: one case comes of it."""
        what = {"region": "430100", "matter": "tiny", "hall": "changsha", "applicant": APPLICANT, "answers": {}, "items": ["alpha", "zeta"]}
        command = idempotency.Command(key=str(uuid4()), actor="clerk", request_hash="asked")
        made = []

        def submit(chance: float) -> str:
            windows.by(random.Random(chance), breaks=self.breaks)
            while True:
                try:
                    with idempotency.transaction(self.stage.database, command) as session:
                        case = cases.submit(session, cases.Submission(**what), actor=self.clerk.actor)
                        made.append(case)
                        idempotency.keep(session, idempotency.Answer(status=201, body=case.number))
                except idempotency.Repeated as repeated:
                    return repeated.answer.body
                except (Busy, Unavailable):
                    continue

        with ThreadPoolExecutor(2) as both:
            numbers = set(both.map(submit, [self.choose.random(), self.choose.random()]))
        there = [case for case in self.rows(Case) if case.id in {case.id for case in made}]
        assert numbers == {case.number for case in there}, "Expected one case of a command that came twice, but there is another"
        self.cases += there
        return str(numbers)

    def gather(self) -> str:
        """Begin a bundle with what was applied for alone."""
        alone = [item.number for case in self.choose.sample(self.singles, k=2) for item in self.stage.items(case).values()]
        what = {"region": "430100", "matter": "tiny", "hall": "changsha", "applicant": APPLICANT, "answers": {}, "items": ["beta"]}
        with self.clerk.acting() as session:
            case = cases.submit(session, cases.Submission(**what, adopt=alone), actor=self.clerk.actor)
        self.cases.append(case)
        return f"{case.number} of {alone}"

    def days(self) -> str:
        self.stage.traveller.shift(timedelta(days=self.choose.randint(1, 3)))
        return self.work()

    def pass_time(self) -> str:
        """Let time pass at the end, when all is looked at once."""
        return self.days()

    def calendar(self) -> None:
        """Correct the calendar, and count."""
        document = json.loads((WORKFLOWS / "calendars" / "2026.json").read_bytes())
        day = self.choose.choice([("2026-03-18", "周三"), ("2026-03-19", "周四"), ("2026-03-20", "周五")])
        document["days"].append({"date": day[0], "weekday": day[1], "kind": "day_off", "holiday": "调整"})
        with self.stage.database.transaction() as session:
            publications.publish_year(session, document, actor=self.stage.person("admin").actor)
        recomputing.go_on(self.stage.database, 2)

    def put_away(self) -> None:
        archives.sweep(self.stage.database)
        retention.sweep(self.stage.database, answers=timedelta(days=10))  # days pass here while a command is under way: it finds its answer

    def still_here(self) -> list[Case]:
        with self.stage.reading() as session:
            return [case for case in self.cases if session.get(Case, case.id) is not None]

    def rows(self, table) -> list:
        with self.stage.reading() as session:
            return list(session.scalars(select(table)))


@pytest.mark.parametrize("breaks", [False, True], ids=["", "breaks"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_crowd__whoever_comes_in_between(stage, clerk, market, seed, breaks):
    crowd = Crowd(stage, clerk, market, seed, breaks=breaks)

    with windows.widened(), ThreadPoolExecutor(PEOPLE) as people:
        told = list(people.map(crowd.act, range(STEPS)))

    scheduler.drain(stage.database)
    story = "\n".join(told)
    hindered = [line for line in told if "try again" in line and not (breaks and "the database to answer" in line)]
    assert len(hindered) < STEPS / 10, story
    assert breaks == any("the connection to the database broke" in line for line in told), story
    assert [(job.kind, job.error) for job in crowd.rows(Job) if job.attempts] == [], story
    invariants.check(stage.database)
    for case in crowd.still_here():
        crowd.here.case = case
        known = {entry["code"] for entry in stage.case(crowd.case).checklist["items"]}
        assert {item.code for item in stage.items(crowd.case).values()} <= known, story
        crowd.finish()
        assert stage.bundle(crowd.case).status is InstanceStatus.COMPLETED, crowd.told(told)
    again = [item.previous_number for item in crowd.rows(Item) if item.previous_number and item.status is not ItemStatus.IMPORTED]
    assert len(again) == len(set(again)), story
    assert crowd.rows(Job) == [], story
    invariants.check(stage.database)
    assert list(verification.verify(stage.database)) == [], story
