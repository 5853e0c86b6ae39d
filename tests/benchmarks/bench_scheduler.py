"""The scheduler under load: `python -m tests.benchmarks.bench_scheduler`.

On one PostgreSQL with durable commits, with as many pending timers as wanted, all in instances of their own:

- *due*: many are due within ten seconds; two nodes (`onething work`) look, one of them is killed in between.  How late was each?
- *flood*: all of them are due at once, while somebody completes tasks through the shipped server.  How fast does it drain, and how long
  do people wait, in the first seconds and then, beside what they wait when the nodes stand still?  By turns, in one run: what differs is
  the mass alone, not what was just started, planned or vacuumed.

When something was committed, PostgreSQL itself tells (`track_commit_timestamp`).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice, pairwise
from math import ceil
from pathlib import Path
from statistics import quantiles
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine import definitions, deployments, processes
from engine.database import Database
from engine.variables import Given
from tests.benchmarks import population, reference, shipped
from tests.bpmn import diagrams as d

#: What is due is due within so many seconds; the first after `AHEAD`, when the nodes are up.
WITHIN, AHEAD = 10.0, 4.0
#: People work for so many seconds alone, then as long beside the flood, and so on; how many of them are its beginning.
TURN, BEGINNING = 10, 5
#: After so many seconds of work each session of the server has planned its statements.
WARM = 10
COMMITS = "track_commit_timestamp = on\nmax_wal_size = 4GB\n"
KEY = "reminder"
#: What firing reads and writes.
TABLES = ("cases", "instances", "timers")


def main() -> None:
    """Print the tables."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_scheduler", description=__doc__)
    words.add_argument("--pending", type=int, default=1_000_000, help="timers that are pending")
    words.add_argument("--due", type=int, default=20_000, help="how many of them are due within ten seconds")
    words.add_argument("--flood", type=int, default=100_000, help="how many are due at once then")
    words.add_argument("--seconds", type=float, default=60, help="how long people complete tasks alone, and as long beside the flood")
    words.add_argument("--a-second", type=float, default=20, help="how many tasks they complete in a second")
    asked = words.parse_args()
    console = Console(width=130)
    with shipped.database_server(conf=COMMITS) as server:
        url = server.url()
        db = Database(url)
        begun = time.monotonic()
        populate(db, asked.pending)
        console.print(f"{asked.pending:,} timers are pending ({time.monotonic() - begun:.0f} s)")
        if asked.due:
            console.print(due(db, url, asked.due))
        if asked.flood:
            console.print(*flood(db, url, asked.flood, People(url, asked.a_second), turns=ceil(asked.seconds / TURN)))
        db.close()


def diagram() -> bytes:
    """A task of which somebody is reminded: the timer does not interrupt."""
    content = [d.start("begin"), d.user("work", groups="window"), d.end("done"), d.end("reminded")]
    content += [d.timer_boundary("remind", on="work", date="2026-01-01T00:00:00Z", interrupting=False)]
    return d.diagram(*content, d.flows("begin -> work -> done", "remind -> reminded"), key=KEY)


def populate(db: Database, pending: int) -> None:
    """Have so many instances whose timers are due in years; when they go off is up to their rows alone."""
    with db.transaction() as session:
        deployments.deploy(session, KEY, {"reminder.bpmn": diagram()}, actor=reference.DESIGNER)
        loaded = definitions.latest(session, KEY)
        given = Given(values={"applicant": "长沙湘味小馆"})
        case_id = processes.open_plain(session, loaded, actor=reference.DESIGNER, given=given).case_id
    population.multiply(db, case_id, pending - 1, tables=TABLES)
    with db.bind.begin() as connection:
        connection.execute(text("UPDATE timers SET due_at = '2100-01-01T00:00:00Z'"))
        connection.execute(text("CREATE TABLE planned (instance_id uuid PRIMARY KEY, round text, due_at timestamptz, rev integer)"))
    population.settle(db)


