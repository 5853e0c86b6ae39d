"""A latch (门闩): something that happens once, seen by all processes."""

from __future__ import annotations

import multiprocessing


class Latch:
    """What one process sets, others see or wait for.

    With `multiprocessing.Event`, who sets it waits until each process that waits has woken up, and one that was killed never does.
    """

    def __init__(self) -> None:
        # Something to read that nobody reads.
        self._seen, self._told = multiprocessing.Pipe(duplex=False)

    def set(self) -> None:
        """Let it have happened."""
        self._told.send_bytes(b"set")

    def is_set(self) -> bool:
        """Whether it has."""
        return self._seen.poll()

    def wait(self) -> None:
        """Wait until it has."""
        self._seen.poll(None)
