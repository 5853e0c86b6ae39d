"""Arrivals: who waits, in this process, for external tasks of some topics; and who tells them that there may be some.

Waking is a hint, never the truth: who is woken looks at the table.  So nothing is lost when another process made the task.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager


class Waiter:
    """One request that waits."""

    def __init__(self, key: Hashable, topics: Collection[str]) -> None:
        self.key = key
        self.topics = frozenset(topics)
        #: Another request of the same worker has taken its place: whoever sent this one may be gone, and must not be given a task.
        self.superseded = False
        self._woken = threading.Event()

    def wake(self) -> None:
        """Let it look."""
        self._woken.set()

    def sleep(self, seconds: float) -> None:
        """Wait to be woken, at most so long."""
        self._woken.wait(seconds)
        self._woken.clear()


_waiting: list[Waiter] = []
_changing = threading.Lock()
#: Set when the process is about to end.
_dismissed = threading.Event()


@contextmanager
def waiting(key: Hashable, topics: Collection[str]) -> Iterator[Waiter]:
    """Be told of arrivals; a waiter with the same key that is there already is superseded."""
    waiter = Waiter(key, topics)
    with _changing:
        for other in _waiting:
            if other.key == key:
                other.superseded = True
                other.wake()
        waiter.superseded = _dismissed.is_set()
        _waiting.append(waiter)
    try:
        yield waiter
    finally:
        with _changing:
            _waiting.remove(waiter)


def announce(topics: Collection[str]) -> None:
    """Say that there may be tasks of these topics."""
    with _changing:
        for waiter in _waiting:
            if not waiter.topics.isdisjoint(topics):
                waiter.wake()


def dismiss() -> None:
    """Send everybody home, for good: the process is about to end."""
    _dismissed.set()
    with _changing:
        for waiter in _waiting:
            waiter.superseded = True
            waiter.wake()


def count() -> int:
    """How many wait."""
    return len(_waiting)