def plan(db: Database, name: str, count: int, *, within: float, ahead: float) -> None:
    """Let so many of them be due, evenly within so many seconds, in no order of their rows."""
    planned = text(
        "INSERT INTO planned SELECT instance_id, :name, now() + (:ahead + :within * row_number() OVER (ORDER BY md5(id::text)) / :count)"
        " * interval '1 second', rev FROM (SELECT t.id, instance_id, rev FROM timers t JOIN instances i ON i.id = t.instance_id"
        " WHERE due_at > '2099-01-01' LIMIT :count) AS chosen"
    )
    with db.bind.begin() as connection:
        connection.execute(planned, {"name": name, "count": count, "within": within, "ahead": ahead})
        moved = "UPDATE timers SET due_at = p.due_at FROM planned p WHERE p.instance_id = timers.instance_id AND p.round = :name"
        connection.execute(text(moved), {"name": name})


def due(db: Database, url: str, count: int) -> Table:
    """Two nodes, one of which is killed when half of it is due."""
    before = cpu()
    with node(url), node(url) as victim:
        plan(db, "due", count, within=WITHIN, ahead=AHEAD)
        time.sleep(AHEAD + WITHIN / 2)
        victim.kill()
        await_done(db)
    title = f"{count:,} due within {WITHIN:.0f} s, two nodes, one of which is killed after {WITHIN / 2:.0f} s"
    return table(title, db, "due", cpu() - before)


class People:
    """Who complete tasks through the shipped server, so many in a second whatever happens."""

    def __init__(self, url: str, a_second: float) -> None:
        self.key, self.a_second = shipped.key(url), a_second

    def work(self, port: int, tasks: Iterator[UUID], seconds: int) -> list[float]:
        """Complete tasks; how long each of them took, from the moment at which somebody wanted to."""
        count = int(self.a_second * seconds)
        with ThreadPoolExecutor(16) as threads:
            begun = time.monotonic()
            wanted = [begun + place / self.a_second for place in range(count)]
            return list(threads.map(partial(self._complete, port), islice(tasks, count), wanted))

    def _complete(self, port: int, task: UUID, wanted: float) -> float:
        time.sleep(max(0.0, wanted - time.monotonic()))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", f"/api/v1/tasks/{task}/complete", json.dumps(reference.DATA), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
        connection.close()
        return time.monotonic() - wanted


def flood(db: Database, url: str, count: int, people: People, *, turns: int) -> Iterator[Table]:
    """Everything is due at once; people work by turns alone and beside it, then the nodes are left to themselves."""
    tasks = iter(reference.next_tasks(url, int(people.a_second * (WARM + 2 * turns * TURN))))
    waits: dict[str, list[float]] = {"alone": [], f"the first {BEGINNING} s of a flood": [], "then": []}
    alone, first, then = waits.values()
    done, before = [0], cpu()
    with shipped.serving(url) as port, node(url) as one, node(url) as other:
        nodes = (one, other)
        time.sleep(AHEAD)  # what nodes do first is no cost of a flood either
        tell(nodes, signal.SIGSTOP)
        plan(db, "flood", count, within=0.001, ahead=0)
        population.settle(db)  # what planning has left is nobody's to wait for
        people.work(port, tasks, WARM)  # after that each session of the server plans its statements anew: no cost of a flood
        for _ in range(turns):
            alone += people.work(port, tasks, TURN)
            tell(nodes, signal.SIGCONT)
            walls = people.work(port, tasks, TURN)
            tell(nodes, signal.SIGSTOP)
            first += walls[: int(people.a_second * BEGINNING)]
            then += walls[int(people.a_second * BEGINNING) :]
            done.append(progress(db, "flood"))
        assert done[-1] < count, f"Expected {count:,} to last as long as people work, but they were done before"
        begun = time.monotonic()
        tell(nodes, signal.SIGCONT)
        await_done(db)
        left = (count - done[-1]) / (time.monotonic() - begun)
    beside = sorted((later - sooner) / TURN for sooner, later in pairwise(done))
    yield waited(waits)
    yield drained(db, count, beside, left, cpu() - before)


