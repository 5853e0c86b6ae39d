"""`make bench-departments TRIALS=100000`: departments that decide within the same ten milliseconds, each in a process of its own.

To submit and accept a bundle takes longer than the trial itself.  So it is done once, for some hundred bundles, and the trials are made in
copies of that database.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from uuid import UUID

from rich.console import Console
from rich.table import Table

from engine import garbage, logs, scheduler
from engine.database import Database
from engine.settings import Environment
from tests import databases
from tests.soak import departments
from tests.soak.departments import End, Trial
from tests.soak.model import ITEMS

#: How many bundles a copy has, and how many of them are decided before anything is measured, since a node that has just begun is slower.
BUNDLES, WARM = 400, 20
#: Milliseconds within which everybody is to be answered.
LIMIT = 50
#: As docs/operating.md advises where PostgreSQL shares two cores with everything else.
CALM = """
autovacuum_max_workers = 1
autovacuum_vacuum_cost_delay = 5ms
autovacuum_vacuum_cost_limit = 20
"""


@dataclass
class Found:
    """What was measured."""

    #: Seconds from a command to its answer: of a department that decides alone, and of one of five; and from the first command to the last answer.
    alone: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    #: How many bundles do not wait for their results to be handed out, although all departments have decided.
    left: int = 0
    #: Jobs that were left to the scheduler.
    owed: int = 0

    def add(self, trial: Trial) -> None:
        """Count a trial."""
        self.each += trial.took
        self.last.append(trial.lasted)
        self.errors.update(trial.errors)


class Offices:
    """Five processes, each with connections of its own."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def open(self, url: str | None) -> None:
        """Let all processes close their database and open another one; None: open none."""
        for pipe in self._pipes:
            pipe.send(url)
        for pipe in self._pipes:
            pipe.recv()

    def finish(self, ids: Sequence[UUID], moments: Sequence[float]) -> list[End]:
        """Let each process decide one task at its moment (see `Crew`)."""
        crew = self._pipes[: len(ids)]
        for pipe, task_id, moment in zip(crew, ids, moments, strict=True):
            pipe.send((task_id, moment))
        return [pipe.recv() for pipe in crew]


@contextmanager
def offices() -> Iterator[Offices]:
    """Give five processes, until the block ends."""
    context = multiprocessing.get_context("spawn")
    both = [context.Pipe() for _ in ITEMS]
    processes = [context.Process(target=_work, args=(there,), daemon=True) for _, there in both]
    for process in processes:
        process.start()
    yield Offices([here for here, _ in both])
    for here, _ in both:
        here.close()
    for process in processes:
        process.join(5)


def _work(pipe: Connection) -> None:
    """The process of a department: open the database whose URL comes through the pipe, or decide the task that comes, until the pipe is closed."""
    logs.configure(Environment.PRODUCTION)
    garbage.spare()  # as in a server
    db: Database | None = None
    while True:
        try:
            what = pipe.recv()
        except EOFError:
            return
        if isinstance(what, tuple) and db is not None:
            pipe.send(departments.decide(db, *what))
            continue
        if db is not None:
            db.close()
        db = Database(what) if what else None
        pipe.send(None)


def measure(trials: int, seconds: float) -> Found:
    """Let so many bundles be finished, as far as the seconds go; they count from when all is prepared."""
    found = Found()
    with databases.postgresql_server(CALM) as url, offices() as crew:
        server = databases.PostgreSQL(url)
        prepared = server.branch(lambda fresh: _prepare(fresh, min(BUNDLES, trials) + WARM))
        end = time.monotonic() + seconds
        while len(found.last) < trials and time.monotonic() < end:
            with prepared.fresh() as fresh:
                crew.open(fresh)
                _finish_all(fresh, crew, found, most=trials - len(found.last), end=end)
                crew.open(None)
        server.close()
    return found


def _prepare(url: str, bundles: int) -> None:
    db = Database(url)
    departments.furnish(db)
    departments.put_to_work(db, bundles)
    db.close()


def _finish_all(url: str, crew: Offices, found: Found, *, most: int, end: float) -> None:
    db = Database(url)
    todo = departments.decisions(db)[: most + WARM]
    found.alone += [trial.lasted for trial in departments.finish_alone(todo[: WARM // 2], crew.finish)][-len(ITEMS) :]
    list(departments.finish_together(todo[WARM // 2 : WARM], crew.finish))
    in_time = itertools.takewhile(lambda _: time.monotonic() < end, todo[WARM:])
    done = [found.add(trial) for trial in departments.finish_together(in_time, crew.finish, seed=len(found.last))]
    found.owed += scheduler.drain(db)
    found.left += len(done) + WARM - departments.waiting_for_issuance(db)
    db.close()


def _show(found: Found, seconds: float) -> None:
    table = Table("departments", "trials", "p50 ms", "p99 ms", "p99.9 ms", "most ms", f"over {LIMIT} ms", "p50 x alone")
    half = statistics.median(found.alone)
    rows = {
        "one alone": found.alone,
        f"each of {len(ITEMS)} within {departments.TOGETHER * 1000:g} ms": found.each,
        "from the first command to the last answer": found.last,
    }
    for name, took in rows.items():
        ordered = sorted(1000 * one for one in took)
        shares = [ordered[int((len(ordered) - 1) * part)] for part in (0.5, 0.99, 0.999, 1)]
        table.add_row(
            name,
            f"{len(took):,}",
            *(f"{share:.1f}" for share in shares),
            f"{sum(one > LIMIT for one in ordered):,}",
            f"{statistics.median(took) / half:.1f}",
        )
    console = Console(width=140)
    console.print(table, f"in {seconds:.0f} s; {found.errors.total()} errors", *found.errors.most_common(5))
    console.print(f"{found.left} bundles did not come to their issuance; {found.owed} jobs were left to the scheduler")


def main() -> int:
    """Measure, and print; 1 when anything was shown to anyone, or is not as it should be."""
    words = argparse.ArgumentParser(prog="python -m tests.soak.many_departments", description=__doc__)
    words.add_argument("trials", type=int, nargs="?", default=1000)
    words.add_argument("--seconds", type=float, default=float("inf"), help="no more trials after so many seconds")
    asked = words.parse_args()
    logs.configure(Environment.PRODUCTION)
    began = time.monotonic()
    found = measure(asked.trials, asked.seconds)
    _show(found, time.monotonic() - began)
    return 1 if found.errors or found.left else 0


if __name__ == "__main__":
    sys.exit(main())
