"""Moments (时刻): what time it is, for everything that is due.

It is the time of the database, which all nodes share.  A node asks for it every few seconds, and in between goes on by its steady clock,
which nobody sets.  So nothing goes off early when the clock of a host is set, or when two hosts differ.

When the clock of the database itself jumps, nobody can know whether it is wrong now or was wrong before.  Then the earlier of the two times
counts, for as long as they are apart: after a jump of ten minutes, for ten minutes.  Something may be late for that.  That is allowed; what
is early breaks the law.
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
#: A difference of more seconds means that a clock was set.
ALIKE = 1.0
#: The steady clock, in seconds and in nanoseconds; it goes on while the host sleeps, where the system has such a clock.
_SLEEPS = hasattr(time, "CLOCK_BOOTTIME")
steady: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if _SLEEPS else time.monotonic
_steady_ns: Callable[[], int] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME) if _SLEEPS else time.monotonic_ns


def _of_host(_from: Engine | Connection | None = None) -> datetime:
    return datetime.now(UTC)


class Keeper:
    """Hears the time now and then (`hear`), and keeps it going in between; `ask` gets it where somebody wants to know it before that."""

    def __init__(self, clock: Callable[[], float] = steady, ask: Callable[[], datetime] = _of_host) -> None:
        self._clock, self._ask = clock, ask
        #: When it has heard the time last, by the steady clock.
        self._heard = -inf
        #: How far the time that is believed, and the one that counts, are ahead of the steady clock; None: it has heard none yet.
        self._believed: float | None = None
        self._ahead: float | None = None
        #: Since when, by the steady clock, it has been told a time that it does not believe; None: it believes what it hears.
        self._since: float | None = None

    @property
    def age(self) -> float:
        """Seconds since it has heard the time last."""
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
    """Go by the time of a database from now on; SQLite has that of this host.  Returns a function that ends it.

    Whoever wants to know the time before the database was asked for anything waits for its answer, or gets Unavailable.  The time of the
    host would not do: if it is days ahead, this node would begin by deleting what is still to be kept.
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
