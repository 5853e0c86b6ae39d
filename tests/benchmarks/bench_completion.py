"""A completion beside the limit of the database: `python -m tests.benchmarks.bench_completion`.

In one run, in turn, on one PostgreSQL with durable commits: our engine with 1, 2 and 8 clients, threads of a process for each core; the whole
of `POST /api/v1/tasks/{id}/complete` through the shipped server, logged in with a key; and right before each of these, since a shared machine is
another one a minute later, the limit: `pgbench`, which reads and writes what a completion reads and writes as one statement.  What counts is the
share of the limit.

Then the same on SQLite, whose limit is how often it commits a change of one row.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine import execution
from engine import tasks as verbs
from engine.actors import ENGINE, Actor, Role, RoleGrant
from engine.database import Database
from tests.benchmarks import reference, shipped
from tests.soak.server import Server

CLIENTS = (1, 2, 8)
BRANCH = reference.DONE
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))
#: What a completion reads, locks and writes, as one statement: a task with its instance and case, five tables written.
LIMIT = """
\\set place random(1, {instances})
WITH picked AS (SELECT t.id AS task, i.id AS instance, i.region, i.case_id, i.rev, i.state, i.variables, i.journal_seq, c.number
    FROM places p JOIN tasks t ON t.id = p.task JOIN instances i ON i.id = t.instance_id JOIN cases c ON c.id = i.case_id
    WHERE p.place = :place FOR NO KEY UPDATE OF i, t),
done AS (UPDATE tasks t SET ended_at = now(), completed_by = 'officer2', data = :data FROM picked WHERE t.id = picked.task),
moved AS (UPDATE instances i SET rev = i.rev + 1, state = picked.state, variables = picked.variables,
    journal_seq = i.journal_seq + 1, journal_hash = md5(i.journal_hash) FROM picked WHERE i.id = picked.instance),
told AS (UPDATE activities a SET ended_at = now(), outcome = 'completed' FROM picked WHERE a.instance_id = picked.instance AND a.number IN (3, 4)),
gone AS (DELETE FROM timers USING picked WHERE timers.instance_id = picked.instance AND timers.wait = -1),
written AS (INSERT INTO journal (id, region, case_id, instance_id, seq, at, actor, what, details, hash)
    SELECT gen_random_uuid(), region, case_id, instance, 1000 + journal_seq, now(), 'officer2', 'task completed', '{{"task":"department2"}}', md5(number) FROM picked)
