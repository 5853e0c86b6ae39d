"""`onething impact`: before and after (四减)."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from engine import folders, impacts, settings

#: Measures as people call them.
NAMES = {"steps": "环节 steps", "materials": "材料 materials", "days": "时限 working days", "visits": "跑动 visits"}


@click.command()
@click.argument("matter")
@click.option("--answer", "answers", multiple=True, metavar="QUESTION=ANSWER", help="An answer of the situation; several with commas.")
def impact(matter: str, answers: tuple[str, ...]) -> None:
    """Compare MATTER (a key, or a folder) with its items done one by one.

    Without answers, for the situation that calls for the most items.
    """
    paths = [settings.load().workflows, *([Path(matter)] if Path(matter).is_dir() else [])]
    found = impacts.of(folders.read(paths), matter, dict(map(_pair, answers)))
    click.echo(found)
    table = Table("", "逐项 one by one", "一件事 bundle", "减 saved")
    for measure in found.measures:
        table.add_row(NAMES[measure.name], str(measure.before), str(measure.after), _saved(measure.before, measure.after))
    Console(width=100).print(table)
    if found.matter.promised is not None:
        click.echo(f"The bundle is published with {found.matter.promised} working days; the table counts its critical path.")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"Expected QUESTION=ANSWER, but got {text!r}", param_hint="--answer")
    return name, value


def _saved(before: int, after: int) -> str:
    return f"{before - after} ({(before - after) / before:.0%})" if before else "–"
