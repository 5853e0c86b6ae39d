"""Beginnings (未完成的副本): folders in which a backup, or a database that is restored, is written beside its place until it is whole.

Whoever writes one holds a lock on a file in it for as long as he lives.  What nobody holds was begun by a command that was killed: it is
worth nothing, fills the disk, and goes as soon as the next one begins in the same place.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import structlog

from engine import disks
from engine.errors import InvalidState

log = structlog.get_logger()
#: What is begun: a backup, and a database of SQLite.
BACKUP, DATABASE = "partial", "restoring"
#: The file that is held; it is gone when all is whole.
LOCK = "being-written"
_NAME = re.compile(r".+\.(?:partial|restoring)-\w{8}")


@contextmanager
def begun(place: Path, kind: str) -> Iterator[Path]:
    """Give a new folder beside a place, in which nobody else may look, until the block ends; what is there then is taken away.

    What killed commands have left there is taken away before, and told.
    """
    clear_up(place.parent, kind)
    with disks.named(place, to="make"):
        folder, lock = _begin(place, kind)
    try:
        with lock:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, place: Path) -> None:
    """Put what is whole in its place, where nothing is, or an empty folder."""
    (folder / LOCK).unlink()
    disks.sync(folder)
    folder.rename(place)
    disks.sync(place.parent)


def require_alone(place: Path, kind: str) -> None:
    """Raise InvalidState when somebody is about to fill the same place."""
    for folder in _those(place.parent, kind):
        if folder.name.startswith(f"{place.name}.{kind}-") and _is_held(folder):
            raise InvalidState(f"Expected nobody else to write {place}, but somebody does, in {folder}; let it end, or name another folder")


def left(place: Path, kind: str) -> list[Path]:
    """What lies in a folder and nobody holds; what an older version has begun, which held nothing, may be written still."""
    return [folder for folder in _those(place, kind) if not _is_held(folder)]


def clear_up(place: Path, kind: str) -> None:
    """Take away what lies in a folder and nobody writes any more, and tell so; what nobody ever held is told only."""
    for folder in left(place, kind):
        with suppress(OSError):  # it is gone; it has no lock, another's, or lies where there are none: that is for a person to judge
            _remove(folder)
        if folder.exists():
            log.warning("a killed command may have left something", path=str(folder))
        else:
            log.warning("what a killed command has left is removed", path=str(folder))


def _begin(place: Path, kind: str) -> tuple[Path, IO[bytes]]:
    while True:
        folder = place.with_name(f"{place.name}.{kind}-{secrets.token_hex(4)}")
        folder.mkdir(mode=0o700, parents=True)
        with suppress(FileNotFoundError):  # in between somebody has cleared it up
            lock = (folder / LOCK).open("xb")
            with suppress(OSError):  # where there are no locks nobody clears up
                if not _hold(lock) or not (folder / LOCK).exists():
                    lock.close()
                    continue
            return folder, lock


def _those(place: Path, kind: str) -> list[Path]:
    found = sorted(place.glob(f"*.{kind}-*"))
    return [folder for folder in found if _NAME.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()]


def _is_held(folder: Path) -> bool:
    """Whether somebody writes there, as far as one can tell."""
    with suppress(OSError), (folder / LOCK).open("r+b") as lock:
        return not _hold(lock)
    return False


def _hold(lock: IO[bytes]) -> bool:
    """Take a lock for as long as the file is open, unless somebody has it; tells whether it is ours; OSError: there are none."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    with (folder / LOCK).open("r+b") as lock:
        if not _hold(lock):
            return
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        folder.rmdir()  # a disk of the network keeps the name of what is open until it is closed
