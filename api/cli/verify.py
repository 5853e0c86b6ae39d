"""`onething verify`: whether everything that is kept is whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli import installation
from engine import settings, verification
from engine.errors import Unavailable
from engine.files import FileStore
from engine.verification import Part
from engine.verification.faults import ADVICE, Fault

FORMATS = ("text", "json")
#: What people call the parts.
NAMES = {Part.DATABASE: "数据库 database", Part.INSTANCES: "流程 instances", Part.ARCHIVE: "归档 archive", Part.MATERIALS: "材料 materials"}


@click.command()
@click.option("--after", type=click.UUID, metavar="INSTANCE", help="Go on after this instance, to which an earlier look had come.")
@click.option("--patience", type=click.FloatRange(min=0), default=10, show_default=True, help="Minutes that what is due may be late.")
@click.option("--format", "written", type=click.Choice(FORMATS), default="text", show_default=True, help="How faults are written.")
def verify(after: UUID | None, patience: float, written: str) -> None:
    """Look at journals, token states, rows and uploaded files, and say what to do about each that is not whole.

    It changes nothing, and others may work meanwhile.  Exit status 1 when something is not whole.
    """
    loaded = settings.load()
    files = FileStore(loaded.materials)
    found: list[Fault] = []
    try:
        with installation.sound(loaded) as database, _watching(verification.amounts(database)) as watch:
            found.extend(verification.verify(database, files=files, patience=timedelta(minutes=patience), after=after, watch=watch))
    except (KeyboardInterrupt, Unavailable):
        if found:  # whoever goes on from here looks at none of these again
            write(found, written)
        raise
    write(found, written)
    if found:
        raise click.exceptions.Exit(1)


def write(faults: Iterable[Fault], written: str) -> None:
    """Write faults, each kind with what to do about it."""
    found = sorted(faults, key=lambda fault: fault.kind)
    if written == "json":
        told = [{"kind": fault.kind, "about": fault.about, "message": fault.message, "advice": fault.advice} for fault in found]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for kind, alike in groupby(found, key=lambda fault: fault.kind):
        click.echo(f"{kind}: {ADVICE[kind]}")
        for fault in alike:
            click.echo(f"  {fault.about}: {fault.message}")
    click.echo(f"共 {len(found)} 处差错 ({len(found)} faults)" if found else "完好 (whole)")


@contextmanager
def _watching(amounts: dict[Part, int]) -> Iterator[Callable[[Part, int, object], None]]:
    """Show how far it has come; where it is interrupted, it says where to go on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last: object = None
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = {part: progress.add_task(NAMES[part], total=amount) for part, amount in amounts.items()}

        def watch(part: Part, more: int, at: object) -> None:
            nonlocal last
            progress.advance(bars[part], more)
            last = at if part is Part.INSTANCES else last

        try:
            yield watch
        except (KeyboardInterrupt, Unavailable):
            if last is not None:
                click.echo(f"Go on with: onething verify --after {last}", err=True)
            raise
