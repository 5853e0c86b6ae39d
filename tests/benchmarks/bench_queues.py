"""Dead rows at the head of a queue: `python -m tests.benchmarks.bench_queues`.

Timers are planned and done, a million at a time, while somebody looks at an old state of the database, as a backup does: nothing of them
can be cleared away.  How long does a claim take, from the very beginning of the queue, and from the floor that a scheduler remembers?
"""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from statistics import median

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine import moments, timers
from engine.actors import ENGINE
from engine.database import Database, Session
from engine.floors import UNSEEN
from engine.queues import LONG_AGO
from tests.benchmarks import bench_scheduler, shipped

STEPS = 4
#: As if they had been due one after the other in the hours before; they belong to nobody, for they are gone before anybody sees them.
PLANNED = text(
    "INSERT INTO timers (id, region, case_id, instance_id, wait, element, due_at, retries)"
    " SELECT gen_random_uuid(), '430100', gen_random_uuid(), gen_random_uuid(), 1, 'done', now() - interval '4 hours' + (:before + n) * interval '1 ms', 3 FROM generate_series(1, :count) AS n"
)


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_queues", description=__doc__)
    words.add_argument("--rows", type=int, default=4_000_000, help="rows that are done in all")
    count = words.parse_args().rows // STEPS
    heads = (Column(head, justify="right") for head in ("from the very beginning, ms", "from the floor, ms"))
    made = Table(Column("dead rows at the head", justify="right"), *heads, title="A claim of what is due, of which there is nothing")
    with shipped.database_server() as server:
        db = Database(server.url())
        bench_scheduler.populate(db, 2000)
        _add(made, db, "0")
        with db.snapshot() as backup:
            backup.execute(text("SELECT count(*) FROM timers"))
            for step in range(STEPS):
                churn(db, count, before=step * count)
                _add(made, db, f"{(step + 1) * count:,}")
        _add(made, db, "the same, when the old state is let go")
        db.close()
    Console(width=120).print(made)


def churn(db: Database, count: int, *, before: int) -> None:
    """Plan so many timers, and do them."""
    with db.bind.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(PLANNED, {"before": before, "count": count})
    with db.bind.begin() as connection:
        connection.execute(text("DELETE FROM timers WHERE element = 'done'"))


def _add(made: Table, db: Database, label: str) -> None:
    made.add_row(label, *(f"{1000 * median(_claim(db, since) for _ in range(3)):.1f}" for since in (LONG_AGO, moments.now() - UNSEEN)))


def _claim(db: Database, since: datetime) -> float:
    with Session(db.bind) as session:
        session.connection()
        begun = time.perf_counter()
        timers.fire_together(session, 50, actor=ENGINE, since=since)
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
