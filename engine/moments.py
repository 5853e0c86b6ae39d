"""Moments (时刻): what time it is, for everything that is due.

It is the time of the database, which all nodes share.  A node carries it on by its steady clock and asks again every few seconds, so that
neither a host whose clock is set, nor two that differ, let anything go off early.  Should the time that is told jump, too, nobody can know
whether it is wrong now or was before: of the old and the new one the earlier counts, until they have differed for as long as they differ
by.  What is late for that is late; what is early breaks the law.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

import structlog
from sqlalchemy import Connection, Engine, event

log = structlog.get_logger()
#: For how long a node goes by its steady clock before it asks again, seconds.
ASK_AGAIN = 10.0
#: By how much two clocks may differ that go well, seconds.
ALIKE = 1.0


def steady() -> float:
    """Seconds that nobody sets; where the system can tell, they pass while it sleeps, too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True)
class _Told:
    """A time (seconds of the epoch), and what the steady clock showed then."""

    time: float
    steady: float

    def at(self, steady: float) -> float:
        return self.time + steady - self.steady


class Keeper:
    """Carries a time on that it is told now and then."""

    def __init__(self, clock: Callable[[], float] = steady) -> None:
        self._clock = clock
        #: What was told last, and what is believed; None: nothing yet.
        self._told: _Told | None = None
        self._believed: _Told | None = None
        #: Since when the two differ.
        self._since: float | None = None

    @property
    def age(self) -> float:
        """Seconds since it was told the time."""
        return self._clock() - self._told.steady if self._told else inf

    def hear(self, time: datetime) -> None:
        """Take note of what time it is said to be."""
        here = self._clock()
        told = self._told = _Told(time.timestamp(), here)
        apart = told.time - self._believed.at(here) if self._believed else 0.0
        if abs(apart) <= ALIKE:
            self._believed, self._since = told, None
        elif self._since is None:
            self._since = here
            log.warning("the clock was set", seconds=round(apart, 1))
        elif here - self._since >= abs(apart):
            self._believed, self._since = told, None

    def now(self) -> datetime:
        """What time it is; before anything was told, that of this host."""
        if self._told is None or self._believed is None:
            return datetime.now(UTC)
        here = self._clock()
        return datetime.fromtimestamp(min(self._told.at(here), self._believed.at(here)), UTC)


_keeper: Keeper | None = None


def now() -> datetime:
    """What time it is (UTC): that of the database this process follows, else that of its host."""
    return _keeper.now() if _keeper else datetime.now(UTC)


def follow(bind: Engine) -> Callable[[], None]:
    """Go by the time of a database from now on; SQLite has that of this host.  Gives what ends it."""
    keeper, (ask, patience) = Keeper(), _ASKED[bind.dialect.name]

    def hear(connection: Connection) -> None:
        if keeper.age >= patience:
            keeper.hear(ask(connection))

    def leave() -> None:
        event.remove(bind, "begin", hear)
        _go_by(None)

    event.listen(bind, "begin", hear)
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