def tell(nodes: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Have nodes stand still, or go on."""
    for one in nodes:
        one.send_signal(number)


def waited(waits: dict[str, list[float]]) -> Table:
    """How long people waited, in all turns of a kind."""
    heads = ("completions", "p50 ms", "p90 ms", "p99 ms", "longest ms")
    made = Table("", *(Column(head, justify="right") for head in heads), title=f"Completions over HTTP, in turns of {TURN} s")
    for label, walls in waits.items():
        cut = quantiles(walls, n=100)
        made.add_row(label, f"{len(walls):,}", *(f"{1000 * wall:.0f}" for wall in (cut[49], cut[89], cut[98], max(walls))))
    return made


def drained(db: Database, count: int, beside: list[float], left: float, spent: float) -> Table:
    """How fast it drained: in the slowest and the fastest turn `beside` people, and when it was `left` alone, timers a second."""
    once, otherwise = fired(db, "flood")
    figures = {"once": f"{once:,}", "otherwise": f"{otherwise:,}", "a second beside people": f"{beside[0]:,.0f} to {beside[-1]:,.0f}"}
    figures |= {"a second then": f"{left:,.0f}", "our CPU ms each": f"{1000 * spent / count:.2f}"}
    made = Table(*(Column(head, justify="right") for head in figures), title=f"{count:,} due at once, two nodes")
    made.add_row(*figures.values())
    return made


def progress(db: Database, name: str) -> int:
    """How many have gone off."""
    query = text(
        "SELECT count(*) FROM planned p WHERE p.round = :name AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.instance_id = p.instance_id)"
    )
    with db.bind.connect() as connection:
        return int(connection.execute(query, {"name": name}).scalar() or 0)


def await_done(db: Database) -> None:
    """Wait until all that was planned has gone off; others' timers are due in days.  To count them would take the database longer."""
    left = text("SELECT EXISTS (SELECT 1 FROM timers WHERE due_at < now() + interval '1 minute')")
    while True:
        with db.bind.connect() as connection:
            if not connection.execute(left).scalar():
                return
        time.sleep(0.5)


def lateness(db: Database, name: str) -> list[float]:
    """By how many seconds the commit of each came after it was due; negative would be early."""
    late = text(
        "SELECT extract(epoch FROM pg_xact_commit_timestamp(i.xmin) - p.due_at)::float FROM planned p JOIN instances i ON i.id = p.instance_id WHERE p.round = :name"
    )
    with db.bind.connect() as connection:
        return list(connection.execute(late, {"name": name}).scalars())


def fired(db: Database, name: str) -> tuple[int, int]:
    """How many have gone off once, and how many otherwise: the instance was written once, and its history says so once."""
    query = text(
        "SELECT count(*) FILTER (WHERE times = 1 AND written = 1), count(*) FILTER (WHERE times <> 1 OR written <> 1) FROM"
        " (SELECT i.rev - p.rev AS written, (SELECT count(*) FROM activities a WHERE a.instance_id = i.id AND a.element = 'remind'"
        " AND a.outcome = 'completed') AS times FROM planned p JOIN instances i ON i.id = p.instance_id WHERE p.round = :name) AS each"
    )
    with db.bind.connect() as connection:
        once, otherwise = connection.execute(query, {"name": name}).one()
    return once, otherwise


def cpu() -> float:
    """Seconds of CPU of the nodes that have ended; the database is not counted."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def table(title: str, db: Database, name: str, spent: float) -> Table:
    """What came of a round, for which the nodes have `spent` so many seconds of CPU."""
    late = lateness(db, name)
    once, otherwise = fired(db, name)
    cut = quantiles(late, n=1000)
    figures = {"once": f"{once:,}", "otherwise": f"{otherwise:,}", "earliest": f"{min(late):.3f}"}
    figures |= {label: f"{cut[place]:.3f}" for label, place in (("p50", 499), ("p90", 899), ("p99", 989), ("p99.9", 998))}
    figures |= {"latest": f"{max(late):.3f}", "late by over 2 s": f"{sum(one > 2 for one in late):,}"}
    figures["our CPU ms each"] = f"{1000 * spent / len(late):.2f}"
    made = Table(*(Column(head, justify="right") for head in figures), title=f"{title}; seconds late")
    made.add_row(*figures.values())
    return made


@contextmanager
def node(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A node that only looks at what is due."""
    with tempfile.TemporaryDirectory() as data:
        environ = {**os.environ, "ONETHING_ENV": "development", "ONETHING_DATABASE_URL": url, "ONETHING_DATA_DIR": data}
        program = [Path(sys.executable).parent / "onething", "work"]
        running = subprocess.Popen(program, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert running.stdout is not None
            running.stdout.readline()  # it looks
            yield running
        finally:
            running.send_signal(signal.SIGCONT)
            running.terminate()
            running.wait()


if __name__ == "__main__":
    main()
