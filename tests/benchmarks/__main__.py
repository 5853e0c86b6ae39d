"""The benchmark: what a completion of the reference bundle costs, on both databases, and what documents cost.  `make bench` prints the tables.

Nothing here passes or fails: the figures belong to the machine, the ratios to the code.  What must not grow silently, the number of
statements, is asserted by tests/engine/test_statements.py.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from sqlalchemy import text

from engine.database import Database
from tests import databases
from tests.benchmarks import bench_documents, bench_instance, bundle, report
from tests.benchmarks.meter import measure
from tests.benchmarks.report import LIMIT, Samples

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run what is asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    words.add_argument("--bundles", type=int, default=10, help="bundles on each database; one more comes first, to warm up")
    words.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    words.add_argument(
        "--profile", metavar="KIND", help="print the profile of one kind of work: intake, decision, resume, issuance, rating"
    )
    asked = words.parse_args()
    console = Console(width=120)
    for name in [asked.database] if asked.database else ["sqlite", "postgresql"]:
        profile = cProfile.Profile(time.process_time)
        with _database(name) as db:
            samples = run(db, asked.bundles, {asked.profile: profile.runcall})
            console.print(report.costs(name, samples), report.sizes(db, bundle.at_work(db)))
        if asked.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(f"{ROOT}/(engine|bpmn|tests)/", 40)
    if not asked.profile:
        bench_instance.main()
        bench_documents.main()


def run(db: Database, bundles: int, watched: dict[str, Callable[[Callable[[], object]], object]]) -> Samples:
    """Take bundles from the window to the end; each piece of work in a session of its own, nothing of the case kept in between."""
    bundle.deploy(db)
    samples: Samples = defaultdict(list)
    for number in range(bundles + 1):
        for kind, work in bundle.work(db, bundle.submit(db)):
            sample = measure(db.bind, partial(watched[kind], work) if number and kind in watched else work)
            if number:
                samples[kind].append(sample)
        samples[LIMIT] += [measure(db.bind, partial(_update, db, str(level))) for level in range(10)]
    return samples


def _update(db: Database, level: str) -> None:
    with db.bind.begin() as connection:
        connection.execute(text("UPDATE halls SET level = :level"), {"level": level})


@contextmanager
def _database(name: str) -> Iterator[Database]:
    """Open a fresh database: a file, or one in the PostgreSQL of the tests."""
    with ExitStack() as stack:
        if name == "sqlite":
            store = databases.SQLite(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        else:
            store = databases.PostgreSQL(stack.enter_context(databases.postgresql_server()))
        db = Database(stack.enter_context(store.fresh()))
        stack.callback(db.close)
        yield db


if __name__ == "__main__":
    main()
