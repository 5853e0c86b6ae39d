"""Restorations (恢复): a backup becomes an installation again, where there is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from engine import backups, disks, moments, schema
from engine.backups import Manifest, Watcher, dumps
from engine.errors import InvalidInput, InvalidState
from engine.files import DRAFT, FileStore


def restore(source: Path, url: str, files: FileStore, *, watch: Watcher = lambda _: None) -> Manifest:
    """Put a backup into an empty database and an empty store, and bring the schema to the newest version.

    Files come first and the database last, so what was interrupted is no installation yet, and is taken up by restoring again.
    Raises InvalidInput when the backup is not whole, InvalidState when something is there already, or no program here can put it there;
    nothing is overwritten.
    """
    manifest = backups.read(source)
    _require_whole(source, manifest, url)
    dumps.require_empty(url, but_for=manifest.database_sha256)
    _require_only(source, files)
    dumps.rehearse(source / manifest.database, url, manifest.database_sha256)
    with disks.named(files.folder):
        _restore_files(source, manifest, files, watch)
    dumps.load(source / manifest.database, url, manifest.database_sha256)
    return manifest


def since(manifest: Manifest) -> timedelta:
    """How long ago a backup was made: what has become due since then nobody could do."""
    return max(moments.now() - datetime.fromisoformat(manifest.made_at), timedelta(0))


def _restore_files(source: Path, manifest: Manifest, files: FileStore, watch: Watcher) -> None:
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for sha256 in backups.names(source):
        target = backups.place(files.folder, sha256)
        if not target.exists() or backups.hash_of(target) != sha256:
            found = backups.copy(backups.place(source / backups.MATERIALS, sha256), files.folder, sha256)
            if found != sha256 and sha256 not in manifest.damaged:
                target.unlink()
                raise InvalidInput(f"Expected material {sha256} of the backup to be what it was, but its hash is {found}")
        watch(sha256)
    backups.settle(files.folder)


def _require_whole(source: Path, manifest: Manifest, url: str) -> None:
    """Raise InvalidInput when the backup is not what its manifest says, or is not for here."""
    for name, expected in ((manifest.database, manifest.database_sha256), (backups.LIST, manifest.list_sha256)):
        path = source / name
        if not path.is_file() or backups.hash_of(path) != expected:
            raise InvalidInput(f"Expected {path} to be as it was written, but {'it differs' if path.exists() else 'it is gone'}")
    if missing := next((name for name in backups.names(source) if not backups.place(source / backups.MATERIALS, name).is_file()), None):
        raise InvalidInput(f"Expected material {missing} to be in the backup, but it is gone")
    if manifest.kind != dumps.kind_of(url):
        shown = make_url(url).render_as_string(hide_password=True)
        raise InvalidInput(f"Expected a backup of {dumps.kind_of(url)} for {shown}, but it is one of {manifest.kind}")
    if manifest.revision not in schema.revisions():
        raise InvalidInput(
            f"Expected a backup with a schema up to {schema.NEWEST}, but it has {manifest.revision}; restore it with a newer version"
        )


def _require_only(source: Path, files: FileStore) -> None:
    """Raise InvalidState when the store holds what is not of this backup; what an interrupted restoration has left is."""
    ours = set(backups.names(source))
    for path in files.folder.glob("??/??/*"):
        if path.name not in ours and not path.name.startswith(DRAFT):
            raise InvalidState(f"Expected {files.folder} to be empty, but it holds {path.name}, which is not of this backup")
