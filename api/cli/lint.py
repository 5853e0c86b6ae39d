"""`onething lint`: what a deployment would say, and more."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.findings import FORMATS
from engine import checks, folders


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "written", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How findings are written.")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
def lint(paths: tuple[Path, ...], written: str, *, strict: bool) -> None:
    """Check PATHS as a deployment does, and more: warnings, too.

    Exit status 1 when something would be refused; 0 otherwise.
    """
    found = folders.read(paths)
    located = list(checks.check(found))
    click.echo(FORMATS[written](located, sum(len(folder.resources) for folder in found)))
    severities = {each.finding.severity for each in located}
    if "error" in severities or (strict and severities):
        raise click.exceptions.Exit(1)
