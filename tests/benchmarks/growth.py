"""How cost grows: `make bench-growth` measures what must not, plots it (PNG) and prints the table.

Everything is counted in updates of a single row, measured beside it in the same run.  Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

import matplotlib as mpl
from matplotlib import pyplot as plt
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from sqlalchemy import select, text

from engine import cases, deadlines, materials, recomputing, worklists
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Case
from engine.clock import Light
from engine.columns import new_id
from engine.database import Database
from engine.deadlines import DeadlineFilter
from engine.models import Task
from engine.states import TaskStatus
from engine.worklists import CaseFilter, TaskFilter
from tests import databases
from tests.benchmarks import bundle, population
from tests.benchmarks.meter import measure

mpl.use("Agg")
#: Samples of each figure; the median counts.
SAMPLES = 15
PAGE = 51
#: Halls of the copies are numbered: somebody who works in one of them, in all, or for a department.
CLERK = Actor(name="li", grants=(RoleGrant(role=Role.CLERK, hall="hall-7"),))
SUPERVISOR = Actor(name="wang", grants=(RoleGrant(role=Role.SUPERVISOR, hall="hall-7"),))
OFFICER = Actor(name="zhao", grants=(RoleGrant(role=Role.OFFICER, department="market"),))
LIMIT = "one updated row"
Point = dict[str, float]


def main() -> None:
    """Measure at each size up to the one that is asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    words.add_argument("--cases", type=int, default=1_000_000, help="cases in the largest database, each with an open task")
    words.add_argument("--plots", type=Path, default=Path("docs/images"), help="folder for the plots")
    words.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    asked = words.parse_args()
    console, points = Console(width=140), dict[int, Point]()
    with _database(asked.database) as db, Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("cases", total=asked.cases)
        template, there = _template(db), 0
        for size in sizes(asked.cases):
            population.multiply(
                db, template, size - there, first=there + 1, told=lambda made, there=there: progress.update(bar, completed=there + made)
            )
            there = size
            population.settle(db)
            points[size] = {name: _median(db, works) for name, works in lists(db, size).items()}
        recomputed = measure(db.bind, partial(_recompute, db))
    console.print(_table(asked.database, points))
    console.print(
        f"Counting {there} clocks anew: {recomputed.wall:.0f} s ({recomputed.cpu:.0f} s of our CPU), {len(recomputed.statements)} statements, {recomputed.commits} commits"
    )
    _plot(asked.plots / f"growth-cases-{asked.database}.png", points, "cases in the database, each with an open task")


def sizes(most: int) -> Iterator[int]:
    """Three decades, in steps of ten, up to the largest."""
    yield from (size for size in (most // 1000, most // 100, most // 10, most) if size)


def lists(db: Database, size: int) -> dict[str, Iterator[Callable[[], object]]]:
    """What is measured, each as many times as it is asked for."""
    numbers = {row.id: row.number for row in _some_cases(db)}
    ids = list(numbers.values())

    def reading(look: Callable[..., object], *args: object, **kwargs: object) -> Iterator[Callable[[], object]]:
        def once() -> None:
            with db.reading() as session:
                look(session, *args, **kwargs)

        return (once for _ in range(SAMPLES))

    def search(which: Callable[[int], CaseFilter]) -> Iterator[Callable[[], object]]:
        def once(number: int) -> None:
            with db.reading() as session:
                worklists.find_cases(session, SUPERVISOR, which(number), after=None, limit=PAGE)

        return (partial(once, number) for number in population.numbers(size, SAMPLES))

    def by_number() -> Iterator[Callable[[], object]]:
        def once(number: str) -> None:
            with db.reading() as session:
                cases.get(session, number, bundle.CLERK)

        return (partial(once, number) for number in ids[:SAMPLES])

    pages = {
        "worklist of a hall": (CLERK, TaskFilter()),
        "worklist of a department": (OFFICER, TaskFilter(group="department-market")),
        "… of one matter": (OFFICER, TaskFilter(group="department-market", matter="open_restaurant")),
        "… what is red": (OFFICER, TaskFilter(light=Light.RED)),
        "… what is green": (OFFICER, TaskFilter(light=Light.GREEN)),
    }
    return {
        LIMIT: (partial(_update, db, str(level)) for level in range(SAMPLES)),
        "completion": (partial(bundle.complete, db, task, "decision") for task in _some_tasks(db)),
        **{name: reading(worklists.find_tasks, who, what, after=None, limit=PAGE) for name, (who, what) in pages.items()},
        "deadlines of a hall": reading(deadlines.open_ones, SUPERVISOR, DeadlineFilter(), after=None, limit=PAGE),
        "deadlines, what is red": reading(deadlines.open_ones, SUPERVISOR, DeadlineFilter(light=Light.RED), after=None, limit=PAGE),
        "cases of a hall": reading(worklists.find_cases, SUPERVISOR, CaseFilter(open=True), after=None, limit=PAGE),
        "search by ID number": search(lambda number: CaseFilter(applicant_number=f"A{number}")),
        "search by case number": by_number(),
    }


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


def _some_cases(db: Database) -> list[Case]:
    with db.reading() as session:
        return list(session.scalars(select(Case).where(Case.submitted_by == bundle.CLERK.name).limit(SAMPLES)))


def _some_tasks(db: Database) -> list[UUID]:
    """Open tasks of copies; the first case stays as it is."""
    copied = (Task.status == TaskStatus.OPEN, Task.kind == "decision", Task.hall != bundle.SUBMISSION.hall)
    with db.reading() as session:
        return list(session.scalars(select(Task.id).where(*copied).limit(SAMPLES)))


def _update(db: Database, level: str) -> None:
    with db.bind.begin() as connection:
        connection.execute(text("UPDATE halls SET level = :level WHERE code = 'hall-7'"), {"level": level})


def _recompute(db: Database) -> None:
    """Count every clock anew, none of which is as it would be given: the copies are spread over days."""
    with db.transaction() as session:
        recomputing.owe(session, by=str(new_id()))
    while (row := recomputing.go_on(db)) is not None and row.ended_at is None:
        pass


def _median(db: Database, works: Iterator[Callable[[], object]]) -> float:
    return median([measure(db.bind, work).wall for work in works])


def _unit(points: dict[int, Point]) -> float:
    """One unit for all sizes: what a single row costs does not depend on the others."""
    return median([point[LIMIT] for point in points.values()])


def _table(name: str, points: dict[int, Point]) -> Table:
    heads = (Column(f"{size:,}", justify="right") for size in points)
    table = Table("work", *heads, title=f"Cost in updates of a single row (and ms), by cases in {name}")
    for kind in next(iter(points.values())):
        table.add_row(kind, *(f"{point[kind] / _unit(points):.1f} ({1000 * point[kind]:.1f})" for point in points.values()))
    return table


def _plot(path: Path, points: dict[int, Point], label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(9, 6))
    for kind in next(iter(points.values())):
        if kind != LIMIT:
            axes.plot(list(points), [point[kind] / _unit(points) for point in points.values()], marker="o", label=kind)
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="updates of a single row")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


@contextmanager
def _database(name: str) -> Iterator[Database]:
    """Open a fresh database; what is written is waited for as in production only where the server does so."""
    with ExitStack() as stack:
        if name == "sqlite":
            store = databases.SQLite(Path(stack.enter_context(databases.folder("growth-"))))
        else:
            store = databases.PostgreSQL(stack.enter_context(databases.postgresql_server()))
        db = Database(stack.enter_context(store.fresh()))
        stack.callback(db.close)
        yield db


if __name__ == "__main__":
    main()
