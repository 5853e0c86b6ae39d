"""What it costs to commit in two places instead of one: `python -m tests.benchmarks.bench_two_places`.

A transaction that writes to two shards is committed in two phases by a distributed database.  Here two databases of one durable server stand
for the shards: a row of 2 kB and an answer, written to one of them with one commit, or each to its own, prepared and committed there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import psycopg
from rich.console import Console
from rich.table import Column, Table

from tests.soak.server import Server

CONF = """
max_prepared_transactions = 10
listen_addresses = ''
unix_socket_directories = '{folder}'
"""
COMMANDS, ROUNDS = 200, 5
ROW, ANSWER = "INSERT INTO rows (body) VALUES (repeat('x', 2000))", "INSERT INTO answers (body) VALUES (repeat('y', 500))"
_POOL = ThreadPoolExecutor(2)
Shard = psycopg.Connection[tuple[object, ...]]


def main() -> None:
    """Print how long a command takes that commits in one place, and in two; in turn, so that both see the same machine."""
    with tempfile.TemporaryDirectory(prefix="onething-two-places-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), conf=CONF)
        server.found()
        server.start()
        try:
            _show(_measure(_shard(server, "here"), _shard(server, "there")))
        finally:
            server.stop()


def _shard(server: Server, name: str) -> Shard:
    with server.connect() as operator:
        operator.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    shard = psycopg.connect(server.url(name).replace("+psycopg", ""), autocommit=True)
    for table in ("rows", "answers"):
        shard.execute(f"CREATE TABLE {table} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text)")  # type: ignore[arg-type]
    return shard


def _measure(here: Shard, there: Shard) -> dict[str, list[float]]:
    ways: dict[str, Callable[[], None]] = {"one place, one commit": lambda: _one(here), "two places, two phases": lambda: _two(here, there)}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            for _ in range(COMMANDS):
                began = time.perf_counter()
                way()
                took[name].append(1000 * (time.perf_counter() - began))
    return took


def _one(here: Shard) -> None:
    for statement in ("BEGIN", ROW, ANSWER, "COMMIT"):
        here.execute(statement)


def _two(here: Shard, there: Shard) -> None:
    """Each step at both at once, as who coordinates them does it."""
    list(_POOL.map(_prepare, (here, there), (ROW, ANSWER)))
    list(_POOL.map(_commit, (here, there)))


def _prepare(shard: Shard, statement: str) -> None:
    for each in ("BEGIN", statement, f"PREPARE TRANSACTION '{shard.info.dbname}'"):
        shard.execute(each)  # type: ignore[arg-type]


def _commit(shard: Shard) -> None:
    shard.execute(f"COMMIT PREPARED '{shard.info.dbname}'")  # type: ignore[arg-type]


def _show(took: dict[str, list[float]]) -> None:
    table = Table("a command, milliseconds", *(Column(head, justify="right") for head in ("median", "p99", "of one place")))
    one = median(next(iter(took.values())))
    for name, times in took.items():
        table.add_row(name, f"{median(times):.2f}", f"{quantiles(times, n=100)[98]:.2f}", f"{median(times) / one:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
