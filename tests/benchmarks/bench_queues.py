"""Dead rows at the head of a queue: `python -m tests.benchmarks.bench_queues`.

Timers, messages and external tasks are planned and done, a million at a time, while somebody looks at an old state of the database, as a
backup does: nothing of them can be cleared away.  How long does a claim of timers take, from the very beginning of the queue, and from the
floor that a scheduler remembers; and how long does it take to fetch messages and external tasks?
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from statistics import median

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine import external_tasks, moments, outbox, timers
from engine.actors import ENGINE, Actor, Role, RoleGrant
from engine.database import Database, Session
from engine.external_tasks import Fetch, Wanted
from engine.floors import UNSEEN
from engine.queues import LONG_AGO
from tests.benchmarks import bench_scheduler, shipped

STEPS = 4
#: What is measured is how long reading takes; that so much is written takes minutes even so.
CONF = "fsync = off\nsynchronous_commit = off\nmax_wal_size = 8GB\n"
WORKER = Actor(name="worker", grants=(RoleGrant(role=Role.ADMIN),))
WANTED = Fetch(worker="worker", limit=10, wanted=(Wanted(topic="done", lock=timedelta(minutes=1)),))
#: What all of them say: as if they had been due one after the other in the hours before; they belong to nobody, for they are gone before anybody sees them.
_COMMON = (
    "(id, region, case_id, {columns}) SELECT gen_random_uuid(), '430100', gen_random_uuid(), {values} FROM generate_series(1, :count) AS n"
)
_THEN = "now() - interval '4 hours' + (:before + n) * interval '1 ms'"
CHURNS = {
    "timers": ("instance_id, wait, element, due_at, retries", f"gen_random_uuid(), 1, 'done', {_THEN}, 3"),
    "outbox": ("topic, payload, created_at", f"'done', '{{}}', {_THEN}"),
    "external_tasks": ("instance_id, wait, element, topic, priority, created_at", f"gen_random_uuid(), 1, 'done', 'done', 0, {_THEN}"),
}
DONE = (
    "DELETE FROM timers WHERE element = 'done'",
    "UPDATE outbox SET sent_at = now() WHERE topic = 'done' AND sent_at IS NULL",
    "DELETE FROM external_tasks WHERE element = 'done'",
)


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_queues", description=__doc__)
    words.add_argument("--rows", type=int, default=4_000_000, help="rows that are done in all")
    count = words.parse_args().rows // STEPS
    heads = ("timers, from the very beginning, ms", "timers, from the floor, ms", "messages, ms", "external tasks, ms")
    columns = (Column(head, justify="right") for head in heads)
    made = Table(Column("dead rows at the head", justify="right"), *columns, title="A look at a queue in which nothing is to be done")
    with shipped.database_server(conf=CONF) as server:
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
    """Plan so many of each, and do them."""
    with db.bind.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table, (columns, values) in CHURNS.items():
            statement = f"INSERT INTO {table} {_COMMON.format(columns=columns, values=values)}"
            connection.execute(text(statement), {"before": before, "count": count})
    with db.bind.begin() as connection:
        for statement in DONE:
            connection.execute(text(statement))


def _add(made: Table, db: Database, label: str) -> None:
    looks = (partial(_claim, since=LONG_AGO), partial(_claim, since=moments.now() - UNSEEN), _messages, _external_tasks)
    made.add_row(label, *(f"{median(_took(db, look) for _ in range(3)):.1f}" for look in looks))


def _took(db: Database, look: Callable[[Session], object]) -> float:
    """Milliseconds."""
    with Session(db.bind) as session:
        session.connection()
        begun = time.perf_counter()
        look(session)
        return 1000 * (time.perf_counter() - begun)


def _claim(session: Session, since: datetime) -> object:
    return timers.fire_together(session, 50, actor=ENGINE, since=since)


def _messages(session: Session) -> object:
    return outbox.unsent(session, actor=WORKER)


def _external_tasks(session: Session) -> object:
    return external_tasks.is_there(session, WANTED, actor=WORKER)


if __name__ == "__main__":
    main()
