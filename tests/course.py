"""A course of commands on a spread database (`tests.spread`), and which shards each wrote to: `python -m tests.course`.

What is done by people and programs goes through HTTP, with an Idempotency-Key; what is due, through the scheduler.
The whole of it is done as `ONETHING_BATCH=1` has it, and what depends on that number, as it is by default, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import time_machine

from engine import deployments, logs
from engine.database import BATCH
from engine.settings import Environment, Settings
from tests import databases, everywhere, restaurant, spread
from tests.acceptance import applicants
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import signal
from tests.hall import OPERATOR, WORKFLOWS, Hall, Person, furnish
from tests.spread import Transaction, Watch

Given = TypeVar("Given")
MONDAY = "2026-03-02T09:00:00+08:00"
BUNDLE = {"matter": "open_restaurant", "hall": "changsha", "applicant": applicants.RESTAURANT, "answers": restaurant.ANSWERS}
FIRE = ["m_plan", "m_fire_rules", "m_evac", "m_fireplan"]
FOOD = ["m_layout_food", "m_food_rules", "m_plan", "m_premises"]
#: Days that are amended to be holidays, so that every clock that runs moves.
AMENDED = {"2026-03-06": "周五", "2026-03-10": "周二"}
#: Each way in which cases are written: one by one, and as it is by default.
ALONE, TOGETHER = 1, Settings.batch
#: What hears a signal, what begins with it, and what throws it.
HEARING = {
    "hears.bpmn": d.diagram(d.start("s"), d.catch("wait", signal("flood")), d.end("e"), d.flows("s -> wait -> e"), key="hears"),
    "begins.bpmn": d.diagram(d.start("s", signal("flood")), d.user("note"), d.end("e"), d.flows("s -> note -> e"), key="begins"),
    "throws.bpmn": d.diagram(d.start("s"), d.throw("warn", signal("flood")), d.end("e"), d.flows("s -> warn -> e"), key="throws"),
}


def furnish_spread(url: str) -> None:
    """Furnish a hall on a database that is spread over shards."""
    furnish(url)
    spread.spread(url)


class Course:
    """A hall in which every command is watched."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.watch = hall, Watch(hall.database.bind)
        self.clerk, self.market, self.fire, self.designer = (hall[name] for name in ("clerk", "officer-market", "officer-fire", "designer"))
        #: In each way, of each command by name, what its transactions did: its own, and those that follow from it.
        self.all: dict[int, dict[str, list[Transaction]]] = {ALONE: {}, TOGETHER: {}}

    @property
    def told(self) -> dict[str, list[Transaction]]:
        """What was done in the way in which cases are written now."""
        return self.all[self.hall.database.batch]

    def does(self, name: str, do: Callable[[], Given]) -> Given:
        """Do it, and note where rows were written."""
        self.watch.take()
        given = do()
        self.told.setdefault(name, []).extend(self.watch.take())
        return given

    def post(self, name: str, who: Person, path: str, body: Any = None) -> Any:
        """Give a command."""
        return self.does(name, lambda: who.post(path, body, key=uuid4().hex))

    def complete(self, name: str, who: Person, case: Any, task: str, **data: Any) -> None:
        """Complete a task of a case."""
        self.post(name, who, f"/tasks/{who.task(case, task)['id']}/complete", data)

    def elsewhere(self, than: set[str], do: Callable[[], Given]) -> tuple[Given, set[str]]:
        """Do something until it lies in another shard; gives where that is."""
        while True:
            self.watch.take()
            given = do()
            (shards,) = [each.written for each in self.watch.take() if each.written]
            if not shards & than:
                return given, shards

    def run(self) -> None:
        """Take the whole course."""
        self.hall.database.info[BATCH] = ALONE
        self.adoption(self.bundle())
        everywhere.deploy(self.hall.database)
        with self.hall.database.transaction() as session:
            deployments.deploy(session, "hearing", HEARING, actor=OPERATOR)
        for batch, day in ((ALONE, "2026-03-05"), (TOGETHER, "2026-03-09")):
            self.hall.database.info[BATCH] = batch
            self.plain()
            self.signals()
            self.scheduler(day)

    def bundle(self) -> set[str]:
        """A bundle with something missing, from the window to the mark; gives where it lies."""
        clerk, market, fire = self.clerk, self.market, self.fire
        materials = restaurant.without("m_plan")
        case = self.post("submit a bundle", clerk, "/cases", BUNDLE | {"materials": materials})
        (shards,) = [each.written for each in self.told["submit a bundle"] if each.written]
        task = f"/tasks/{clerk.task(case, '一窗受理')['id']}"
        self.post("claim a task", clerk, f"{task}/claim")
        self.does("keep a draft", lambda: clerk.client.put(f"/api/v1{task}/draft", json={"outcome": "tolerate"}, headers=clerk.headers))
        self.post("complete the intake", clerk, f"{task}/complete", {"outcome": "tolerate", "commitment_signed": True})
        licence = next(item["number"] for item in clerk.case(case)["items"] if item["code"] == "food_permit")
        self.post("pause a clock", market, f"/items/{licence}/pause", {"kind": "hearing", "reason": "听证", "days": 3})
        self.post("let a clock go on", market, f"/items/{licence}/resume", {})
        self.complete("complete a department's task", fire, case, "消防承诺审查", outcome="granted")
        self.complete("complete a department's task", market, case, "食品经营许可审批", outcome="granted")
        self.post("hand a material in", clerk, f"/cases/{case['number']}/materials", {"code": "m_plan"})
        self.does("look at a case", lambda: clerk.case(case))
        self.does("list tasks", clerk.tasks)
        self.complete("issue", clerk, case, "统一出件", mode="unified", delivery="window")
        self.complete("give a mark", clerk, case, "好差评", score=5)
        self.complete("check a commitment", fire, case, "事后核查", outcome="verified", findings="与承诺一致")
        return shards

    def adoption(self, shards: set[str]) -> None:
        """A second bundle, which adopts what came alone to another shard; an item joins, one is taken back and applied for again."""
        clerk, market = self.clerk, self.market
        alone, there = self.elsewhere(shards, lambda: clerk.submit(**BUNDLE | {"matter": "food_permit", "materials": FOOD}))
        clerk.complete(alone, "一窗受理", outcome="accept")
        bundle, here = self.elsewhere(there, lambda: clerk.submit(**BUNDLE, items=["fire_check_commit"], materials=FIRE))
        clerk.complete(bundle, "一窗受理", outcome="accept")
        path = f"/cases/{bundle['number']}"
        number = alone["items"][0]["number"]
        self.post("adopt an item", clerk, f"{path}/adopt", {"item_no": number})
        report = {"event_id": "e1", "state": "in_review", "external_number": "SP-1"}
        self.post("send a department's event", market, f"/items/{number}/events", report)
        self.post("let an item join", clerk, f"{path}/follow-on", {"items": ["signboard"]})
        self.post("withdraw an item", clerk, f"/items/{number}/withdraw", {"reason": "不办了"})
        self.post("apply again for an item", clerk, f"/items/{number}/reapply")
        other, _ = self.elsewhere(here, lambda: clerk.submit(**BUNDLE | {"matter": "food_permit", "materials": FOOD}))
        clerk.complete(other, "一窗受理", outcome="accept")

    def start(self, key: str = "everywhere") -> Any:
        """Start a process without a matter."""
        return self.designer.camunda(f"/process-definition/key/{key}/start", {})

    def plain(self) -> None:
        """Three processes without a matter, in three shards, which wait in every way."""
        first = self.does("start a process", self.start)
        taken = {shard for each in self.told["start a process"] for shard in each.written}
        for _ in range(2):
            taken |= self.elsewhere(taken, self.start)[1]
        self.does("carry tokens on", self.hall.tick)
        camunda = self.hall["worker"].camunda
        topic = {"topicName": "register", "lockDuration": 600_000}
        (task,) = self.does(
            "fetch an external task", lambda: camunda("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": [topic]})
        )
        self.does("complete an external task", lambda: camunda(f"/external-task/{task['id']}/complete", {"workerId": "w"}))
        self.does(
            "fetch many external tasks", lambda: camunda("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 9, "topics": [topic]})
        )
        message = {"messageName": "answered", "processInstanceId": first["id"]}
        self.does("correlate a message", lambda: self.designer.camunda("/message", message))
        everybody = {"messageName": "answered", "all": True}
        self.does("correlate a message with all", lambda: self.designer.camunda("/message", everybody))

    def signals(self) -> None:
        """A signal from outside, and one that a process throws: several hear it, and one begins with it."""
        self.does("throw a signal", lambda: self.designer.camunda("/signal", {"name": "alarm"}))
        _, first = self.elsewhere(set(), lambda: self.start("hears"))
        self.elsewhere(first, lambda: self.start("hears"))
        self.does("throw a signal in a process", lambda: self.start("throws"))

    def scheduler(self, day: str) -> None:
        """Timers of several processes are due together; a year is amended while clocks run."""
        self.hall.clock.move_to(datetime.fromisoformat(f"{day}T10:00:00+08:00"))
        self.does("let timers go off", self.hall.tick)
        year = json.loads((WORKFLOWS / "calendars/2026.json").read_text("utf-8"))
        more = [{"date": date, "weekday": weekday, "kind": "day_off", "holiday": "停电"} for date, weekday in AMENDED.items() if date > day]
        days = sorted([*year["days"], *more], key=lambda day: day["date"])
        self.post("publish a calendar", self.hall["admin"], "/calendar", year | {"days": days})
        self.does("count clocks anew", self.hall.tick)


@contextmanager
def taken(server: databases.PostgreSQL) -> Iterator[Course]:
    """Take the course on a fresh database."""
    with (
        server.branch(furnish_spread).fresh() as url,
        tempfile.TemporaryDirectory() as folder,
        time_machine.travel(MONDAY, tick=True) as traveller,
    ):
        hall = Hall(url, Path(folder), traveller)
        hall.database._by_itself = {}  # a reading is a transaction, too: only of these PostgreSQL tells what was done in them
        course = Course(hall)
        try:
            course.run()
            yield course
        finally:
            course.watch.close()
            hall.close()


def page(told: Mapping[int, Mapping[str, Sequence[Transaction]]]) -> str:
    """Tell of each command to how many shards a transaction of it wrote, and how many of all its statements asked every shard."""
    lines = ["| command | shards written | one by one | and | statements | of these ask several shards |", "|---|---|---|---|---|---|"]
    for name, alone in told[ALONE].items():
        transactions = told[TOGETHER].get(name, alone)
        asked = [shards for each in transactions for _, shards in each.asked]
        beside = ", ".join(sorted(set().union(*(each.beside for each in transactions)))) or "–"
        several = sum(len(shards) > 1 for shards in asked)
        lines.append(f"| {name} | {written(transactions)} | {written(alone)} | {beside} | {len(asked)} | {several} |")
    return "\n".join(lines) + "\n"


def written(transactions: Sequence[Transaction]) -> str:
    """To how many shards a transaction wrote."""
    most = max((len(each.written) for each in transactions), default=0)
    return "several" if most > 1 else str(most)


def main(words: Sequence[str]) -> None:
    """Take the course, and print what it tells; with `-v` each statement that asked several shards as well."""
    with databases.postgresql_server() as url:
        server = databases.PostgreSQL(url)
        with taken(server) as course:
            told = course.all
        server.close()
    together = (told[ALONE] | told[TOGETHER]).items()
    several = [(name, said) for name, each in together for one in each for said, shards in one.asked if len(shards) > 1]
    lines = [f"{name}: {' '.join(said.split())}\n" for name, said in several] if "-v" in words else []
    sys.stdout.writelines([page(told), *lines])


if __name__ == "__main__":
    logs.configure(Environment.PRODUCTION)
    main(sys.argv[1:])
