"""Remains (余留): what still waited in a queue when a process last looked through it, and from where on it has not looked.

Others fetch from the outbox and from external tasks what they want, and leave the rest: a message that nobody carries, a task that has
failed for good, stays for weeks at the head of its queue.  So a floor (`floors`) would not rise above what is dead behind it.  Here a
process remembers what waits there by id, and looks from the floor on for the rest.

Whatever happens to one of those meanwhile (its lock runs out, it gets retries, its process goes on) is seen in its row, which is looked
at each time; all that is relied on is that what is gone never comes back, and that what comes is of now.  What comes otherwise (written
long before its commit, or restored) is found by the next look from the very beginning.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, null, select
from sqlalchemy.orm import Session

from engine import moments, reads
from engine.floors import UNSEEN
from engine.models import ExternalTask, Outbox
from engine.queues import LONG_AGO

#: A look is followed by so many times as much time without one of its kind: a request makes it, and somebody waits for that.
RARELY = 100
#: So many rows are remembered by id: when more wait, the floor stays at the next.
MOST = 500
#: So many queues are remembered: clients say what their topics are called.
QUEUES = 1000
Kind = type[ExternalTask] | type[Outbox]
#: What a row says that is there still, but does not wait any more.
_OVER: Mapping[Kind, ColumnElement[Any]] = {ExternalTask: null(), Outbox: Outbox.sent_at.expression}


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What waited in a queue: nothing that was created before `since`, except the `older`."""

    since: datetime = LONG_AGO
    older: frozenset[UUID] = frozenset()


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
    seen, over = moments.now() - UNSEEN, _OVER[kind]
    topic = () if name is None else (kind.topic == name,)
    query = select(kind.created_at, kind.id, over)
    new = query.where(over.is_(None), *topic, kind.created_at >= min(before.since, seen)).order_by(kind.created_at).limit(MOST + 1)
    # Nothing but ids is asked for: any other index would be full of what is dead.
    rows = [*session.execute(new), *(session.execute(query.where(reads.among(session, kind.id, before.older))) if before.older else ())]
    first = sorted({(created_at, row_id) for created_at, row_id, ended in rows if ended is None})
    since = min(seen, first[MOST][0]) if len(first) > MOST else seen
    return Remains(since=since, older=frozenset(row_id for created_at, row_id in first if created_at < since))
