"""Restorations (恢复): a backup becomes an installation again, where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from engine import backups, connections, disks, moments, numbers, schema
from engine.backups import Manifest, Watcher, dumps
from engine.errors import InvalidInput, InvalidState
from engine.files import DRAFT, FileStore
from engine.settings import Settings


def restore(
    source: Path,
    url: str,
    files: FileStore,
    *,
    region: str = Settings.region,
    others: Sequence[Path] = (),
    watch: Watcher = lambda _: None,
) -> Manifest:
    """Put a backup into an empty database and an empty store, and bring the schema to the newest version.

    `others`: backups from which files are taken that this one has not, or has damaged.
    `region`: where cases begin.  Cases that began after the backup was made are not in it, but their numbers are on paper: these numbers
    are not given again.

    Files come first and the database last: what was interrupted is no installation yet, and restoring again goes on with it.
    Nothing is overwritten.  Raises InvalidInput when the backup is not whole, and InvalidState when something is there already, or when no
    program on this machine can restore it.
    """
    manifest = backups.read(source)
    for other in others:
        backups.read(other)
    _require_whole([source, *others], manifest, url)
    dumps.require_empty(url, but_for=manifest.database_sha256)
    _require_only(source, manifest, files)
    dumps.rehearse(source / manifest.database, url, manifest.database_sha256)
    with disks.named(files.folder):
        _restore_files([source, *others], manifest, files, watch)
    dumps.load(source / manifest.database, url, manifest.database_sha256, then=partial(numbers.pass_over, region=region))
    return manifest


def since(manifest: Manifest) -> timedelta:
    """How long ago a backup was made.  What has become due since then was not done, for this installation was not there."""
    return max(moments.now() - datetime.fromisoformat(manifest.made_at), timedelta(0))


def _restore_files(sources: Sequence[Path], manifest: Manifest, files: FileStore, watch: Watcher) -> None:
    disks.make(files.folder, mode=0o700)
    damaged = set(manifest.damaged)
    for sha256 in backups.names(sources[0]):
        if not _restore_file(sources, files, sha256) and sha256 not in damaged:
            backups.place(files.folder, sha256).unlink()
            raise InvalidInput(f"Expected material {sha256} of the backup to be what it was, but it is another")
        damaged.discard(sha256)
        watch(sha256)
    for sha256 in damaged:  # it was nowhere when the backup was made
        _restore_file(sources, files, sha256)
    backups.settle(files.folder)


def _restore_file(sources: Sequence[Path], files: FileStore, sha256: str) -> bool:
    """Copy a file from the first backup in which it is whole, unless it is there already; tells whether it is there, and whole.

    Where no backup has it whole, the damaged copy of the last one is there afterwards.
    """
    if backups.is_whole(backups.place(files.folder, sha256), sha256):
        return True
    kept = (backups.place(source / backups.MATERIALS, sha256) for source in sources)
    return any(backups.copy(each, files.folder, sha256) == sha256 for each in kept if each.is_file())


def _require_whole(sources: Sequence[Path], manifest: Manifest, url: str) -> None:
    """Raise InvalidInput when the backup is not what its manifest says, or is not for here; its files may be in others."""
    source = sources[0]
    for name, expected in ((manifest.database, manifest.database_sha256), (backups.LIST, manifest.list_sha256)):
        path = source / name
        if not path.is_file() or backups.hash_of(path) != expected:
            raise InvalidInput(f"Expected {path} to be as it was written, but {'it differs' if path.exists() else 'it is gone'}")
    kept = [each / backups.MATERIALS for each in sources]
    if missing := next((name for name in backups.names(source) if not any(backups.place(each, name).is_file() for each in kept)), None):
        raise InvalidInput(f"Expected material {missing} to be in the backup, but it is gone")
    if manifest.kind != dumps.kind_of(url):
        raise InvalidInput(f"Expected a backup of {dumps.kind_of(url)} for {connections.shown(url)}, but it is one of {manifest.kind}")
    if manifest.revision not in schema.revisions():
        raise InvalidInput(
            f"Expected a backup with a schema up to {schema.NEWEST}, but it has {manifest.revision}; restore it with a newer version"
        )


def _require_only(source: Path, manifest: Manifest, files: FileStore) -> None:
    """Raise InvalidState when the store holds a file that is not of this backup.

    Those that an interrupted restoration has left are of it.  So are those that the backup lacks: somebody may have found one, and put it
    where it belongs.
    """
    ours = {*backups.names(source), *manifest.damaged}
    for path in files.folder.glob("??/??/*"):
        if path.name not in ours and not path.name.startswith(DRAFT):
            raise InvalidState(f"Expected {files.folder} to be empty, but it holds {path.name}, which is not of this backup")
