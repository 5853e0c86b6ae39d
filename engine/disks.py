"""Disks (磁盘): what a fault of one means for whoever asked, told in one place.

Nothing that is asked of us has been done then: another node may do it, or this one later, when somebody has made room.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from engine.errors import Unavailable

log = structlog.get_logger()
#: No room; nothing can be written, or read, there: it is broken, has gone, or is not ours.
_IN_THE_WAY = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE}
)


@contextmanager
def told() -> Iterator[None]:
    """Raise Unavailable when a disk is in the way; the log says which.  Any other fault is raised as it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        log.warning("a disk is in the way", because=str(error))
        raise Unavailable(f"Expected the disk to take what is written, but it says: {error.strerror}; try again later") from error
