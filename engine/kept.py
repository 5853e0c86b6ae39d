"""What is kept: values that took long to make, the most recently used ones, up to a limit in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values that never change, by id; may be shared by threads."""

    def __init__(self, limit: int, weigh: Callable[[Value], int]) -> None:
        """Keep so many bytes at most; `weigh` says how many a value takes, about."""
        self.limit = limit
        #: Bytes that are taken now, about.
        self.size = 0
        self._weigh = weigh
        self._values: OrderedDict[UUID, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()
        #: What was asked for last, by the very object that it was asked by: what is done many at a time is mostly of one version.
        self._last: tuple[UUID, Value] | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._values)

    def get(self, key: UUID, make: Callable[[], Value]) -> Value:
        """Give what is kept, or make it; what was used longest ago makes room, and the last one always stays."""
        last = self._last
        if last is not None and last[0] is key:
            return last[1]
        with self._lock:
            if (there := self._values.get(key)) is not None:
                self._values.move_to_end(key)
                self._last = key, there[0]
                return there[0]
        made = make()  # without the lock: it asks the database, and another thread may hold a lock there
        weight = self._weigh(made)
        with self._lock:
            found, _ = self._values.setdefault(key, (made, weight))
            if found is made:
                self.size += weight
            while self.size > self.limit and len(self._values) > 1:
                self.size -= self._values.popitem(last=False)[1][1]
            self._last = key, found
        return found
