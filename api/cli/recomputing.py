"""How far it is with counting clocks anew, and what came of it; for the commands that cause it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.cli import work
from engine import recomputing
from engine.database import Database

#: Seconds before one looks again at what another node, or somebody at work, holds.
PATIENCE = 0.2


def recompute(database: Database) -> None:
    """Count what is owed, with a bar; says what has moved.  Ctrl-C leaves the rest to the scheduler, or to the next command."""
    with database.reading() as session:
        owed = recomputing.owed(session)
        if owed is None:
            return
        total = recomputing.done(owed) + recomputing.ahead(session)  # counted once: it looks at every open case
    count = work.pace(database).hands
    with Progress(console=Console(stderr=True), transient=True) as progress, ThreadPoolExecutor(count) as hands:
        bar = progress.add_task("办件 cases", total=total)
        while True:
            rows = hands.map(lambda _: recomputing.go_on(database), range(count))
            done = [row for row in rows if row is not None]
            if row := next((row for row in done if row.ended_at is not None), None):
                break
            if not done:
                time.sleep(PATIENCE)
            with database.reading() as session:
                owed = recomputing.owed(session)
            if owed is None:  # another node has brought it to its end
                return
            progress.update(bar, completed=recomputing.done(owed))
    _tell(row.report)


def _tell(report: Mapping[str, Any]) -> None:
    table = Table("重算 recomputed", "数量 how many")
    for name in sorted(report.keys() - {"late"}, key=_place):
        table.add_row(name, str(report[name]))
    Console(width=120).print(table)
    for number in report["late"]:
        click.echo(f"因此逾期 late by it: {number}")


def _place(name: str) -> tuple[int, str]:
    """In which order it is told: sums first, then by how many days how many have moved."""
    days = re.search(r"[+-]\d+", name)
    return int(days[0]) if days else -sys.maxsize, name
