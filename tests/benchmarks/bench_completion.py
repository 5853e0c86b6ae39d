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
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table

from engine import execution, garbage
from engine import tasks as verbs
from engine.actors import ENGINE, Actor, Role, RoleGrant
from engine.database import Database
from tests.benchmarks import limit, reference, shipped

CLIENTS = (1, 2, 8)
BRANCH = reference.DONE
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))


@dataclass(kw_only=True)
class Figures:
    """What the clients of one process did."""

    #: Seconds on the wall of each completion.
    walls: list[float]
    #: Seconds of CPU of the process, for all of them together.
    cpu: float
    begun: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """What was measured with so many clients; times in seconds."""

    label: str
    clients: int
    #: Transactions of `pgbench` a second, and completions a second.
    limit: float
    rate: float
    p50: float
    p99: float
    cpu: float | None


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_completion", description=__doc__)
    words.add_argument("--each", type=int, default=300, help="completions of each client")
    words.add_argument("--seconds", type=int, default=5, help="how long the limit is measured")
    asked = words.parse_args()
    console = Console(width=130)
    console.print(_on_postgresql(asked.each, asked.seconds))
    console.print(_on_sqlite(asked.each, asked.seconds))


def _on_postgresql(each: int, seconds: int) -> Table:
    lines = []
    with shipped.database_server() as server:
        url = server.url()
        rate = partial(limit.rate, server, limit.script(server, reference.next_tasks(url, 100)), seconds=seconds)
        for label, live in (("engine, hot", 64), ("engine, cold", 0)):
            lines += [_line(label, clients, rate(clients), _run(partial(_engine, url, live), url, clients, each)) for clients in CLIENTS]
        with shipped.serving(url) as port:
            work = partial(_http, port, shipped.key(url))
            lines += [_line("HTTP", clients, rate(clients), _run(work, url, clients, each), cpu=False) for clients in CLIENTS]
    return _table("PostgreSQL", lines)


def _on_sqlite(each: int, seconds: int) -> Table:
    lines = []
    with tempfile.TemporaryDirectory(prefix="onething-bench-") as folder:
        url = f"sqlite:///{folder}/onething.db"
        db = Database(url)
        db.migrate()
        reference.deploy(db)
        rate = limit.commits(db, seconds)
        db.close()
        for label, live in (("engine, hot", 64), ("engine, cold", 0)):
            lines.append(_line(label, 1, rate, _run(partial(_engine, url, live), url, 1, each)))
    return _table("SQLite", lines)


def _line(label: str, clients: int, most: float, found: list[Figures], *, cpu: bool = True) -> Line:
    walls = sorted(wall for one in found for wall in one.walls)
    cut = quantiles(walls, n=100)
    return Line(
        label=label,
        clients=clients,
        limit=most,
        rate=len(walls) / (max(one.ended for one in found) - min(one.begun for one in found)),
        p50=cut[49],
        p99=cut[98],
        cpu=sum(one.cpu for one in found) / len(walls) if cpu else None,
    )


def _table(where: str, lines: list[Line]) -> Table:
    heads = ("clients", "limit, a second", "a second", "share of the limit", "p50 ms", "p99 ms", "our CPU ms each", "CPU x")
    title = f"A completion of the reference process, {where}, durable; x: in transactions of the limit with most clients"
    table = Table("", *(Column(head, justify="right") for head in heads), title=title)
    most = median(line.limit for line in lines if line.clients == max(each.clients for each in lines))
    for line in lines:
        cpu = ("", "") if line.cpu is None else (f"{1000 * line.cpu:.2f}", f"{line.cpu * most:.1f}")
        times = (f"{1000 * line.p50:.2f}", f"{1000 * line.p99:.2f}")
        table.add_row(line.label, str(line.clients), f"{line.limit:.0f}", f"{line.rate:.0f}", f"{line.rate / line.limit:.3f}", *times, *cpu)
    return table


# Our own ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _run(work: Callable[[list[UUID], int, Any, Any], None], url: str, clients: int, each: int) -> list[Figures]:
    """Let so many clients complete tasks at once: threads, in a process for each core, as in a server."""
    context = multiprocessing.get_context("spawn")
    processes = min(clients, len(os.sched_getaffinity(0)))
    ready, told = context.Barrier(processes + 1), context.Queue()
    tasks = reference.next_tasks(url, clients * each)
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
        garbage.spare()  # as in a server
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
