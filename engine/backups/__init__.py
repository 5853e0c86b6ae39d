"""Backups (备份): the database and the uploaded files in one folder, taken while others work, with a manifest of what must be there.

A backup is a folder: `manifest.json`, `database.sqlite` or `database.dump`, `materials/ab/cd/SHA256`, and `materials.txt`, a line for each
file.  It is written beside its place and renamed when it is whole (`engine.beginnings`).  The database is copied first: a file is in the
store before the row that names it is committed, and is never taken away, so every file that the copy names is found afterwards.  This is
checked: if files are missing all the same, because a disk is not mounted for example, the manifest names them (`damaged`).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import orjson
import structlog

from engine import beginnings, disks, moments, schema
from engine.backups import dumps, targets
from engine.database import Database
from engine.errors import InvalidInput, InvalidState
from engine.files import DRAFT, FileStore
from engine.verification import stored_faults

log = structlog.get_logger()
FORMAT = 1
MANIFEST, LIST, MATERIALS = "manifest.json", "materials.txt", "materials"
_DUMP = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
_NAME = re.compile(r"[0-9a-f]{64}")
#: Called after every file, with its hash.
Watcher = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a backup."""

    format: int
    #: When the database was copied, or a moment before.
    made_at: str
    #: Version of onething that made it, and revision of the schema.
    version: str
    revision: str
    #: sqlite or postgresql, and the file that it is in.
    kind: str
    database: str
    database_sha256: str
    #: Uploaded files: how many, how many bytes, and the hash of their list.
    files: int
    bytes: int
    list_sha256: str
    #: Hashes of the files that the store did not have, or had damaged.  They stand here also when this backup has a whole copy, taken from
    #: an earlier backup.
    damaged: tuple[str, ...]


def take(db: Database, files: FileStore, target: Path, *, previous: Path | None = None, watch: Watcher = lambda _: None) -> Manifest:
    """Write a backup to a folder that is not there yet, or empty.

    `previous`: an earlier backup.  If it lies on the same disk, the files that it has are linked to, not copied.  Files that the store has
    lost, or has damaged, are taken from it, on whatever disk it lies.
    Raises InvalidState when the folder holds something, and Unavailable or InvalidInput when a disk is in the way.  Leaves nothing behind
    when it fails.
    """
    revision, place = _revision(db), targets.find(target, files)
    with beginnings.begun(place, beginnings.BACKUP) as draft, disks.named(place):
        targets.require_room(draft, db, files, previous)
        manifest = _write(db, files, draft, previous, watch, revision)
        beginnings.finish(draft, place)
    try:
        files.note_backup(datetime.fromisoformat(manifest.made_at))
    except OSError as error:  # it is whole all the same
        log.warning("the backup was not noted", path=str(files.noted), because=str(error))
    return manifest


def read(source: Path) -> Manifest:
    """Read the manifest of a backup; raises InvalidInput when it is none."""
    try:
        document = orjson.loads((source / MANIFEST).read_bytes())
        manifest = Manifest(**document | {"damaged": tuple(document["damaged"])})
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InvalidInput(f"Expected a backup in {source}, but {type(error).__name__}: {error}") from error
    if manifest.format > FORMAT:
        raise InvalidInput(f"Expected a backup of format {FORMAT}, but {source} has {manifest.format}; restore it with a newer version")
    return manifest


def names(source: Path) -> Iterator[str]:
    """Hashes of the files in a backup, in order."""
    with (source / LIST).open(encoding="ascii") as lines:
        yield from (line.split()[0] for line in lines)


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def place(folder: Path, sha256: str) -> Path:
    """Where a content lies below a folder of materials."""
    return folder / sha256[:2] / sha256[2:4] / sha256


