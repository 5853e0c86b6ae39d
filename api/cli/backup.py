"""`onething backup`: the database and the uploaded files, taken while others work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from api.cli import installation
from engine import backups, settings
from engine.files import FileStore

#: So many files that are not in order are told by their names.
TOLD = 20


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--previous",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="An earlier backup, whose files are shared.",
)
def backup(target: Path, previous: Path | None) -> None:
    """Write the database and the uploaded files to the folder TARGET, which must not be there yet, while others work.

    On PostgreSQL with pg_dump, which must be as new as the server.  The key that signs sessions is not in it.
    Exit status 1 when a file was not what was handed in, or not there; the rest is copied all the same, and what the earlier backup has of
    what is not there.
    """
    loaded = settings.load()
    files = FileStore(loaded.materials)
    with installation.opened(loaded) as database, watching() as watch:
        manifest = backups.take(database, files, target, previous=previous, watch=watch)
    click.echo(f"{target}: schema {manifest.revision}, {manifest.database}, {manifest.files} files with {manifest.bytes} bytes")
    for sha256 in manifest.damaged[:TOLD]:
        click.echo(_told(files, target, sha256), err=True)
    if len(manifest.damaged) > TOLD:
        click.echo(f"… and {len(manifest.damaged) - TOLD} more; is {files.folder} the folder of this installation, and mounted?", err=True)
    if manifest.damaged:
        raise click.exceptions.Exit(1)


def _told(files: FileStore, target: Path, sha256: str) -> str:
    here, kept = backups.place(files.folder, sha256), backups.place(target / backups.MATERIALS, sha256)
    if backups.is_whole(kept, sha256):
        lacks, mend = ("is another", "Copy") if here.is_file() else ("is not there", "Is the folder mounted? Else copy")
        told = f"Expected material {sha256} in {files.folder}, but it {lacks}; this backup has it from the earlier one"
        return f"{told}. {mend} {kept} to {here}"
    return f"Expected material {sha256} to be what was handed in, but it differs, or is not there; run onething verify"


@contextmanager
def watching() -> Iterator[Callable[[object], None]]:
    """Show how many uploaded files are copied, one at each call."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("材料 materials", total=None)
        yield lambda _: progress.advance(bar)
