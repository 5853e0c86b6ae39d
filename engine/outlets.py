"""Outlets (出口): where a line of the log goes, or whatever else a node says, for which nobody waits.

Whoever reads it may have stopped, and left it open: a pipe takes 64 KB then, and a write waits until somebody reads on, for ever perhaps.
"""

from __future__ import annotations

import os
import select
import stat
import threading
from contextlib import suppress
from typing import TextIO

#: For how long a line waits for whoever reads it, seconds; when that was in vain, those behind it do not wait until one is taken again.
PATIENCE = 0.2
#: So many bytes a pipe that takes anything takes at once.
_PIECE = select.PIPE_BUF
#: By the number of an open file, and what it leads to.
_opened: dict[tuple[int, int, int], Outlet] = {}
os.register_at_fork(after_in_child=_opened.clear)  # a lock may be held there by nobody


class Outlet:
    """An open file that lines are written to, as far as it takes them."""

    def __init__(self, number: int, kind: int) -> None:
        self._number = _opened_anew(number) if stat.S_ISFIFO(kind) else number
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(self._number, select.POLLOUT)
        #: How many lines were lost since one was taken, and whether a part of the last one was.
        self._lost, self._torn = 0, False

    def write(self, line: bytes) -> int:
        """Write a line; how many were lost before it.  One that is not taken is lost; raises OSError when none can be written."""
        with self._lock:
            rest = memoryview(b"\n" + line if self._torn else line)
            try:
                while rest:
                    if not self._poll.poll(0 if self._lost else PATIENCE * 1000):
                        self._lost += 1
                        return 0
                    rest = rest[os.write(self._number, rest[:_PIECE]) :]
                    self._torn = len(rest) > 0
            except BlockingIOError:  # another process was faster
                self._lost += 1
                return 0
            lost, self._lost = self._lost, 0
            return lost


def write(file: TextIO, line: str) -> int:
    """Write a line to a stream, as far as it takes it; how many were lost before it.

    Raises OSError or ValueError when none can be written.
    """
    try:
        number = file.fileno()
    except OSError:  # it is only in memory
        print(line, file=file, flush=True)
        return 0
    return of(number).write(f"{line}\n".encode(file.encoding, file.errors or "strict"))


def of(number: int) -> Outlet:
    """Give the outlet of an open file, by its number."""
    about = os.fstat(number)
    key = number, about.st_dev, about.st_ino
    if key not in _opened:
        _opened[key] = Outlet(number, about.st_mode)
    return _opened[key]


def _opened_anew(pipe: int) -> int:
    """Open a pipe once more, if that can be, as one that nobody waits for: others who have it open go on as they like."""
    with suppress(OSError):  # it was made by another account, or the system does not offer it
        return os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return pipe
