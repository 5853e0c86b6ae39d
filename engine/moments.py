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

from engine import columns, outages

log = structlog.get_logger()
#: For how long a node goes by its steady clock before it asks again, seconds.
ASK_AGAIN = 10.0
#: By how much two clocks may differ that go well, seconds.
ALIKE = 1.0
#: Seconds that nobody sets, and as nanoseconds; where the system can tell, they pass while it sleeps, too.
_SLEEPS = hasattr(time, "CLOCK_BOOTTIME")
steady: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if _SLEEPS else time.monotonic
_steady_ns: Callable[[], int] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME) if _SLEEPS else time.monotonic_ns


def _of_host(_from: Engine | Connection | None = None) -> datetime:
    return datetime.now(UTC)


class Keeper:
    """Carries a time on that it is told now and then; `ask`: what tells it when somebody wants to know it before."""

    def __init__(self, clock: Callable[[], float] = steady, ask: Callable[[], datetime] = _of_host) -> None:
        self._clock, self._ask = clock, ask
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
        """What time it is."""
        if self._ahead is None:
            self.hear(self._ask())
        return datetime.fromtimestamp(self._clock() + (self._ahead or 0.0), UTC)


_keeper: Keeper | None = None


def now() -> datetime:
    """What time it is (UTC): that of the database this process follows, else that of its host."""
    return _keeper.now() if _keeper else datetime.now(UTC)


def follow(bind: Engine) -> Callable[[], None]:
    """Go by the time of a database from now on; SQLite has that of this host.  Gives what ends it.

    What wants to know it before anything was asked of the database waits for its answer, or is told that it is away (Unavailable): a host
    whose clock is days ahead would delete, as it begins, what is still to be kept.
    """
    of_server = bind.dialect.name == "postgresql"
    keeper = Keeper(ask=partial(_of_server if of_server else _of_host, bind))
    patience = ASK_AGAIN if of_server else 0.0

    def hear(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
        if connection.engine is bind and keeper.age >= patience:
            keeper.hear(_told_by(connection) if of_server else _of_host())
            if of_server:
                columns.date_ids(keeper.now(), _steady_ns)

    def leave() -> None:
        event.remove(Session, "after_begin", hear)
        columns.date_ids(None)
        _go_by(None)

    event.listen(Session, "after_begin", hear)  # whoever listens to the bind slows each of its statements down
    _go_by(keeper)
    return leave


def _go_by(keeper: Keeper | None) -> None:
    global _keeper  # noqa: PLW0603 - a process lives in one time
    _keeper = keeper


def _of_server(bind: Engine) -> datetime:
    with outages.told(), bind.connect() as connection:
        return _told_by(connection)


def _told_by(connection: Connection) -> datetime:
    told: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return told
