"""Two hundred workers who wait, and everybody else meanwhile: `python -m tests.benchmarks.bench_polls`.

What counts is how long the shipped server takes to answer an empty call beside them, and without them in the same run.
"""

from __future__ import annotations

import http.client
import json
import select
import time
from contextlib import ExitStack
from statistics import quantiles

from rich.console import Console
from rich.table import Column, Table

from tests.benchmarks import shipped

POLLS, CALLS = 200, 400
ASKED = {"maxTasks": 1, "asyncResponseTimeout": 120_000, "topics": [{"topicName": "nothing", "lockDuration": 1000}]}


def main() -> None:
    """Print the table."""
    table = Table("", *(Column(head, justify="right") for head in ("p50 ms", "p99 ms", "longest ms")), title="An empty call")
    with ExitStack() as stack:
        url = stack.enter_context(shipped.database_server()).url()
        key = shipped.key(url)
        port = stack.enter_context(shipped.serving(url))
        table.add_row("alone", *_calls(port, key))
        polls = [_poll(port, key, number) for number in range(POLLS)]
        time.sleep(5)  # until all of them have come in
        answered, _, _ = select.select([poll.sock for poll in polls], [], [], 0)
        assert not answered, "Expected all of them to wait, but some have been answered"
        table.add_row(f"beside {POLLS} that wait", *_calls(port, key))
        for poll in polls:
            poll.close()
    Console().print(table)


def _poll(port: int, key: str, number: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"workerId": f"worker{number}", **ASKED})
    connection.request("POST", "/engine-rest/external-task/fetchAndLock", body, _headers(key))
    return connection


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