SELECT count(*) FROM picked;
"""


@dataclass(kw_only=True)
class Figures:
    """What the clients of one process did."""

    #: Seconds on the wall of each completion.
    walls: list[float]
    #: Seconds of CPU of the process, for all of them together.
    cpu: float
    begun: float
    ended: float


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_completion", description=__doc__)
    words.add_argument("--each", type=int, default=300, help="completions of each client")
    words.add_argument("--seconds", type=int, default=5, help="how long the limit is measured")
    asked = words.parse_args()
    console = Console(width=130)
    console.print(_on_postgresql(asked.each, asked.seconds))
    console.print(_on_sqlite(asked.each, asked.seconds))


def _table(where: str) -> Table:
    heads = ("clients", "limit, a second", "a second", "share of the limit", "p50 ms", "p99 ms", "our CPU ms each")
    return Table("", *(Column(head, justify="right") for head in heads), title=f"A completion of the reference process, {where}, durable")


def _on_postgresql(each: int, seconds: int) -> Table:
    table = _table("PostgreSQL")
    with shipped.database_server() as server:
        url = server.url()
        limit = partial(_limit, server, _script(server, url), seconds=seconds)
        for label, live in (("engine, hot", 64), ("engine, cold", 0)):
            for clients in CLIENTS:
                _add(table, label, clients, limit(clients), _run(partial(_engine, url, live), url, clients, each))
        with shipped.serving(url) as port:
            key = shipped.key(url)
            for clients in CLIENTS:
                _add(table, "HTTP", clients, limit(clients), _run(partial(_http, port, key), url, clients, each), cpu=False)
    return table


def _on_sqlite(each: int, seconds: int) -> Table:
    table = _table("SQLite")
    with tempfile.TemporaryDirectory(prefix="onething-bench-") as folder:
        url = f"sqlite:///{folder}/onething.db"
        db = Database(url)
        db.migrate()
        reference.deploy(db)
        limit = _commits(db, seconds)
        db.close()
        for label, live in (("engine, hot", 64), ("engine, cold", 0)):
            _add(table, label, 1, limit, _run(partial(_engine, url, live), url, 1, each))
    return table


def _add(table: Table, label: str, clients: int, limit: float, found: list[Figures], *, cpu: bool = True) -> None:
    walls = sorted(wall for one in found for wall in one.walls)
    rate = len(walls) / (max(one.ended for one in found) - min(one.begun for one in found))
    cut = quantiles(walls, n=100)
    each = f"{1000 * sum(one.cpu for one in found) / len(walls):.2f}" if cpu else ""
    table.add_row(
        label, str(clients), f"{limit:.0f}", f"{rate:.0f}", f"{rate / limit:.3f}", f"{1000 * cut[49]:.2f}", f"{1000 * cut[98]:.2f}", each
    )


# The limit ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _script(server: Server, url: str) -> Path:
    """Write down what `pgbench` does, on instances of its own."""
    tasks = _tasks(url, 100, DONE_ALREADY)
    with Database(url).bind.begin() as connection:
        connection.execute(text("CREATE TABLE places (place integer PRIMARY KEY, task uuid)"))
        connection.execute(text("INSERT INTO places VALUES (:place, :task)"), [{"place": i + 1, "task": t} for i, t in enumerate(tasks)])
    script = server.folder / "completion.sql"
    script.write_text(LIMIT.format(instances=len(tasks)), encoding="utf-8")
    script.chmod(0o644)
    return script


def _limit(server: Server, script: Path, clients: int, *, seconds: int) -> float:
    """Transactions a second, as on a database that knows its tables: each run changes the same rows, and others have grown meanwhile."""
    with server.connect() as connection:
        connection.execute("VACUUM ANALYZE")
    told = server.run(
        "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds), "-f", str(script),
        "-D", f"data={json.dumps(reference.DATA)}", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres", "postgres",
    )  # fmt: skip
    rate = re.search(r"tps = ([\d.]+)", told)
    assert rate is not None, told
    return float(rate[1])


def _commits(db: Database, seconds: int) -> float:
    """How often a second one row is changed, each time durably."""
    with db.bind.connect() as connection:
        connection.execute(text("CREATE TABLE places (place integer PRIMARY KEY, visits integer)"))
        connection.execute(text("INSERT INTO places VALUES (1, 0)"))
        connection.commit()
        done, begun = 0, time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            connection.exec_driver_sql("UPDATE places SET visits = visits + 1 WHERE place = 1")
            connection.commit()
            done += 1
    return done / passed


# Our own ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

DONE_ALREADY = reference.DONE


def _tasks(url: str, count: int, done: int) -> list[UUID]:
    """Bring so many instances to where some departments are done; gives the task of the next."""
    db = Database(url)
    found = [reference.standing(db, reference.begin(db, done=done))[f"department{BRANCH}"] for _ in range(count)]
    db.close()
    return found


def _run(work: Callable[[list[UUID], int, Any, Any], None], url: str, clients: int, each: int) -> list[Figures]:
    """Let so many clients complete tasks at once: threads, in a process for each core, as in a server."""
    context = multiprocessing.get_context("spawn")
    processes = min(clients, len(os.sched_getaffinity(0)))
    ready, told = context.Barrier(processes + 1), context.Queue()
    tasks = _tasks(url, clients * each, DONE_ALREADY)
    workers = [context.Process(target=work, args=(tasks[i::processes], clients // processes, ready, told)) for i in range(processes)]
    for worker in workers:
        worker.start()
    ready.wait()
    found = [told.get() for _ in workers]
    for worker in workers:
        worker.join()
    return found


def _timed(tasks: list[UUID], clients: int, ready: Any, told: Any, client: Callable[[], Callable[[UUID], None]]) -> None:
    """Complete the tasks, each client its own; all begin at once, once each is warm."""
    walls: list[float] = []

    def one(mine: list[UUID]) -> None:
        complete = client()
        for task in mine[:WARM]:
            complete(task)
        warm.wait()
        begin.wait()
        for task in mine[WARM:]:
            before = time.perf_counter()
            complete(task)
            walls.append(time.perf_counter() - before)

    warm, begin = threading.Barrier(clients + 1), threading.Barrier(clients + 1)
    with ThreadPoolExecutor(clients) as pool:
        done = [pool.submit(one, tasks[i::clients]) for i in range(clients)]
        warm.wait()
        ready.wait()
        begun, cpu = time.time(), time.process_time()
        begin.wait()
    for each in done:
        each.result()
    told.put(Figures(walls=walls, cpu=time.process_time() - cpu, begun=begun, ended=time.time()))


#: Completions of each client that come first, and do not count.
WARM = 20


def _engine(url: str, live: int, tasks: list[UUID], clients: int, ready: Any, told: Any) -> None:
    db = Database(url, live=live)
    if live:
        _keep(db, tasks)
    _timed(tasks, clients, ready, told, lambda: lambda task: reference.complete(db, task, reference.officer(BRANCH), reference.DATA))


def _keep(db: Database, tasks: list[UUID]) -> None:
    """Have the instances in memory, as whoever handled them last has."""
    for task in tasks:
        with db.transaction() as session:
            instance = verbs.get(session, task, reference.officer(BRANCH)).instance_id
            execution.refresh(session, instance, actor=ENGINE)


def _http(port: int, key: str, tasks: list[UUID], clients: int, ready: Any, told: Any) -> None:
    """Complete tasks through HTTP, each client on a connection that it keeps.

    The clients share the cores with the server, as `pgbench` does with its database: so they send bytes, and read what must be read.
    """
    body = json.dumps(reference.DATA).encode()
    rest = f"/complete HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    rest += f"Content-Length: {len(body)}\r\n\r\n"

    def client() -> Callable[[UUID], None]:
        connection = socket.create_connection(("127.0.0.1", port))

        def complete(task: UUID) -> None:
            connection.sendall(f"POST /api/v1/tasks/{task}{rest}".encode() + body)
            status, answer = _answer(connection)
            assert status == HTTPStatus.OK, answer

        return complete

    _timed(tasks, clients, ready, told, client)


_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read one answer, whole: its status and its body."""
    found = _more(connection)
    while b"\r\n\r\n" not in found:
        found += _more(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    assert length is not None, head
    while len(body) < int(length[1]):
        body += _more(connection)
    return int(head.split()[1]), body


def _more(connection: socket.socket) -> bytes:
    found = connection.recv(1 << 16)
    assert found, "the server has hung up"
    return found


if __name__ == "__main__":
    main()
