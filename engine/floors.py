"""Floors: since when a queue is searched for what is due.

Work that is done leaves dead entries at the head of the queue's index.  While somebody reads an old state of the database (a backup, a long
report), they cannot be vacuumed away, and to step over four million of them takes seconds at every look.  So a scheduler remembers when the
first row was due that was still to be done, and searches from there; only now and then it searches from the very beginning, for rows that
were planned for a moment long past.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engine import moments, queues

#: A row may become visible so long after the moment for which it was planned: whoever planned it had not committed yet.
UNSEEN = timedelta(seconds=60)
#: After a search from the very beginning, none follows for so many times as long as it took.
RARELY = 20


class Floors:
    """What one scheduler remembers of the queues."""

    def __init__(self, clock: Callable[[], float] = moments.steady) -> None:
        self._clock = clock
        #: When it searches from the very beginning again, by its clock.
        self._again = 0.0
        self._floors: Mapping[str, datetime] = {}
        #: Queues that could not be looked at last, when each was looked at by itself.
        self.out_of_reach: list[str] = []

    def heads(self, session: Session, *, now: datetime) -> Mapping[str, datetime | None]:
        """When the first row of each queue was due that is due and not done; None: there is none.  They are looked at together."""
        begun = self._clock()
        complete = begun >= self._again
        found = queues.heads(session, now=now, since={} if complete else self._floors)
        if complete:
            ended = self._clock()
            self._again = ended + RARELY * (ended - begun)
        self._floors = {name: min(first or now, now - UNSEEN) for name, first in found.items()}
        return found

    def head(self, session: Session, name: str, *, now: datetime) -> datetime | None:
        """The same of one queue."""
        return queues.head(session, name, now=now, since=self._floors.get(name, queues.LONG_AGO))
