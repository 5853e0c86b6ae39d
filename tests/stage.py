"""An installation with people in it: they act below HTTP, and after every command everything must hold together.

clerk = stage.person("clerk")
case = clerk.submit("open_restaurant", answers=RESTAURANT, materials=ALL)
clerk.complete(case, "一窗受理", outcome="accept")
stage.travel(2026, 3, 5)   # time passes, and what was due meanwhile has happened
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import (
    accounts,
    calendars,
    case_items,
    cases,
    definitions,
    deployments,
    folders,
    holidays,
    instances,
    items,
    materials,
    moments,
    pieces,
    processes,
    samples,
    scheduler,
    tasks,
)
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Alert, Case, DepartmentEvent, Item, Notice
from engine.database import Database
from engine.models import Entry, Incident, Instance, Job, Task, Timer
from engine.runs import Origin
from engine.settings import Environment
from engine.variables import Given
from tests import invariants

BEIJING = timezone(timedelta(hours=8))
WORKFLOWS = Path(__file__).parents[1] / "workflows"
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
#: Monday, on which every story begins.
MONDAY = datetime(2026, 3, 2, 9, tzinfo=BEIJING)
APPLICANT = {"kind": "enterprise", "name": "好味餐饮", "id_number": "91430100MA4L000000", "phone": "0731-84600000"}


def furnish(url: str) -> None:
    """Migrate a database, and load what is shipped: halls, departments, sample accounts, calendars, matters."""
    database = Database(url)
    database.migrate()
    with time_machine.travel(MONDAY, tick=True), database.transaction() as session:
        staff(session)
        for folder in folders.read([WORKFLOWS]):
            deployments.deploy(session, folder.name, folder.resources, actor=DESIGNER, source="shipped")
    database.close()


def staff(session: Session) -> None:
    """Load what is shipped but for the matters, which take seconds to compile: who deploys his own needs no more."""
    samples.seed(session, Environment.DEVELOPMENT)
    holidays.publish_shipped(session, WORKFLOWS / "calendars")


class Beginning:
    """What many tests begin with: it is played once, in a furnished database of which they get copies (`begun`)."""

    def __init__(self, play: Callable[[Stage], object]) -> None:
        self.play = play
        self.ended_at = MONDAY

    def fill(self, url: str) -> None:
        """Play it."""
        database = Database(url)
        with time_machine.travel(MONDAY, tick=True) as traveller:
            self.play(Stage(database, traveller))
            self.ended_at = max(self.ended_at, moments.now())  # of two kinds of database the later
        database.close()


class Stage:
    """One installation; the time is what `travel` said last."""

    def __init__(self, database: Database, traveller: time_machine.Coordinates) -> None:
        self.database = database
        self.traveller = traveller
        #: Whether everything is looked at after each command; not while several act at once.
        self.checking = True

    def person(self, name: str) -> Person:
        """Somebody with a sample account."""
        with self.database.reading() as session:
            return Person(self, accounts.load(session, name))

    def somebody(self, *grants: RoleGrant, name: str = "somebody") -> Person:
        """Somebody with these grants."""
        return Person(self, Actor(name=name, grants=grants))

    def travel(self, *day: int, hour: int = 9, minute: int = 0) -> None:
        """Let time pass until a day, and do what has become due."""
        self.move_to(*day, hour=hour, minute=minute)
        scheduler.drain(self.database)
        invariants.check(self.database)

    def move_to(self, *day: int, hour: int = 9, minute: int = 0) -> None:
        """Let time pass while the scheduler sleeps."""
        self.traveller.move_to(datetime(*day, hour, minute, tzinfo=BEIJING))

    def deploy(self, name: str, **files: bytes) -> None:
        """Deploy a folder; `x_bpmn=…` is the file x.bpmn."""
        resources = {key.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for key, content in files.items()}
        with self.database.transaction() as session:
            deployments.deploy(session, name, resources, actor=DESIGNER)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look at the rows."""
        with self.database.reading() as session:
            yield session

    # What is there ---------------------------------------------------------------------------------------------------------------------

    def case(self, case: Case) -> Case:
        with self.reading() as session:
            return session.get_one(Case, case.id)

    def items(self, case: Case) -> dict[str, Item]:
        """Items of a case as they stand, by code; of two with one code the later."""
        with self.reading() as session:
            return {item.code: item for item in case_items.live(session.get_one(Case, case.id))}

    def item(self, case: Case, code: str) -> Item:
        return self.items(case)[code]

    def statuses(self, case: Case) -> dict[str, str]:
        return {code: str(item.status) for code, item in self.items(case).items()}

    def of(self, instance: Instance) -> Case:
        """The case of an instance; one that is none, when nobody applied for anything."""
        with self.reading() as session:
            return session.get_one(Case, instance.case_id)

    def instance(self, instance: Instance) -> Instance:
        """An instance as it stands."""
        with self.reading() as session:
            return session.get_one(Instance, instance.id)

    def tasks(self, case: Case) -> list[str]:
        """Names of the open tasks, sorted."""
        with self.reading() as session:
            return sorted(task.name for task in tasks.of_case(session, case.id))

    def task(self, case: Case, name: str) -> Task:
        with self.reading() as session:
            found = [task for task in tasks.of_case(session, case.id) if task.name == name]
        assert found, f"Expected the open task {name}, but there are {self.tasks(case)}"
        return found[0]

    def timer(self, case: Case, element: str) -> date | None:
        """Last day before the timer is due, as people say it; None while it sleeps."""
        with self.reading() as session:
            due_at = session.scalars(select(Timer.due_at).where(Timer.case_id == case.id, Timer.element == element)).one()
        return due_at and calendars.local_date(due_at - timedelta(seconds=1))

    def all(self, table: type, case: Case, **equal: Any) -> list[Any]:
        """Rows of a case, in the order they were written."""
        with self.reading() as session:
            return list(session.scalars(select(table).filter_by(case_id=case.id, **equal).order_by(table.id)))

    def journal(self, case: Case) -> list[Entry]:
        """What happened in a case and its items, oldest first."""
        with self.reading() as session:
            return list(session.scalars(select(Entry).filter_by(case_id=case.id).order_by(Entry.at, Entry.instance_id, Entry.seq)))

    def all_events(self, case: Case) -> list[DepartmentEvent]:
        """What departments' systems reported of a case."""
        with self.reading() as session:
            return list(session.scalars(select(DepartmentEvent).filter_by(case_id=case.id)))

    def notices(self, case: Case) -> list[str]:
        return [notice.kind for notice in self.all(Notice, case)]

    def alerts(self, case: Case) -> list[tuple[str, str]]:
        return [(alert.light, alert.kind) for alert in self.all(Alert, case)]

    def incidents(self, case: Case) -> list[Incident]:
        """Standing incidents of a case."""
        return self.all(Incident, case, resolved_at=None)

    def jobs(self, case: Case) -> list[Job]:
        return self.all(Job, case)

    def bundle(self, case: Case) -> Instance:
        """The instance of the matter."""
        with self.reading() as session:
            return instances.of_case(session, case)

    def own_process(self, item: Item) -> Instance:
        with self.reading() as session:
            return session.get_one(Instance, item.instance_id)


