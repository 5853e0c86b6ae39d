"""Dead rows at the head of a queue: `python -m tests.benchmarks.bench_queues`.

Timers, messages and external tasks are planned and done, a million at a time, while somebody looks at an old state of the database, as a
backup does: nothing of them can be cleared away.  How long does a claim of timers take, and a look for messages and for external tasks:
for who looks from the very beginning, and for who remembers?  Before all of them stand some messages that nobody carries, and some tasks
that have failed for good.
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

from engine import fetches, moments, outbox, remains, timers
from engine.actors import ENGINE, Actor, Role, RoleGrant
from engine.database import Database, Session
from engine.fetches import Fetch, Wanted
from engine.floors import UNSEEN
from engine.outbox import Topic
from engine.queues import LONG_AGO
from tests.benchmarks import bench_scheduler, shipped

STEPS = 4
WHENCE = ("from the very beginning", "as is remembered")
#: What is measured is how long reading takes; that so much is written takes minutes even so.
CONF = "fsync = off\nsynchronous_commit = off\nmax_wal_size = 8GB\n"
WORKER = Actor(name="worker", grants=(RoleGrant(role=Role.ADMIN),))
WANTED = Fetch(worker="worker", limit=10, wanted=(Wanted(topic="done", lock=timedelta(minutes=1)),))
#: What all of them say: as if they had been due one after the other in the hours before; they belong to nobody, for they are gone before anybody sees them.
_COMMON = (
    "(id, region, case_id, {columns}) SELECT gen_random_uuid(), '430100', gen_random_uuid(), {values} FROM generate_series(1, :count) AS n"
)
_THEN = "CAST(:now AS timestamptz) - interval '4 hours' + (:before + n) * interval '1 ms'"
CHURNS = {
    "timers": ("instance_id, wait, element, due_at, retries", f"gen_random_uuid(), 1, 'churned', {_THEN}, 3"),
    "outbox": ("topic, payload, created_at", f":message, '{{\"churned\": true}}', {_THEN}"),
    "external_tasks": (
        "instance_id, wait, element, topic, priority, created_at",
        f"gen_random_uuid(), 1, 'churned', :topic, 0, {_THEN}",
    ),
}
DONE = (
    "DELETE FROM timers WHERE element = 'churned'",
    "UPDATE outbox SET sent_at = now() WHERE payload::text LIKE '%churned%' AND sent_at IS NULL",
    "UPDATE external_tasks SET worker = 'w', lock_expires_at = now() WHERE element = 'churned'",
    "DELETE FROM external_tasks WHERE element = 'churned'",
)
#: What stays at the head, for weeks: nobody carries it, or it waits for somebody who mends it.
_KEYED, _KEY = "(id, region, case_id", "gen_random_uuid(), region, case_id"
_OLD = "now() - interval '7 days' + row_number() OVER () * interval '1 minute' FROM instances LIMIT 100"
_FAILED = f"SELECT {_KEY}, id, 99, 'failed', 'done', 0, 0"
STAYS = (
    f"INSERT INTO outbox {_KEYED}, topic, payload, created_at) SELECT {_KEY}, 'notice', '{{}}', {_OLD}",
    f"INSERT INTO external_tasks {_KEYED}, instance_id, wait, element, topic, priority, retries, created_at) {_FAILED}, {_OLD}",
)


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_queues", description=__doc__)
    words.add_argument("--rows", type=int, default=4_000_000, help="rows that are done in all")
    count = words.parse_args().rows // STEPS
    columns = (Column(f"{queue}, {whence}", justify="right") for queue in ("timers", "messages", "external tasks") for whence in WHENCE)
    made = Table(Column("dead rows at the head", justify="right"), *columns, title="A look at a queue in which nothing is to be done, ms")
    with shipped.database_server(conf=CONF) as server:
        db = Database(server.url())
        bench_scheduler.populate(db, 2000)
        with db.bind.begin() as connection:
            for statement in STAYS:
                connection.execute(text(statement))
        _add(made, db, "0")
        with db.snapshot() as backup:
            backup.execute(text("SELECT count(*) FROM timers"))
            for step in range(STEPS):
                churn(db, count, before=step * count)
                _add(made, db, f"{(step + 1) * count:,}")
        _add(made, db, "the same, when the old state is let go")
        db.close()
    Console(width=140).print(made)


def churn(db: Database, count: int, *, before: int, topic: str = "done", message: str = Topic.NOTICE) -> None:
    """Plan so many of each, and do them."""
    with db.bind.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table, (columns, values) in CHURNS.items():
            said = {"now": moments.now(), "before": before, "count": count, "topic": topic, "message": message}
            connection.execute(text(f"INSERT INTO {table} {_COMMON.format(columns=columns, values=values)}"), said)
    with db.bind.begin() as connection:
        for statement in DONE:
            connection.execute(text(statement))


def _add(made: Table, db: Database, label: str) -> None:
    looks = (partial(_claim, since=LONG_AGO), partial(_claim, since=moments.now() - UNSEEN))
    took = [_took(db, look) for look in looks]
    for look in (_messages, _external_tasks):
        remains.forget(db.bind)
        took += [_took(db, look, times=1), _took(db, look)]
    made.add_row(label, *(f"{one:.1f}" for one in took))


def _took(db: Database, look: Callable[[Session], object], *, times: int = 3) -> float:
    """Milliseconds, in the middle of so many times."""
    walls = []
    for _ in range(times):
        with db.reading() as session:
            session.connection().execute(text("SELECT 1"))
            begun = time.perf_counter()
            look(session)
            walls.append(1000 * (time.perf_counter() - begun))
    return median(walls)


def _claim(session: Session, since: datetime) -> object:
    return timers.fire_together(session, 50, actor=ENGINE, since=since)


def _messages(session: Session) -> object:
    return outbox.unsent(session, actor=WORKER, topic=Topic.NOTICE)


def _external_tasks(session: Session) -> object:
    return fetches.is_there(session, WANTED, actor=WORKER)


if __name__ == "__main__":
    main()
