"""Remains (余留): what still waited in a queue when a process last looked through it, and from where on it has not looked.

Others fetch from the outbox and from external tasks what they want, and leave the rest: a message that nobody carries, a task that has
failed for good, stays for weeks at the head of its queue.  So a floor (`floors`) would not rise above what is dead behind it.  Here a
process remembers when what waits there was created, and looks from the floor on for the rest.

Whatever happens to one of those meanwhile (its lock runs out, it gets retries, its process goes on) is seen in its row, which is looked
at each time; all that is relied on is that what is gone never comes back, and that what comes is of now.  What comes otherwise (written
long before its commit, or restored) is found by the next look from the very beginning.
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

#: A look is followed by so many times as much time without one of its kind: a request makes it, and somebody waits for that.
RARELY = 100
#: So many rows are remembered: when more wait, the floor stays at the next.
MOST = 500
#: So many queues are remembered: clients say what their topics are called.
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
        """What waited in the queue of a topic, or of all topics (None)."""
        return self._known.get((kind, name), _Known()).remains

    def look(self, session: Session, kind: Kind, name: str | None) -> None:
        """Look through a queue again when it is time.

        Nobody does who may have written something himself: it would be remembered, and then perhaps not come true.
        """
        if not session.connection().get_execution_options().get("reading"):
            return
        known, begun = self._known.get((kind, name), _Known()), self._clock()
        complete = begun >= known.completely
        if not (complete or begun >= known.again) or not self._looking.acquire(blocking=False):
            return  # what somebody else finds in this moment is soon here
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
    """What this process remembers of the database of a session."""
    return _memories.setdefault(session.get_bind().engine, Memory())


def forget(bind: Engine) -> None:
    """Remember nothing of a database any more, as if the process had just begun."""
    _memories.pop(bind, None)


def _look(session: Session, kind: Kind, name: str | None, before: Remains) -> Remains:
    """Look through what waits, as far as it was there and as it has come since."""
    seen = moments.now() - UNSEEN
    query = select(kind.created_at).where(*waiting(kind, name))
    new = query.where(kind.created_at >= min(before.since, seen)).order_by(kind.created_at).limit(MOST + 1)
    there = query.where(reads.among(session, kind.created_at, before.older))
    first = sorted([*session.scalars(new), *(session.scalars(there) if before.older else ())])
    since = min(seen, first[MOST]) if len(first) > MOST else seen
    return Remains(since=since, older=frozenset(created_at for created_at in first if created_at < since))


def waiting(kind: Kind, name: str | None) -> list[ColumnElement[bool]]:
    """Say that a row waits in a queue; indexes have these columns before the moment of its creation, and nothing that a fetch writes."""
    sent: list[ColumnElement[bool]] = [Outbox.sent_at.is_(None)] if kind is Outbox else []
    return sent if name is None else [*sent, kind.topic == name]
