"""Disks (磁盘): what is to survive the machine; and what a fault of a file, a folder or the disk below them means for whoever asked.

Nothing that is asked of us has been done when there is a fault.  Some faults pass: another node may do it, or this one later, when somebody
has made room.  Others last until somebody names another path, or is given the right to this one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from engine.errors import InvalidInput, Unavailable

log = structlog.get_logger()
#: What passes: no room; nothing can be written, read or opened there just now.
PASSING = {
    errno.ENOSPC: "there is no room left on the disk",
    errno.EDQUOT: "this account has used up its room on the disk",
    errno.EROFS: "the disk is read-only",
    errno.EFBIG: "it would be larger than files may be there, or for this process (ulimit -f)",
    errno.EMFILE: "this process has as many files open as it may",
    errno.ENFILE: "this machine has as many files open as it may",
} | {
    fault: f"the disk does not answer ({os.strerror(fault)})"
    for fault in (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN)
}
#: What is not ours, here; another node may be another account.
_NOT_PERMITTED = dict.fromkeys((errno.EACCES, errno.EPERM), "this account is not permitted to")
#: What lasts.
_LASTING = _NOT_PERMITTED | {
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "there is a file where a folder should be",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "something else is there",
    errno.ENOTEMPTY: "something else is there",
    errno.ENAMETOOLONG: "a name in it is too long",
    errno.ELOOP: "its links lead in a circle",
}
#: What Python says where no folder takes temporary files; it says it as if there were no such file.
_NO_TEMPORARY = "No usable temporary directory"


def make(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those that it lies in, as far as they are missing, and have them survive the machine."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode, parents=True, exist_ok=True)
    for each in missing:
        sync(each.parent)


def sync(path: Path) -> None:
    """Have what was written there survive the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def told(place: Path | None = None) -> Iterator[None]:
    """Raise Unavailable when a disk of this node is in the way; only the log says where (`place`: where the fault does not say it).

    Any other fault is raised as it is.
    """
    try:
        yield
    except OSError as error:
        why = _passing(error) or _NOT_PERMITTED.get(error.errno or 0)
        if why is None:
            raise
        log.warning("a disk is in the way", because=str(error), place=str(_place(error) or place))
        raise Unavailable(f"Expected this node to read or write a file, but {why}; try again later") from error


@contextmanager
def named(place: Path | None = None, *, to: str = "read or write") -> Iterator[None]:
    """Raise what a fault means for whoever has given a command, and where it is: Unavailable when it passes, InvalidInput when it lasts.

    `place`: where it is when the fault does not say it; `to` completes “Expected to …”.  Any other fault is raised as it is, and so is one
    that lasts and has no place: it is none of a file.
    """
    try:
        yield
    except OSError as error:
        passes, lasts, where = _passing(error), _LASTING.get(error.errno or 0), _place(error)
        if passes is not None:
            raise Unavailable(f"Expected to {to} {where or place or 'a file'}, but {passes}; try again later") from error
        if lasts is None or where is None:
            raise
        raise InvalidInput(f"Expected to {to} {where}, but {lasts}") from error


def _passing(error: OSError) -> str | None:
    """What passes; None: nothing does."""
    if _NO_TEMPORARY in str(error):
        return "no folder takes temporary files (TMPDIR)"
    return PASSING.get(error.errno or 0)


def identity(place: str) -> tuple[int, int] | None:
    """Which file is at a place, whatever is in it; None: none."""
    try:
        found = os.stat(place)  # noqa: PTH116 - it is asked at each transaction
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _place(error: OSError) -> str | None:
    """Where a fault is, as far as it says it: of a copy, from where and to where."""
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes | os.PathLike)]
    return " → ".join(names) or None
