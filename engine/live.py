"""Live instances: token states that stay in memory after their commit, so that the next command need not wake them from their snapshot.

What is taken belongs to whoever took it and is kept again after the commit, never after an exception.  It is only ever given for a row that
is, byte for byte, the one it was kept with: no other node, no restored database can make it stale.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from bpmn.definition import Definition
from bpmn.instance import Instance as Awake
from bpmn.waits import Context
from engine import large_values, moments
from engine.holdings import Held

log = structlog.get_logger()
#: What a token state may ask of the world while nobody holds it.
_NOWHERE = Context(now=moments.now())
#: What a token state takes in memory, about: bytes for itself, for each byte of its snapshot, and for each byte of its variables as JSON.
BASE, PER_STATE, PER_VARIABLES = 12_000, 40, 4


@dataclass(frozen=True, kw_only=True)
class _Live:
    process: Awake
    rev: int
    state: bytes
    large: Mapping[str, str]
    size: int


class LiveInstances:
    """The most recently used, up to a limit in bytes; may be shared by threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: Bytes that they take now, about.
        self.size = 0
        self.hits = self.misses = 0
        self._kept: OrderedDict[UUID, _Live] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def take(self, row: Held, definition: Definition, context: Context) -> Awake | None:
        """Take what is kept of an instance that is held; None when it is not, or is not exactly this."""
        found = None
        if row.id in self._kept:  # of many that are due together mostly none
            with self._lock:
                found = self._drop(row.id)
        if found is None or (found.rev, found.state) != (row.rev, row.state) or found.process.definition is not definition:
            self.misses += 1
            return None
        if found.process.variables != row.variables:
            self.misses += 1
            return None
        self.hits += 1
        found.process.go_on(context)
        return found.process

    def values_of(self, row: Held) -> dict[str, Any] | None:
        """Give the values of an instance that is held which lie apart, by name; None when they are not kept, or may be others."""
        with self._lock:
            found = self._kept.get(row.id)
        if found is None or found.rev != row.rev or found.large != row.large:
            return None
        return {name: found.process.variables[name] for name in found.large}

    def keep(self, row: Held, process: Awake) -> None:
        """Keep a token state as it was committed with its row, if it has not ended; what was used longest ago makes room."""
        try:
            said = sum(map(len, row.variables)) + sum(map(large_values.length, row.variables.values()))
            size = BASE + PER_STATE * len(row.state) + PER_VARIABLES * said
            if process.ended or size > self.limit // 4:
                return  # nobody takes it up any more, or it would drive out all others
            process.rest(_NOWHERE)
            with self._lock:
                self._drop(row.id)
                self._kept[row.id] = _Live(process=process, rev=row.rev, state=row.state, large=row.large or {}, size=size)
                self.size += size
                while self.size > self.limit:
                    self._drop(next(iter(self._kept)))
        except MemoryError:  # its command is done, and is not to fail now; who comes next wakes it from its snapshot
            log.exception("out of memory")

    def _drop(self, instance_id: UUID) -> _Live | None:
        found = self._kept.pop(instance_id, None)
        if found is not None:
            self.size -= found.size
        return found
