"""`onething publish-calendar`: a year of the working calendar."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from api.cli.database import opened
from api.cli.diagrams import OPERATOR
from api.cli.doctor import refuse_unfit
from api.cli.recomputing import recompute
from engine import publications, settings
from engine.errors import InvalidInput


@click.command("publish-calendar")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_calendar(file: Path) -> None:
    """Publish the year in FILE (as in workflows/calendars), or correct it; count every clock that runs anew, and say what has moved.

    It may be interrupted: giving it again goes on, and so does the scheduler.
    """
    loaded = settings.load()
    refuse_unfit(loaded)
    try:
        document = orjson.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{file.name}: Expected a JSON document, but {error}") from error
    with opened(loaded) as database:
        with database.transaction() as session:
            published = next((row for row in publications.years(session) if row.content == document), None)
            if published is None:
                publications.publish_year(session, document, actor=OPERATOR)
        recompute(database)
    click.echo(f"{file.name}: published.")
