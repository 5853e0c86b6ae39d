"""How long a process takes from its start to its first answer, with a thousand matters deployed: `python -m tests.benchmarks.start`.

Each matter is a copy of the shipped restaurant in a deployment of its own, with its tables and forms.  What is asked first is asked of a
server that has just been started and has nothing in memory: once with the compiled forms in the database, once without them.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import resource
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Column, Table
from sqlalchemy import text

from engine import accounts, deployments, folders, grants, passwords
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from tests import databases
from tests.benchmarks import bundle, shipped

ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN), RoleGrant(role=Role.DESIGNER)))
#: What is asked first.
FIRST = ("/health/ready", "/api/v1/tasks", "/api/v1/matters/open_restaurant_1", "/api/v1/matters")
#: Starts of each; the median counts.
TIMES = 3


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.start", description=__doc__)
    words.add_argument("--definitions", type=int, default=1000, help="matters that are deployed, besides what is shipped")
    words.add_argument("--path", action="append", help="ask for this first, instead of all of them; may be given again")
    asked = words.parse_args()
    heads = ("to the first answer, s", "the second one, s", "MB in memory", "CPU from its start to its end, s")
    table = Table(
        "asked first", "compiled forms", *(Column(head, justify="right") for head in heads), title=f"Start with {asked.definitions} matters"
    )
    with databases.postgresql_server() as server, databases.PostgreSQL(server).fresh() as url:
        db = Database(url)
        key = _furnish(db, asked.definitions)
        for label, prepare in (("in the database", "SELECT 1"), ("none", "DELETE FROM compiled_files")):
            with db.bind.begin() as connection:
                connection.execute(text(prepare))
            for path in asked.path or FIRST:
                found = [_start(url, path, key) for _ in range(TIMES)]
                first, second, memory, cpu = (median(each) for each in zip(*found, strict=True))
                table.add_row(path, label, f"{first:.2f}", f"{second:.3f}", f"{memory:.0f}", f"{cpu:.2f}")
        db.close()
    Console(width=120).print(table)


def _furnish(db: Database, definitions: int) -> str:
    """Deploy what is shipped, and so many copies; gives the key of somebody who may see everything."""
    bundle.deploy(db)
    (folder,) = folders.read([bundle.WORKFLOWS / "open-restaurant"])
    for number in track(range(definitions), "deployed", console=Console(stderr=True)):
        own = f"open_restaurant_{number}".encode()
        files = {name: content.replace(b"open_restaurant", own) for name, content in folder.resources.items()}
        with db.transaction() as session:
            deployments.deploy(session, own.decode(), files, actor=ADMIN)
    with db.transaction() as session:
        accounts.create(session, "sue", actor=ADMIN, password=None, passwords=passwords.Passwords())
        grants.grant(session, "sue", Role.ADMIN, actor=ADMIN)
        return accounts.issue_key(session, "sue", label="bench", actor=ADMIN)[1]


def _start(url: str, path: str, key: str) -> tuple[float, float, float, float]:
    """Start a server; gives seconds to its first answer, and of the same question asked again, megabytes it takes then, seconds of CPU."""
    begun, used = time.perf_counter(), _cpu_of_children()
    with shipped.serving(url) as port:
        _ask(port, path, key)
        answered = time.perf_counter()
        _ask(port, path, key)
        second, memory = time.perf_counter() - answered, sum(map(_memory, _begun_by(os.getpid())))
    return answered - begun, second, memory, _cpu_of_children() - used


def _cpu_of_children() -> float:
    """Seconds of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ask(port: int, path: str, key: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    assert answer.status == http.HTTPStatus.OK, body
    return body


def _begun_by(process: int) -> list[int]:
    """Processes of ours that one has begun, and those that they have begun."""
    begun = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    ours = [child for child in begun if b"onething" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return ours + [below for child in ours for below in _begun_by(child)]


def _memory(process: int) -> float:
    """Megabytes that a process takes; of what several share, each has its part."""
    found = re.search(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1000


if __name__ == "__main__":
    main()