def copy(source: Path, folder: Path, sha256: str) -> str:
    """Copy a file durably to its place below a folder of materials, or not at all; returns the hash of what was copied.

    A process that is killed leaves a draft.  It lies where the drafts of uploads lie, and is cleared up with them (`FileStore.clear_up`).
    """
    target = place(folder, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{DRAFT}{secrets.token_hex(8)}"
    try:
        draft.touch(mode=0o600)
        shutil.copyfile(source, draft)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
            found = hashlib.file_digest(written, "sha256").hexdigest()
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return found


def settle(folder: Path) -> None:
    """Write the names of all files in a folder of materials to the disk: until then a power cut could lose them."""
    for each in (*folder.glob("??/??"), *folder.glob("??"), folder):
        disks.sync(each)


def _revision(db: Database) -> str:
    with db.reading() as session:
        revision = schema.current(session.connection())
    if revision is None:
        raise InvalidState("Expected a database of onething, but this one has no schema; run onething migrate")
    return revision


def _write(db: Database, files: FileStore, draft: Path, previous: Path | None, watch: Watcher, revision: str) -> Manifest:
    kind, made_at = db.bind.dialect.name, moments.now()
    dumped = draft / _DUMP[kind]
    dumps.take(db, dumped)
    disks.sync(dumped)
    copied, damaged = _copy_files(db, files, draft, previous, watch)
    manifest = Manifest(
        format=FORMAT,
        made_at=made_at.isoformat(),
        version=version("onething"),
        revision=revision,
        kind=kind,
        database=dumped.name,
        database_sha256=hash_of(dumped),
        files=len(copied),
        bytes=sum(copied.values()),
        list_sha256=hash_of(draft / LIST),
        damaged=tuple(sorted(damaged)),
    )
    (draft / MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    settle(draft / MATERIALS)
    for written in (draft / LIST, draft / MANIFEST):
        disks.sync(written)
    return manifest


def _copy_files(db: Database, files: FileStore, draft: Path, previous: Path | None, watch: Watcher) -> tuple[dict[str, int], set[str]]:
    """Copy every file of the store; returns the size of each in bytes, by its hash, and the hashes of those that are damaged or missing."""
    copied: dict[str, int] = {}
    damaged: set[str] = set()
    materials = draft / MATERIALS

    def note(sha256: str) -> None:
        copied[sha256] = place(materials, sha256).stat().st_size
        watch(sha256)

    def keep(source: Path) -> None:
        if not _keep(source, materials, previous):
            damaged.add(source.name)
        note(source.name)

    materials.mkdir(mode=0o700)
    for source in files.folder.glob("??/??/*"):
        if _NAME.fullmatch(source.name):
            keep(source)
    for sha256 in stored_faults.named(db):
        if sha256 in copied:
            continue
        if (source := place(files.folder, sha256)).is_file():  # it has come meanwhile
            keep(source)
        else:
            damaged.add(sha256)
            if _recover(previous, materials, sha256):
                note(sha256)
    (draft / LIST).write_text("".join(f"{sha256} {size}\n" for sha256, size in sorted(copied.items())), encoding="ascii")
    return copied, damaged


def _keep(source: Path, materials: Path, previous: Path | None) -> bool:
    """Put a file of the store into a backup; tells whether the store has it as it was handed in.

    When the earlier backup has the file, that of the store is not read: only its length is compared.  `onething verify` reads it.
    """
    target = place(materials, source.name)
    if _link(previous, target):
        return source.stat().st_size == target.stat().st_size
    if copy(source, materials, source.name) == source.name:
        return True
    _recover(previous, materials, source.name)
    return False


def _recover(previous: Path | None, materials: Path, sha256: str) -> bool:
    """Take a file that the store has lost, or has damaged, from an earlier backup; tells whether this backup has it whole now.

    There may be no other copy, and earlier backups are deleted some day.
    """
    if previous is None or _link(previous, place(materials, sha256)):
        return previous is not None
    earlier = place(previous / MATERIALS, sha256)
    return is_whole(earlier, sha256) and copy(earlier, materials, sha256) == sha256


def _link(previous: Path | None, target: Path) -> bool:
    """Share a file with an earlier backup, unless it is damaged there: it would be handed on from backup to backup."""
    if previous is None:
        return False
    earlier = place(previous / MATERIALS, target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(earlier)
    except OSError:  # not there, or on another disk
        return False
    if is_whole(target, target.name):
        return True
    target.unlink()
    log.warning("a file of the earlier backup is damaged", path=str(earlier))
    return False


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there, and has the content that it should have."""
    try:
        return hash_of(path) == sha256
    except OSError:  # not there; and what cannot be read is no better
        return False
