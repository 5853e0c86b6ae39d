"""Clerks, departments, applicants and time act at random: everything holds together after each step, and every bundle comes to an end."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from engine import calendars, scheduler, tasks
from engine.errors import EngineError
from engine.states import InstanceStatus
from tests import invariants, tiny

ITEMS = {
    "alpha": {"extension": 5},
    "beta": {"predecessors": "alpha:FS"},
    "gamma": {"predecessors": "alpha:RM", "on_refusal": "CONTINUE"},
    "delta": {"promised": 3},
    "epsilon": {"predecessors": "beta:FS delta:SOFT"},
}
MATERIALS = [
    {"material": "plan", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 2, "grace_days": 3},
    {"material": "menu", "used_by": "delta", "tolerable": True, "until": "BEFORE_DECISION", "due_days": 4, "grace_days": 2},
    {"material": "photo", "used_by": "beta,gamma", "tolerable": True, "until": "AFTER_ISSUE", "due_days": 3, "grace_days": 3},
    {"material": "lease", "used_by": "epsilon"},
]
AT_THE_WINDOW = {"一窗受理", "接续受理", "补正材料", "统一出件", "好差评"}
DECISIONS = (
    {"outcome": "granted"},
    {"outcome": "granted"},
    {"outcome": "denied", "reason_code": "x", "reason": "不符合条件"},
    {"outcome": "inspect"},
)
WINDOW = (
    {"outcome": "accept"},
    {"outcome": "tolerate", "commitment_signed": True},
    {"outcome": "supplement", "defects": "签名不清"},
    {"outcome": "refuse", "refusal_kind": "not_accepted", "reason": "不属于本机关"},
)


class Walk:
    """One bundle, and whatever may happen to it."""

    def __init__(self, stage, clerk, market, seed: int) -> None:
        self.stage, self.clerk, self.market, self.choose = stage, clerk, market, random.Random(seed)
        stage.deploy("tiny", **tiny.folder(ITEMS, materials=MATERIALS, processes={code: tiny.inspected(code) for code in ITEMS}))
        codes = self.choose.sample(sorted(ITEMS), k=self.choose.randint(1, 5))
        self.case = clerk.submit("tiny", items=codes)
        if self.choose.random() < 0.5:
            self.attempt(self.bring)

    def step(self) -> str:
        """Do something; what is refused is no fault."""
        time = self.pass_time if self.stage.checking else self.work
        action = self.choose.choices([self.complete, time, self.bring, self.beside, self.join], [6, 3, 3, 2, 2])[0]
        try:
            return f"{action.__name__}: {action()}"
        except (EngineError, IndexError) as refused:
            return f"{action.__name__} refused: {refused}"

    def complete(self) -> str:
        task = self.choose.choice(self.open_tasks())
        return self.do(task, self.choose.choice(WINDOW if task.name in {"一窗受理", "接续受理"} else DECISIONS))

    def do(self, task, data) -> str:
        person = self.clerk if task.name in AT_THE_WINDOW else self.market
        if task.name == "好差评":
            data = {"score": 5}
        elif task.name == "补正材料":
            data = self.choose.choice([{"answered": True}, {"answered": False, "reason": "签名仍不清"}])
        elif "审批" not in task.name and "受理" not in task.name:
            data = {}
        with person.acting() as session:
            tasks.complete(session, task.id, actor=person.actor, data=data)
        return f"{task.name} {data}"

    def open_tasks(self):
        with self.stage.reading() as session:
            return tasks.of_case(session, self.case.id)

    def pass_time(self) -> str:
        days = self.choose.randint(1, 5)
        self.stage.traveller.shift(timedelta(days=days))
        scheduler.drain(self.stage.database)
        invariants.check(self.stage.database)
        return f"{days} days"

    def work(self) -> str:
        """Run what is due, as any node may at any time."""
        return f"{scheduler.drain(self.stage.database)} done"

    def bring(self) -> str:
        code = self.choose.choice(["plan", "menu", "photo", "lease"])
        self.clerk.hand_in(self.case, code)
        return code

    def beside(self) -> str:
        item = self.choose.choice(list(self.stage.items(self.case).values()))
        verb, more = self.choose.choice(
            [
                ("withdraw", {"reason": "不办了"}),
                ("pause", {"kind": "hearing", "reason": "听证", "days": 5}),
                ("resume", {}),
                ("resume", {}),
                ("extend", {"days": 3, "approver": "organ_head", "reason": "案情复杂"}),
                ("revoke", {"reason": "误点准予"}),
            ]
        )
        (self.clerk if verb == "withdraw" else self.market).handle(verb, item, **more)
        return f"{verb} {item.code}"

    def join(self) -> str:
        code = self.choose.choice(sorted(ITEMS))
        if self.choose.random() < 0.5:
            self.clerk.follow_on(self.case, code)
            return f"follow-on {code}"
        alone = self.clerk.submit(code, materials=["plan"])
        self.clerk.complete(alone, "一窗受理", outcome="tolerate", commitment_signed=True)
        self.clerk.adopt(self.case, self.stage.item(alone, code).number)
        return f"adopt {code}"

    def finish(self) -> None:
        """Everybody does what is left to do, and time passes."""
        for code in ("plan", "menu", "photo", "lease"):
            self.attempt(lambda code=code: self.clerk.hand_in(self.case, code))
        for _ in range(60):
            if self.stage.bundle(self.case).status is not InstanceStatus.RUNNING:
                return
            for item in self.stage.items(self.case).values():
                self.attempt(lambda item=item: self.market.handle("resume", item))
            for task in self.open_tasks():
                self.attempt(lambda task=task: self.do(task, {"outcome": "accept"} if "受理" in task.name else {"outcome": "granted"}))
                self.attempt(lambda task=task: self.do(task, DECISIONS[2]))  # what it needs was not granted, and never will be
            self.pass_time()

    def told(self, story: list[str]) -> str:
        """What happened, and how it stands."""
        tasks_, incidents = self.stage.tasks(self.case), [i.message for i in self.stage.incidents(self.case)]
        jobs = [(job.kind, job.error) for job in self.stage.jobs(self.case)]
        return "\n".join([*story, f"{self.stage.statuses(self.case)}, {tasks_=}, {incidents=}, {jobs=}"])

    def attempt(self, action) -> None:
        try:
            action()
        except EngineError:
            return


@pytest.mark.parametrize("seed", range(8))
def test_bundle__whatever_happens_it_ends(stage, clerk, market, seed):
    walk = Walk(stage, clerk, market, seed)
    story = [walk.step() for _ in range(18)]

    walk.finish()

    told, case = walk.told(story), stage.case(walk.case)
    assert stage.bundle(walk.case).status == InstanceStatus.COMPLETED, told
    assert case.ended_at is not None, told
    assert stage.jobs(walk.case) == [], told
    assert calendars.local_date(case.ended_at) >= calendars.local_date(case.submitted_at)


@pytest.mark.parametrize("seed", range(3))
def test_bundle__several_act_at_once(stage, clerk, market, seed):
    """Nobody waits for ever, nothing is lost, and nothing is done twice; a command is served or refused, and no error is a stranger."""
    walk = Walk(stage, clerk, market, seed)
    stage.checking = False

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: walk.step(), range(40)))

    assert not any("try again" in line for line in told), "\n".join(told)
    scheduler.drain(stage.database)
    stage.checking = True
    invariants.check(stage.database)
    walk.finish()
    assert stage.bundle(walk.case).status == InstanceStatus.COMPLETED, walk.told(told)
