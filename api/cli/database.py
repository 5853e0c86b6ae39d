"""`onething migrate`: the schema of the database."""

from __future__ import annotations

import click

from api.cli import installation
from api.cli.recomputing import recompute
from engine import publications, settings


@click.command()
@click.option("--force", is_flag=True, help="Take away what only older versions use, whoever is connected.")
def migrate(*, force: bool) -> None:
    """Bring the schema of the database to the newest version, and publish the shipped calendars that it lacks.

    Older nodes may serve meanwhile; what only they use is taken away when none of them is connected any more.
    """
    loaded = settings.load()
    with installation.opened(loaded) as database:
        left = database.migrate(force=force)
        with database.transaction() as session:
            publications.publish_shipped(session, loaded.workflows / "calendars")
        recompute(database)
    click.echo(left or "The schema is the newest.")
