"""`onething doctor`: whether this installation is fit to serve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli import Hindered
from engine import settings
from engine.diagnoses import Check, CheckStatus
from engine.doctor import examine
from engine.settings import Settings

log = structlog.get_logger()
#: What the pages need beside the templates.
ASSETS = (Path(__file__).parent.parent / "static" / "page.css",)
COLOURS = {CheckStatus.OK: "green", CheckStatus.WARNING: "yellow", CheckStatus.FAILED: "bold red"}


@click.command()
def doctor() -> None:
    """Look at everything that the installation stands on, and say what to do; exit status 1 when something must be mended."""
    checks = _examine(settings.load())
    console = Console()
    console.print(_table_of_checks(checks), _table_of_settings())
    if any(check.status is CheckStatus.FAILED for check in checks):
        raise click.exceptions.Exit(1)


def look_before_work(loaded: Settings) -> None:
    """Raise ClickException when the doctor finds what no node must work with; what somebody should see to goes into its log."""
    for check in refuse_unfit(loaded):
        log.warning(check.what, found=check.found, advice=check.advice)


def refuse_unfit(loaded: Settings) -> list[Check]:
    """Raise ClickException when the doctor finds what nobody must work with, Hindered when all of that may be over in a moment.

    Gives what somebody should see to.
    """
    checks = _examine(loaded)
    if failed := [check for check in checks if check.status is CheckStatus.FAILED]:
        words = "\n".join(f"  {check.what}: {check.found}. {check.advice}" for check in failed)
        kind = Hindered if all(check.passing for check in failed) else click.ClickException
        raise kind(f"Expected a sound installation, but\n{words}")
    return [check for check in checks if check.status is CheckStatus.WARNING]


def _examine(loaded: Settings) -> list[Check]:
    return examine(loaded, now=datetime.now(UTC), assets=ASSETS)


def _table_of_checks(checks: Sequence[Check]) -> Table:
    table = Table(title="Checks", title_justify="left", expand=True)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(Text(check.status, COLOURS[check.status]), check.what, Text(check.found), Text(check.advice))
    return table


def _table_of_settings() -> Table:
    table = Table(title="Settings", title_justify="left", expand=True)
    for heading in ("environment variable", "default", "what it is about"):
        table.add_column(heading, overflow="fold")
    for variable in settings.describe():
        table.add_row(variable.name, variable.default, variable.about)
    return table
