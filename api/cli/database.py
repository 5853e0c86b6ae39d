"""`onething migrate`: the schema of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from api.cli.recomputing import recompute
from engine import moments, publications, settings
from engine.database import Database


@click.command()
@click.option("--force", is_flag=True, help="Take away what only older versions use, whoever is connected.")
def migrate(*, force: bool) -> None:
    """Bring the schema of the database to the newest version, and publish the shipped calendars that it lacks.

    Older nodes may serve meanwhile; what only they use is taken away when none of them is connected any more.
    """
    loaded = settings.load()
    with opened(loaded) as database:
        left = database.migrate(force=force)
        with database.transaction() as session:
            publications.publish_shipped(session, loaded.workflows / "calendars")
        recompute(database)
    click.echo(left or "The schema is the newest.")


@contextmanager
def opened(loaded: settings.Settings) -> Iterator[Database]:
    """Open the database of the settings, and go by its time, until the block ends; makes the folder of an embedded one."""
    loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what people handed in
    database = Database(loaded.database_url, live=loaded.live_instances, batch=loaded.batch)
    leave = moments.follow(database.bind)
    try:
        yield database
    finally:
        leave()
        database.close()
