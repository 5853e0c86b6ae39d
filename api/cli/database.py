"""`onething migrate`: the schema of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from api.cli.recomputing import recompute
from engine import disks, dumps, moments, publications, settings
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
    """Open the database of the settings, and go by its time, until the block ends; makes the data folder."""
    make_data_folder(loaded)
    dumps.require_folder(loaded.database_url)
    database = Database(loaded.database_url, live=loaded.live_instances, batch=loaded.batch)
    leave = moments.follow(database.bind)
    try:
        yield database
    finally:
        leave()
        database.close()


def make_data_folder(loaded: settings.Settings) -> None:
    """Make the data folder unless it is there; it holds what people handed in, so nobody else may look into it."""
    with disks.named(to=f"make the data folder ({settings.PREFIX}DATA_DIR)"):
        loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
