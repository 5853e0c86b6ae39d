"""Targets (备份的去处): whether a backup can be put where it is to be, found out before hours are spent on writing it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path

import structlog

from engine import beginnings, disks
from engine.database import Database
from engine.errors import InvalidState, Unavailable
from engine.files import FileStore
from engine.verification import stored_faults

log = structlog.get_logger()
_MB = 1_000_000


def find(target: Path, files: FileStore) -> Path:
    """Return where a target leads to; raises InvalidState when a backup cannot be put there, InvalidInput when it may not."""
    place, store = Path(os.path.realpath(target)), Path(os.path.realpath(files.folder))
    _require_apart(place, store)
    with disks.named(place, to="put a backup at"):
        if place.is_symlink():  # it leads nowhere: this says why
            place.stat()
        require_free(place)
        beginnings.require_alone(place, beginnings.BACKUP)
        if place.exists():
            _rehearse(place)
    return place


def require_free(target: Path) -> None:
    """Raise InvalidState when a folder is there that holds something."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidState(f"Expected {target} to be empty or not to be there, but it is there already; name another folder")


def require_room(draft: Path, db: Database, files: FileStore, previous: Path | None) -> None:
    """Raise Unavailable when a disk has no room for what is certain to be written there: files that cannot be shared, and SQLite's own.

    How large a dump of PostgreSQL becomes, nobody knows before.
    """
    apart = previous is None or previous.stat().st_dev != draft.stat().st_dev
    if apart and previous is not None:
        log.warning("nothing is shared with the earlier backup, which lies on another disk", path=str(previous))
    needed = sum(size for _, size in stored_faults.contents(db)) if apart and files.folder.exists() else 0
    if db.bind.dialect.name == "sqlite":
        needed += Path(db.bind.url.database or "").stat().st_size
    free = shutil.disk_usage(draft).free
    if needed > free:
        needs, has = (f"{size / _MB:,.0f} MB" for size in (needed, free))
        raise Unavailable(f"Expected room for {needs} on the disk of {draft.parent}, but {has} are free; make room, or name another disk")


def _require_apart(place: Path, store: Path) -> None:
    """Raise InvalidState when a backup would lie among the uploads, or they within it: an empty folder of uploads would count as free."""
    if place == store or place in store.parents or store in place.parents:
        raise InvalidState(f"Expected {place} to lie apart from the uploads, but those are in {store}; name another folder")


def _rehearse(place: Path) -> None:
    """Rename an empty folder and rename it back: a backup that is whole must be able to take its place."""
    aside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    try:
        place.rename(aside)
    except OSError as error:
        if error.errno not in {errno.EBUSY, errno.EXDEV}:
            raise
        raise InvalidState(
            f"Expected {place} to be a folder that a whole backup can take the place of, but a disk is mounted there; name a folder in it"
        ) from error
    aside.rename(place)
