"""Neighbours (邻居): the processes of one server, and the words that they drop each other.

Words are hints, never the truth.  Nobody waits until they are heard: who is stopped, has too much to do or is just being replaced misses
some, and must find out by itself.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

#: Bytes of the longest words; longer ones are not sent.
LONGEST = 2048


class Neighbours:
    """What one process hears, and whom it tells."""

    def __init__(self, ear: socket.socket, others: Sequence[socket.socket]) -> None:
        self._ear = ear
        self._others = others

    def tell(self, words: bytes) -> None:
        """Drop words for all others; who cannot take them now does without."""
        if len(words) <= LONGEST:
            for other in self._others:
                with suppress(OSError):
                    other.send(words, socket.MSG_DONTWAIT)

    def wait(self) -> None:
        """Wait until somebody has said something."""
        self._ear.recv(1, socket.MSG_PEEK)

    def heard(self) -> Iterator[bytes]:
        """Yield what they have said by now."""
        with suppress(BlockingIOError):
            while True:
                yield self._ear.recv(LONGEST, socket.MSG_DONTWAIT)


@contextmanager
def make_places(count: int) -> Iterator[list[Neighbours]]:
    """Make so many places; who begins the processes does so before, and gives each its own.

    Whoever takes the place of a process that has ended hears what was said since, for the places stay open where they were made.  They have
    no name: nobody else can drop anything there, and nothing is left behind.
    """
    with ExitStack() as stack:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]
        ears, doors = ([stack.enter_context(end) for end in ends] for ends in zip(*pairs, strict=True))
        yield [Neighbours(ear, doors[:place] + doors[place + 1 :]) for place, ear in enumerate(ears)]
