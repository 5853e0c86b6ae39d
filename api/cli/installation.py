"""The installation that a command works on: its data folder and its database, as the settings name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.doctor import refuse_unfit
from engine import (
    deeds,  # noqa: F401 - runs what a command owes, right after its commit (`jobs.RUNNERS`)
    disks,
    moments,
    settings,
)
from engine.backups import dumps
from engine.database import Database
from engine.settings import Settings


@contextmanager
def sound(loaded: Settings) -> Iterator[Database]:
    """Open the database of an installation that is fit to serve; raises ClickException when it is not (`refuse_unfit`)."""
    refuse_unfit(loaded)
    with opened(loaded) as database:
        yield database


@contextmanager
def opened(loaded: Settings) -> Iterator[Database]:
    """Open the database of the settings, and go by its time, until the block ends; makes the data folder."""
    make_data_folder(loaded)
    dumps.require_folder(loaded.database_url)
    with followed(loaded) as database:
        yield database


@contextmanager
def followed(loaded: Settings) -> Iterator[Database]:
    """Go by the time of the database of the settings, in which there may be nothing yet, until the block ends."""
    database = Database(loaded.database_url, live=loaded.live_instances, batch=loaded.batch, region=loaded.region)
    leave = moments.follow(database.bind)
    try:
        yield database
    finally:
        leave()
        database.close()


def make_data_folder(loaded: Settings) -> None:
    """Make the data folder unless it is there; it holds what people handed in, so nobody else may look into it."""
    with disks.named(to=f"make the data folder ({settings.PREFIX}DATA_DIR)"):
        disks.make(loaded.data_dir, mode=0o700)
