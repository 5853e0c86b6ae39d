"""How a command ends that is told to stop before it is done."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tidy() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does: what was begun is taken back, and programs that it has started end with it.

    Who is the first process of its container would not heed it at all, unless he has said how.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
