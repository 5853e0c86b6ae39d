"""Cases in the database, each with an open task: what a completion, a page of a list and a search take among them."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from werkzeug.test import create_environ

from engine import accounts, cases, grants, materials, passwords
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Case
from engine.database import Database
from engine.models import Department, Task
from engine.states import TaskStatus
from tests.benchmarks import bundle, population
from tests.benchmarks.meter import Sample, measure
from tests.hall import application

#: Samples of each figure.
EACH = 15
#: Cases: of fewer than that a hall has none, or nothing is yellow, and no list is to be measured that is empty.
LEAST = 1000
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))
#: Halls of the copies are numbered: somebody who works in one of them, who looks after it, or who works for a department; and one who sees all.
PEOPLE: dict[str, tuple[Role, dict[str, str]]] = {
    "li": (Role.CLERK, {"hall": "hall-7"}),
    "wang": (Role.SUPERVISOR, {"hall": "hall-7"}),
    "zhao": (Role.OFFICER, {"department": "market"}),
    "sue": (Role.ADMIN, {}),
}
#: Pages of fifty rows, as they are asked for over HTTP.  The department has an open task in every case.
PAGES = {
    "worklist of a hall": ("wang", "/tasks"),
    "worklist of a department": ("zhao", "/tasks?group=department-market"),
    "… of one matter": ("zhao", "/tasks?group=department-market&matter=open_restaurant"),
    "… what is red": ("zhao", "/tasks?light=red"),
    "… what is yellow": ("zhao", "/tasks?light=yellow"),
    "… what is green": ("zhao", "/tasks?light=green"),
    "… what is yellow, of a group and a matter": ("zhao", "/tasks?light=yellow&group=department-market&matter=open_restaurant"),
    "… what is green, of a group and a matter": ("zhao", "/tasks?light=green&group=department-market&matter=open_restaurant"),
    "worklist of everybody, what is yellow": ("sue", "/tasks?light=yellow"),
    "worklist of everybody, what is green": ("sue", "/tasks?light=green"),
    "deadlines of a hall": ("wang", "/deadlines"),
    "deadlines of a hall, what is red": ("wang", "/deadlines?light=red"),
    "cases of a hall": ("wang", "/cases?open=true"),
}


def among_cases(db: Database, sizes: Iterator[int]) -> Iterator[tuple[int, dict[str, list[Sample]]]]:
    """Fill the database up to each size, and measure there."""
    source, there = template(db), 0
    for size in sizes:
        population.multiply(db, source, size - there, first=there + 1)
        there = size
        population.settle(db)
        yield size, {name: [measure(db.bind, work) for work in works] for name, works in lists(db, size).items()}


def lists(db: Database, size: int) -> dict[str, Iterator[Callable[[], object]]]:
    """What is measured, each as many times as it is asked for."""
    ask = _furnish(db)
    return {
        "completion": (partial(bundle.complete, db, task, "decision") for task in _some_tasks(db)),
        **{name: repeat(partial(ask, who, path), EACH) for name, (who, path) in PAGES.items()},
        "search by ID number or credit code": (
            partial(ask, "sue", f"/cases?applicant_number=A{number}") for number in population.numbers(size, EACH)
        ),
        "search by case number": (partial(ask, "sue", f"/cases/{number}") for number in _some_numbers(db)),
    }


def _furnish(db: Database) -> Callable[[str, str], None]:
    """Let people log in with keys of their own; gives what asks for a path of `/api/v1` in somebody's name."""
    keys = dict[str, str]()
    with db.transaction() as session:
        session.merge(Department(code="market", name="The market"))
        session.flush()
        for name, (role, where) in PEOPLE.items():
            if accounts.find(session, name) is None:
                accounts.create(session, name, actor=ADMIN, password=None, passwords=passwords.Passwords())
                grants.grant(session, name, role, actor=ADMIN, **where)
            keys[name] = accounts.issue_key(session, name, label="bench", actor=ADMIN)[1]
    app = application(db.bind.url.render_as_string(hide_password=False), Path(tempfile.gettempdir()))
    environ = functools.cache(lambda who, path: create_environ(f"/api/v1{path}", headers={"Authorization": f"Bearer {keys[who]}"}))

    def ask(who: str, path: str) -> None:
        # As a server hands it over: to make a request, and to read an answer, takes a client of tests a fifth of all CPU.
        statuses = list[str]()
        answer = b"".join(app(dict(environ(who, path)), lambda status, _headers: statuses.append(status)))
        assert statuses == ["200 OK"], answer
        assert not answer.startswith(b'{"data":[]'), path

    return ask


def template(db: Database) -> UUID:
    """Take in the case that is copied: a bundle with a promise, of which one department is at work."""
    bundle.deploy(db)
    with db.transaction() as session:
        case = cases.submit(session, replace(bundle.SUBMISSION, items=("food_permit",)), actor=bundle.CLERK)
        for material in case.checklist["materials"]:
            materials.record(session, case, material["code"], actor=bundle.CLERK)
    _kind, take_in = next(bundle.work(db, case.id))
    take_in()
    return case.id


def _some_numbers(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(select(Case.number).where(Case.submitted_by == bundle.CLERK.name).limit(EACH)))


def _some_tasks(db: Database) -> list[UUID]:
    """Open tasks of copies; the first case stays as it is."""
    copied = (Task.status == TaskStatus.OPEN, Task.kind == "decision", Task.hall != bundle.SUBMISSION.hall)
    with db.reading() as session:
        return list(session.scalars(select(Task.id).where(*copied).limit(EACH)))
