"""`onething new`: a folder to begin a matter with."""

from __future__ import annotations

from pathlib import Path

import click

from engine import new_matters, settings


@click.command()
@click.argument("matter")
@click.option("--name", default="新主题", show_default=True, help="What people call it.")
@click.option("--in", "around", type=click.Path(path_type=Path, file_okay=False), help="Where the folder is made (default: the workflows).")
def new(matter: str, name: str, around: Path | None) -> None:
    """Make a folder for MATTER (a key such as open_pharmacy) that can be deployed and played as it is."""
    folder = new_matters.create(around or settings.load().workflows, matter, name)
    click.echo(f"Made {folder}. Open {folder.name}.bpmn in Camunda Modeler, then: onething lint {folder}")