class Person:
    """An actor who does things, each in a transaction of its own."""

    def __init__(self, stage: Stage, actor: Actor) -> None:
        self.stage, self.actor, self.name = stage, actor, actor.name

    @contextmanager
    def acting(self, *, checked: bool = True) -> Iterator[Session]:
        """Do anything; when it is done everything must hold together, also when it was refused."""
        try:
            with self.stage.database.transaction() as session:
                yield session
        finally:
            if checked and self.stage.checking:
                invariants.check(self.stage.database)

    def does(self, find: Callable[[Session], Iterator[Callable[[Session], Any]]]) -> list[Any]:
        """Do what is found, case by case."""
        try:
            return pieces.do(self.stage.database, find)
        finally:
            if self.stage.checking:
                invariants.check(self.stage.database)

    def submit(
        self,
        matter: str,
        *,
        answers: Mapping[str, Any] | None = None,
        materials: Sequence[str] = (),
        applicant: Mapping[str, Any] = APPLICANT,
        hall: str = "changsha",
        region: str = "430100",
        **more: Any,
    ) -> Case:
        """Submit a case with materials of these codes."""
        what = cases.Submission(
            region=region,
            matter=matter,
            hall=hall,
            applicant=dict(applicant),
            answers=dict(answers or {}),
            materials=[{"code": code} for code in materials],
            **more,
        )
        with self.acting() as session:
            return cases.submit(session, what, actor=self.actor)

    def take_in(self, matter: str, **what: Any) -> Case:
        """Submit a case and accept it at the window: its departments work."""
        case = self.submit(matter, **what)
        self.complete(case, "一窗受理", outcome="accept")
        return case

    def start(self, key: str, *, business_key: str | None = None, **variables: Any) -> Instance:
        """Start a process without a matter."""
        with self.acting() as session:
            loaded, given = definitions.latest(session, key), Given(values=variables)
            origin = Origin(business_key=business_key)
            return processes.open_plain(session, loaded, actor=self.actor, given=given, origin=origin)

    def complete(self, case: Case, name: str, **data: Any) -> None:
        """Complete the oldest open task of that name."""
        task = self.stage.task(case, name)
        with self.acting() as session:
            tasks.complete(session, task.id, actor=self.actor, data=data)

    def hand_in(self, case: Case, code: str, **more: Any) -> None:
        with self.acting() as session:
            materials.hand_in(session, session.get_one(Case, case.id), code, actor=self.actor, **more)

    def withdraw(self, case: Case, reason: str = "不办了") -> None:
        with self.acting() as session:
            cases.withdraw(session, session.get_one(Case, case.id), reason=reason, actor=self.actor)

    def follow_on(self, case: Case, *codes: str) -> None:
        with self.acting() as session:
            cases.request_follow_on(session, session.get_one(Case, case.id), list(codes), actor=self.actor)

    def adopt(self, case: Case, number: str, *, checked: bool = True) -> None:
        with self.acting(checked=checked) as session:
            cases.adopt(session, session.get_one(Case, case.id), number, actor=self.actor)

    def handle(self, verb: str, item: Item, **more: Any) -> Any:
        """Do one of the verbs of `engine.items` to an item: pause, resume, extend, withdraw, reapply, deliver, report."""
        with self.acting() as session:
            return getattr(items, verb)(session, session.get_one(Item, item.id), actor=self.actor, **more)
