"""`onething publish-calendar`: a year of the working calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from api.cli import installation
from api.cli.recomputing import recompute
from engine import publications, settings
from engine.actors import OPERATOR
from engine.errors import InvalidInput


@click.command("publish-calendar")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_calendar(file: Path) -> None:
    """Publish the year in FILE (as in workflows/calendars), or correct it; count every clock that runs anew, and say what has moved.

    It may be interrupted: giving it again goes on, and so does the scheduler.
    """
    with installation.sound(settings.load()) as database:
        document = _read(file)
        with database.transaction() as session:
            published = next((row for row in publications.years(session) if row.content == document), None)
            if published is None:
                publications.publish_year(session, document, actor=OPERATOR)
        recompute(database)
    click.echo(f"{file.name}: published.")


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{file.name}: Expected a JSON document, but {error}") from error
