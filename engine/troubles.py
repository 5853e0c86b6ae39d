"""Troubles (持续故障): what is tried again and again and fails each time, told when it begins, now and then, and when it is over.

While the database is away a node looks every second: a line for each look, with its traceback, would fill the log and hide everything else.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from engine import outages
from engine.errors import Busy, Unavailable, described

log = structlog.get_logger()
#: How often a trouble that goes on is told.
AGAIN = timedelta(minutes=5)


class Trouble:
    """One thing that is tried again and again, by one thread at a time."""

    def __init__(self, event: str) -> None:
        #: What the log says of a failure.
        self._event = event
        self._kind: type[Exception] | None = None
        self._times, self._began, self._told = 0, 0.0, 0.0

    @property
    def is_outage(self) -> bool:
        """Whether it failed at last since a database, a disk or somebody else was in the way, which may be over in a moment."""
        return self._kind is not None and issubclass(self._kind, Busy | Unavailable)

    def failed(self, error: Exception) -> None:
        """Tell of a failure, unless one of its kind has just been told; what is no outage comes with its traceback."""
        now = time.monotonic()
        if type(error) is not self._kind:
            self._kind, self._times, self._began = type(error), 0, now
        self._times += 1
        if self._times == 1:
            self._told = now
            fault = None if isinstance(error, Busy | Unavailable) else error
            log.error(self._event, because=described(error), exc_info=fault, **_said(error))
        elif now - self._told >= AGAIN.total_seconds():
            self._told = now
            log.error(self._event, because=described(error), **_said(error), **self._so_far(now))

    def over(self) -> None:
        """Tell that it goes well again, if it did not."""
        if self._times:
            log.info("it goes well again", after=self._event, **self._so_far(time.monotonic()))
            self._kind, self._times = None, 0

    def _so_far(self, now: float) -> dict[str, int]:
        return {"times": self._times, "seconds": round(now - self._began)}


def _said(error: Exception) -> dict[str, str]:
    """What the database, or whoever has looked for it, says itself: clients are not told where it is, and that the password is another."""
    cause = error.__cause__
    return {"said": outages.said(cause)} if isinstance(cause, DBAPIError) else {}
