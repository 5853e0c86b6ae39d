"""Moments (时刻): what time it is, for everything that is due.

It is the time of the database, which all nodes share.  A node carries it on by its steady clock and asks again every few seconds, so that
neither a host whose clock is set, nor two that differ, let anything go off early.  Should the time that is told jump, too, nobody can know
whether it is wrong now or was before: of the old and the new one the earlier counts, until they have differed for as long as they differ
by.  What is late for that is late; what is early breaks the law.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import inf

import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction

log = structlog.get_logger()
#: For how long a node goes by its steady clock before it asks again, seconds.
ASK_AGAIN = 10.0
#: By how much two clocks may differ that go well, seconds.
ALIKE = 1.0


#: Seconds that nobody sets; where the system can tell, they pass while it sleeps, too.
steady: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Keeper:
    """Carries a time on that it is told now and then."""

    def __init__(self, clock: Callable[[], float] = steady) -> None:
        self._clock = clock
        #: When it was told the time last, by the steady clock.
        self._heard = -inf
        #: By how much the time that is believed, and the one that counts, are ahead of the steady clock; None: nothing was told yet.
        self._believed: float | None = None
        self._ahead: float | None = None
        #: Since when what is told is not believed.
        self._since: float | None = None

    @property
    def age(self) -> float:
        """Seconds since it was told the time."""
        return self._clock() - self._heard

    def hear(self, time: datetime) -> None:
        """Take note of what time it is said to be."""
        here = self._heard = self._clock()
        told = time.timestamp() - here
        believed = told if self._believed is None else self._believed
        apart = told - believed
        if abs(apart) <= ALIKE or (self._since is not None and here - self._since >= abs(apart)):
            believed, self._since = told, None
        elif self._since is None:
            self._since = here
            log.warning("the clock was set", seconds=round(apart, 1))
        self._believed, self._ahead = believed, min(told, believed)

    def now(self) -> datetime:
        """What time it is; before anything was told, that of this host."""
        return datetime.now(UTC) if self._ahead is None else datetime.fromtimestamp(self._clock() + self._ahead, UTC)


_keeper: Keeper | None = None


def now() -> datetime:
    """What time it is (UTC): that of the database this process follows, else that of its host."""
    return _keeper.now() if _keeper else datetime.now(UTC)


def follow(bind: Engine) -> Callable[[], None]:
    """Go by the time of a database from now on; SQLite has that of this host.  Gives what ends it."""
    keeper, (ask, patience) = Keeper(), _ASKED[bind.dialect.name]

    def hear(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
        if connection.engine is bind and keeper.age >= patience:
            keeper.hear(ask(connection))

    def leave() -> None:
        event.remove(Session, "after_begin", hear)
        _go_by(None)

    event.listen(Session, "after_begin", hear)  # whoever listens to the bind slows each of its statements down
    _go_by(keeper)
    return leave


def _go_by(keeper: Keeper | None) -> None:
    global _keeper  # noqa: PLW0603 - a process lives in one time
    _keeper = keeper


def _of_server(connection: Connection) -> datetime:
    told: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return told


def _of_host(_connection: Connection) -> datetime:
    return datetime.now(UTC)


#: Who is asked, and after how many seconds again.
_ASKED = {"postgresql": (_of_server, ASK_AGAIN), "sqlite": (_of_host, 0.0)}
