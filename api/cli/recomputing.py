"""How far it is with counting clocks anew, and what came of it; for the commands that cause it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from engine import recomputing
from engine.database import Database

#: Seconds before one looks again at what another node, or somebody at work, holds.
PATIENCE = 0.2


def recompute(database: Database) -> None:
    """Count what is owed, with a bar; says what has moved.  Ctrl-C leaves the rest to the scheduler, or to the next command."""
    with database.reading() as session:
        if recomputing.owed(session) is None:
            return
        ahead = recomputing.ahead(session)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("时限 clocks", total=ahead)
        while True:
            row = recomputing.go_on(database)
            if row is not None and row.ended_at is not None:
                break
            if row is None or row.busy:
                time.sleep(PATIENCE)
            with database.reading() as session:
                if recomputing.owed(session) is None:  # another node has brought it to its end
                    return
                progress.update(bar, completed=ahead - recomputing.ahead(session))
    _tell(row.report)


def _tell(report: Mapping[str, Any]) -> None:
    table = Table("重算 recomputed", "数量 how many")
    for name, value in sorted(report.items()):
        if name != "late":
            table.add_row(name, str(value))
    Console(width=120).print(table)
    for number in report["late"]:
        click.echo(f"因此逾期 late by it: {number}")
