"""`onething lint`: what a deployment would say, and more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from api.cli.findings import FORMATS
from api.simulation import scenario
from engine import checks, folders
from engine.checks import Located
from engine.errors import InvalidInput
from engine.folders import Folder


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "written", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How findings are written.")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
def lint(paths: tuple[Path, ...], written: str, *, strict: bool) -> None:
    """Check PATHS as a deployment does, and more: warnings, too.

    Exit status 1 when something would be refused; 0 otherwise.
    """
    found = folders.read(paths)
    located = [*checks.check(found), *(located for folder in found for located in _scenarios(folder))]
    click.echo(FORMATS[written](located, sum(len(folder.resources) for folder in found)))
    severities = {each.finding.severity for each in located}
    if "error" in severities or (strict and severities):
        raise click.exceptions.Exit(1)


def _scenarios(folder: Folder) -> Iterator[Located]:
    """Yield what is wrong with the scenarios of a matter; they are not deployed, but `onething simulate` plays them."""
    for file in sorted((folder.path / "scenarios").glob("*.yaml")):
        try:
            scenario.read(file)
        except InvalidInput as error:
            yield checks.located(file, "not-a-scenario", str(error), line=error.details["line"])
