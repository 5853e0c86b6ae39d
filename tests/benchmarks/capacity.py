"""What a whole case costs both sides: `python -m tests.benchmarks.capacity`.

The reference bundle goes from submission to rating, and the reference process from start to end, one after the other, nothing of them in
memory.  The CPU of the database is that of its one backend: the writing of its log and of its pages comes on top, as does HTTP.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine.database import Database
from tests import databases
from tests.benchmarks import bundle, reference
from tests.benchmarks.meter import measure
from tests.benchmarks.storage import finished, opened


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.capacity", description=__doc__)
    words.add_argument("--cases", type=int, default=10, help="of each kind; one more comes first, to warm up")
    asked = words.parse_args()
    heads = ("completions", "statements", "commits", "wall ms", "our CPU ms", "CPU ms of the database", "kB of its log")
    table = Table(
        Column("one case", no_wrap=True), *(Column(head, justify="right") for head in heads), title="From start to end, PostgreSQL, cold"
    )
    with databases.postgresql_server() as server, opened(databases.PostgreSQL(server)) as db:
        bundle.deploy(db)
        reference.deploy(db)
        kinds = {"bundle of five items": (8, finished), "bundle of one item": (4, partial(finished, items=bundle.ITEMS[:1]))}
        for label, (completions, work) in {**kinds, "reference process": (7, _process)}.items():
            table.add_row(label, str(completions), *(f"{figure:.0f}" for figure in costs(db, work, asked.cases)))
    Console(width=120).print(table)


def costs(db: Database, work: Callable[[Database], object], cases: int) -> Iterator[float]:
    """Statements, commits, time on the wall, our CPU, that of the database, and its log, for each case."""
    work(db)
    cpu, log = _spent(db)
    sample = measure(db.bind, lambda: [work(db) for _ in range(cases)])
    cpu_after, log_after = _spent(db)
    spent = (1000 * sample.wall, 1000 * sample.cpu, 1000 * (cpu_after - cpu), (log_after - log) / 1000)
    return (figure / cases for figure in (len(sample.statements), sample.commits, *spent))


def _process(db: Database) -> None:
    instance = reference.begin(db, done=reference.BRANCHES)
    reference.complete(db, reference.standing(db, instance)["issue"], reference.CLERK, {})


def _spent(db: Database) -> tuple[float, float]:
    """Seconds of CPU of all backends of this database so far, and bytes of the log of its server."""
    with db.bind.connect() as connection:
        pids = connection.execute(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).scalars().all()
        log = connection.execute(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")).scalar_one()
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9, float(log)


if __name__ == "__main__":
    main()
