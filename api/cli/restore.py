"""`onething restore`: a backup becomes an installation again."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli import backup, installation, verify
from engine import settings, verification
from engine.backups import restorations
from engine.files import FileStore


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--previous",
    "others",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Another backup, from which files are taken that are damaged or missing in SOURCE; may be given several times.",
)
def restore(source: Path, others: tuple[Path, ...]) -> None:
    """Put the backup SOURCE into the database and the data folder of the settings, which must hold nothing yet, and verify it.

    The schema is brought to the newest version.  Nobody must serve meanwhile; what was interrupted is gone on with by giving it again.
    Exit status 1 when something is not whole.
    """
    loaded = settings.load()
    installation.make_data_folder(loaded)
    files = FileStore(loaded.materials)
    with installation.followed(loaded) as database:
        with backup.watching() as watch:
            manifest = restorations.restore(source, loaded.database_url, files, region=loaded.region, others=others, watch=watch)
        click.echo(f"Restored what was there at {manifest.made_at}, with {manifest.files} files.")
        patience = verification.PATIENCE + restorations.since(manifest)
        found = list(verification.verify(database, files=files, patience=patience))
    verify.write(found, "text")
    if found:
        raise click.exceptions.Exit(1)
