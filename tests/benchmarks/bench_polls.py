"""Two thousand workers who wait, and everybody else meanwhile: `python -m tests.benchmarks.bench_polls`.

What counts is how long the shipped server takes to answer an empty call beside them, and without them in the same run; and how many
transactions the database has for each task that one of them is given.
"""

from __future__ import annotations

import http.client
import json
import select
import time
from contextlib import ExitStack
from statistics import quantiles

import psycopg
from rich.console import Console
from rich.table import Column, Table

from engine import deployments
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from tests.benchmarks import shipped
from tests.bpmn import diagrams as d

POLLS, CALLS, TASKS = 2000, 400, 20
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
DRAWN = d.diagram(d.start("s"), d.external("t", topic="print"), d.end("e"), d.flows("s -> t -> e"), key="p")
ASKED = {"maxTasks": 1, "asyncResponseTimeout": 1_200_000, "topics": [{"topicName": "print", "lockDuration": 600_000}]}


def main() -> None:
    """Print the table."""
    table = Table("", *(Column(head, justify="right") for head in ("p50 ms", "p99 ms", "longest ms")), title="An empty call")
    with ExitStack() as stack:
        url = stack.enter_context(shipped.database_server()).url()
        key = shipped.key(url)
        deploy(url)
        port = stack.enter_context(shipped.serving(url))
        table.add_row("alone", *_calls(port, key))
        polls = [_poll(port, key, number) for number in range(POLLS)]
        time.sleep(10)  # until all of them have come in
        assert not _answered(polls), "Expected all of them to wait, but some have been answered"
        table.add_row(f"beside {POLLS} that wait", *_calls(port, key))
        each = _transactions(port, key, url, polls)
        for poll in polls:
            poll.close()
    Console().print(table)
    Console().print(f"{each:.1f} transactions for each of {TASKS} tasks: one begins its process, the others fetch it")


def deploy(url: str) -> None:
    """Deploy a process that has one task for a worker."""
    db = Database(url)
    with db.transaction() as session:
        deployments.deploy(session, "p", {"p.bpmn": DRAWN}, actor=DESIGNER)
    db.close()


def _poll(port: int, key: str, number: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"workerId": f"worker{number}", **ASKED})
    connection.request("POST", "/engine-rest/external-task/fetchAndLock", body, _headers(key))
    return connection


def _answered(polls: list[http.client.HTTPConnection], seconds: float = 0) -> int:
    """How many are answered, after so many seconds at most."""
    poller = select.poll()
    for poll in polls:
        poller.register(poll.sock, select.POLLIN)
    return len(poller.poll(1000 * seconds))


def _transactions(port: int, key: str, url: str, polls: list[http.client.HTTPConnection]) -> float:
    """Transactions for each task, without those of the looks at the table that go on all the time."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = _committed(url)
    time.sleep(10)
    beside = (_committed(url) - begun) / 10
    begun, since = _committed(url), time.monotonic()
    for number in range(TASKS):
        connection.request("POST", "/engine-rest/process-definition/key/p/start", "{}", _headers(key))
        assert connection.getresponse().read(), "Expected a process to be started"
        while _answered(polls) <= number:
            time.sleep(0.01)
    time.sleep(2)  # until those who have found nothing sleep again, and what was counted is told
    return (_committed(url) - begun - beside * (time.monotonic() - since)) / TASKS


def _committed(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


def _calls(port: int, key: str) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    walls = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        connection.request("GET", "/engine-rest/version", headers=_headers(key))
        connection.getresponse().read()
        walls.append(1000 * (time.perf_counter() - begun))
    connection.close()
    cut = quantiles(walls, n=100)
    return [f"{figure:.1f}" for figure in (cut[49], cut[98], max(walls))]


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


if __name__ == "__main__":
    main()
