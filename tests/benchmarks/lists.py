"""Cases in the database, each with an open task: what a completion, a page of a list and a search take among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from uuid import UUID

from sqlalchemy import select

from engine import cases, deadlines, materials, worklists
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Case
from engine.clock import Light
from engine.database import Database
from engine.deadlines import DeadlineFilter
from engine.models import Task
from engine.states import TaskStatus
from engine.worklists import CaseFilter, TaskFilter
from tests.benchmarks import bundle, population
from tests.benchmarks.meter import Sample, measure

#: Samples of each figure.
EACH = 15
PAGE = 51
#: Halls of the copies are numbered: somebody who works in one of them, who looks after it, or who works for a department.
CLERK = Actor(name="li", grants=(RoleGrant(role=Role.CLERK, hall="hall-7"),))
SUPERVISOR = Actor(name="wang", grants=(RoleGrant(role=Role.SUPERVISOR, hall="hall-7"),))
OFFICER = Actor(name="zhao", grants=(RoleGrant(role=Role.OFFICER, department="market"),))
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))
#: The department has an open task in every case.
PAGES = {
    "worklist of a hall": (CLERK, TaskFilter()),
    "worklist of a department": (OFFICER, TaskFilter(group="department-market")),
    "… of one matter": (OFFICER, TaskFilter(group="department-market", matter="open_restaurant")),
    "… what is red": (OFFICER, TaskFilter(light=Light.RED)),
    "… what is green": (OFFICER, TaskFilter(light=Light.GREEN)),
}


def among_cases(db: Database, sizes: Iterator[int]) -> Iterator[tuple[int, dict[str, list[Sample]]]]:
    """Fill the database up to each size, and measure there."""
    template, there = _template(db), 0
    for size in sizes:
        population.multiply(db, template, size - there, first=there + 1)
        there = size
        population.settle(db)
        yield size, {name: [measure(db.bind, work) for work in works] for name, works in lists(db, size).items()}


def lists(db: Database, size: int) -> dict[str, Iterator[Callable[[], object]]]:
    """What is measured, each as many times as it is asked for."""
    hall = {"of a hall": DeadlineFilter(), "of a hall, what is red": DeadlineFilter(light=Light.RED)}
    return {
        "completion": (partial(bundle.complete, db, task, "decision") for task in _some_tasks(db)),
        **{name: _again(db, worklists.find_tasks, who, what, after=None, limit=PAGE) for name, (who, what) in PAGES.items()},
        **{f"deadlines {name}": _again(db, deadlines.open_ones, SUPERVISOR, what, after=None, limit=PAGE) for name, what in hall.items()},
        "cases of a hall": _again(db, worklists.find_cases, SUPERVISOR, CaseFilter(open=True), after=None, limit=PAGE),
        "search by ID number or credit code": (partial(_by_applicant, db, number) for number in population.numbers(size, EACH)),
        "search by case number": (partial(_by_number, db, number) for number in _some_numbers(db)),
    }


def _again(db: Database, look: Callable[..., object], *args: object, **kwargs: object) -> Iterator[Callable[[], object]]:
    def once() -> None:
        with db.reading() as session:
            look(session, *args, **kwargs)

    return (once for _ in range(EACH))


def _by_applicant(db: Database, number: int) -> None:
    with db.reading() as session:
        assert worklists.find_cases(session, ADMIN, CaseFilter(applicant_number=f"A{number}"), after=None, limit=PAGE)


def _by_number(db: Database, number: str) -> None:
    with db.reading() as session:
        cases.get(session, number, bundle.CLERK)


def _template(db: Database) -> UUID:
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
