"""`onething migrate`: the schema of the database."""

from __future__ import annotations

import click

from engine import settings
from engine.database import Database


@click.command()
def migrate() -> None:
    """Bring the schema of the database to the newest version."""
    database = open_database(settings.load())
    try:
        database.migrate()
    finally:
        database.close()
    click.echo("The schema is the newest.")


def open_database(loaded: settings.Settings) -> Database:
    """Open the database of the settings; the embedded one lives in the data folder, which is made when it is missing."""
    loaded.data_dir.mkdir(parents=True, exist_ok=True)
    return Database(loaded.database_url)
