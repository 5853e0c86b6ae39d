"""`onething demo`: a restaurant case from intake to certificate, on a temporary database with a virtual clock."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import time_machine
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli import sample
from engine import accounts, case_items, cases, dossiers, materials, scheduler, settings, tasks
from engine.actors import Actor
from engine.calendars import BEIJING
from engine.cases import Submission
from engine.clock import Light
from engine.database import Database, Session
from engine.dossiers import Dossier
from engine.settings import Settings

#: 120 m², no signboard, fire check by commitment; one of the seven materials is missing, and it may follow later.
RESTAURANT = Submission(
    region="430100",
    matter="open_restaurant",
    hall="changsha",
    applicant={
        "kind": "enterprise",
        "name": "长沙江畔人家餐饮管理有限公司",
        "id_number": "91430100MA4Q7K2C14",
        "phone": "13800000002",
        "contact": "陈秋禾",
        "licence_status": "存续",
    },
    answers={
        "q_scale": "餐饮服务经营者",
        "q_area": 120,
        "q_fire_mode": "告知承诺",
        "q_signboard": "否",
        "q_fumes": "否",
        "q_gas": "电",
        "q_drain": "否",
        "q_music": ["无"],
        "q_tobacco": "否",
    },
    materials=[{"code": code} for code in ("m_food_rules", "m_plan", "m_fire_rules", "m_premises", "m_evac", "m_fireplan")],
)
COLOURS = {Light.GREEN: "green", Light.YELLOW: "yellow", Light.RED: "red"}


@click.command()
def demo() -> None:
    """Play a restaurant case from intake to certificate; nothing of it is kept."""
    start = datetime(2026, 3, 2, 9, tzinfo=BEIJING)
    with tempfile.TemporaryDirectory(prefix="onething-demo-") as folder, time_machine.travel(start, tick=False) as clock:
        loaded = Settings(data_dir=Path(folder), workflows=settings.load().workflows)
        sample.load(loaded)
        # Not `opened`: whoever goes by the time of a database does not believe that ten days pass in a moment.
        with closing(Database(loaded.database_url)) as database:
            tell(Play(database, clock))


def tell(play: Play) -> None:
    """The story, day by day."""
    play.at(2, 9, "The applicant hands the bundle in at the window. One plan is missing.")
    play.submit("clerk")
    play.at(2, 10, "The clerk accepts all the same, against a signed promise (容缺受理): all departments start, and all clocks.")
    play.complete("clerk", "一窗受理", outcome="tolerate", commitment_signed=True)
    play.at(3, 9, "The fire brigade grants on the applicant's word (告知承诺), and will check later.")
    play.complete("officer-fire", "消防承诺审查", outcome="granted")
    play.at(
        13, 9, "The longest wait was over: the fire check went out by itself. The food permit's light is yellow; the applicant is reminded."
    )
    play.show()
    play.at(13, 15, "The food permit is granted. It is held back until the plan is there.")
    play.complete("officer-market", "食品经营许可审批", outcome="granted")
    play.at(16, 9, "The plan comes in: what was held back is released.")
    play.hand_in("clerk", "m_layout_food")
    play.at(16, 10, "Everything that was granted is handed out (统一出件).")
    play.complete("clerk", "统一出件", mode="unified", delivery="window")
    play.at(16, 11, "The applicant rates the service (好差评).")
    play.complete("clerk", "好差评", score=5)
    play.at(27, 9, "The fire brigade comes to see whether the promise was kept. That was the last task.")
    play.complete("officer-fire", "事后核查", outcome="verified", findings="现场与承诺一致")
    play.show_certificates()


class Play:
    """One case, the people who act on it, and the clock."""

    def __init__(self, database: Database, clock: time_machine.Traveller) -> None:
        self.database, self.clock = database, clock
        self.console = Console()
        self.number = ""

    def at(self, day: int, hour: int, what: str) -> None:
        """Let time pass until that hour in March 2026, do what has become due, and say what happens now."""
        moment = datetime(2026, 3, day, hour, tzinfo=BEIJING)
        self.clock.move_to(moment)
        scheduler.drain(self.database)
        self.console.rule(f"{moment:%A %d %B, %H:%M}", align="left")
        self.console.print(what)

    def submit(self, name: str) -> None:
        """Hand the bundle in."""
        with self._acting(name) as (session, actor):
            self.number = cases.submit(session, RESTAURANT, actor=actor).number
        self.show()

    def complete(self, name: str, task_name: str, **data: Any) -> None:
        """Complete the open task of that name."""
        with self._acting(name) as (session, actor):
            task = next(t for t in self._dossier(session).tasks if t.name == task_name)
            tasks.complete(session, task.id, actor=actor, data=data)
        self.show()

    def hand_in(self, name: str, *codes: str) -> None:
        """Hand materials in."""
        with self._acting(name) as (session, actor):
            for code in codes:
                materials.hand_in(session, cases.get(session, self.number, actor), code, actor=actor)
        self.show()

    def show(self) -> None:
        """Show where the case is: items with their lights, and the open tasks."""
        with self.database.reading() as session:
            dossier = self._dossier(session)
            waiting = [f"{task.name} ({', '.join(task.groups)})" for task in dossier.tasks]
        self.console.print(_table(dossier))
        self.console.print(f"Open tasks: {', '.join(waiting) or 'none'}\n")

    def show_certificates(self) -> None:
        """Show what was handed out."""
        with self.database.reading() as session:
            dossier = self._dossier(session)
        for result in dossier.results:
            self.console.print(f"{result.name} {result.number}, {result.issuer}, to {result.holder}")
        self.console.print(f"Case {self.number}: {case_items.outcome(dossier.items)}")

    @contextmanager
    def _acting(self, name: str) -> Iterator[tuple[Session, Actor]]:
        with self.database.transaction() as session:
            yield session, accounts.load(session, name)

    def _dossier(self, session: Session) -> Dossier:
        supervisor = accounts.load(session, "supervisor")
        return dossiers.read(session, cases.get(session, self.number, supervisor), supervisor)


def _table(dossier: Dossier) -> Table:
    table = Table(box=None, padding=(0, 2))
    for heading in ("item", "status", "due", "light"):
        table.add_column(heading, no_wrap=heading != "item")
    for item in dossier.items:
        deadline = dossier.deadlines[item.number]
        due = f"{deadline.promised.date}" if deadline.promised else ""
        light = Text(deadline.light, COLOURS[deadline.light]) if deadline.light else Text("")
        table.add_row(item.name, item.status, due, light)
    return table
