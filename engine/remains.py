"""Remains (余留): where in a queue rows still wait, as a process remembers it, so that it need not search through millions of dead rows.

It is for external tasks and the outbox.  Their clients fetch what they want, and leave the rest: a message that nobody carries, or a task
that has failed for good, stays at the head of its queue for weeks, so that one floor (`floors`) would never rise.  Here a process remembers
the moments at which the waiting rows were created, up to a floor, and searches only these moments and what came after the floor.

What happens to such a row meanwhile (its lock runs out, it gets retries, its process goes on) is seen in the row, which is read each time.
Only two things are relied on: a row that is gone never comes back, and a new row was created just now.  The exceptions (a row that was
written long before its commit, or restored) are found by the next look from the very beginning, which is made now and then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from engine import moments, reads
from engine.floors import UNSEEN
from engine.models import ExternalTask, Outbox
from engine.queues import LONG_AGO

#: A look that has taken a second is made again after so many seconds at the earliest: a request makes it, and somebody waits for that.
RARELY = 100
#: So many rows are remembered of a queue; when more wait, the floor stays at the next one.
MOST = 500
#: So many queues are remembered: clients may ask for any topics.
QUEUES = 1000
Kind = type[ExternalTask] | type[Outbox]


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What waited in a queue: nothing that was created before `since`, except in the `older` moments."""

    since: datetime = LONG_AGO
    older: frozenset[datetime] = frozenset()


@dataclass(frozen=True, kw_only=True)
class _Known:
    remains: Remains = Remains()
    #: When the queue is looked through again, and when from its very beginning.
    again: float = 0.0
    completely: float = 0.0


class Memory:
    """What one process remembers of the queues of a database; may be shared by threads."""

    def __init__(self, clock: Callable[[], float] = moments.steady) -> None:
        self._clock = clock
        self._known: dict[Hashable, _Known] = {}
        self._looking = threading.Lock()

    def of(self, kind: Kind, name: str | None) -> Remains:
        """Return what waited in the queue of a topic, or of all topics (None), when that was last looked through."""
        return self._known.get((kind, name), _Known()).remains

    def look(self, session: Session, kind: Kind, name: str | None) -> None:
        """Look through a queue again, if it is time, and remember what waits there.

        Only in a session that reads: what a transaction has written itself, it might remember, and then be rolled back.
        """
        if not session.connection().get_execution_options().get("reading"):
            return
        known, begun = self._known.get((kind, name), _Known()), self._clock()
        complete = begun >= known.completely
        if not (complete or begun >= known.again) or not self._looking.acquire(blocking=False):
            return  # another thread looks just now, and what it finds is remembered here, too
        try:
            found = _look(session, kind, name, Remains() if complete else known.remains)
        finally:
            self._looking.release()
        ended = self._clock()
        later = ended + RARELY * (ended - begun)
        if len(self._known) >= QUEUES:
            self._known.clear()
        self._known[kind, name] = _Known(
            remains=found, again=ended if complete else later, completely=later if complete else known.completely
        )


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()


def memory(session: Session) -> Memory:
    """Return what this process remembers of the database of a session."""
    return _memories.setdefault(session.get_bind().engine, Memory())


def forget(bind: Engine) -> None:
    """Remember nothing of a database any more, as if the process had just begun."""
    _memories.pop(bind, None)


def _look(session: Session, kind: Kind, name: str | None, before: Remains) -> Remains:
    """Find what waits now: among the moments that were remembered (`before`), and behind their floor."""
    seen = moments.now() - UNSEEN
    query = select(kind.created_at).where(*waiting(kind, name))
    new = query.where(kind.created_at >= min(before.since, seen)).order_by(kind.created_at).limit(MOST + 1)
    there = query.where(reads.among(session, kind.created_at, before.older))
    first = sorted([*session.scalars(new), *(session.scalars(there) if before.older else ())])
    since = min(seen, first[MOST]) if len(first) > MOST else seen
    return Remains(since=since, older=frozenset(created_at for created_at in first if created_at < since))


def waiting(kind: Kind, name: str | None) -> list[ColumnElement[bool]]:
    """Conditions: a row waits in a queue.  They are the first columns of an index, before `created_at`; no fetch writes any of them."""
    sent: list[ColumnElement[bool]] = [Outbox.sent_at.is_(None)] if kind is Outbox else []
    return sent if name is None else [*sent, kind.topic == name]
