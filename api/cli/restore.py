"""`onething restore`: a backup becomes an installation again."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from api.cli import endings, installation, verify
from engine import restorations, settings, verification
from engine.files import FileStore


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(source: Path) -> None:
    """Put the backup SOURCE into the database and the data folder of the settings, which must hold nothing yet, and verify it.

    The schema is brought to the newest version.  Nobody must serve meanwhile; what was interrupted is gone on with by giving it again.
    Exit status 1 when something is not whole.
    """
    loaded = settings.load()
    installation.make_data_folder(loaded)
    files = FileStore(loaded.materials)
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f}"))
    with endings.tidy(), Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("材料 materials", total=None)
        manifest = restorations.restore(source, loaded.database_url, files, watch=lambda _: progress.advance(bar))
    click.echo(f"Restored what was there at {manifest.made_at}, with {manifest.files} files.")
    with installation.opened(loaded) as database:
        patience = verification.PATIENCE + restorations.since(manifest)
        found = list(verification.verify(database, files=files, patience=patience))
    verify.write(found, "text")
    if found:
        raise click.exceptions.Exit(1)
