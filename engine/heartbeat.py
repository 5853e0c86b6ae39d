"""The heartbeat: looks again and again at what is due.  The tables are the schedule; this only keeps time.

The looks at what is due go by a steady clock: APScheduler goes by the clock of the host, and would stand still for an hour when that is set
back by one.  Sweeps that are made every hour or so are left to it, and brought forward when that has happened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from engine.troubles import Trouble

#: What the log says when something could not be done.
FAILED = "tick failed"
#: The longest rest of a sweep that waits for the database, seconds.
LONGEST = 60
Told = TypeVar("Told")


class Heartbeat:
    """Calls `tick` in a thread of its own, every so many seconds or as soon as it asks for, until it is stopped; and sweeps beside it."""

    def __init__(self, tick: Callable[[], float | None], *, seconds: float) -> None:
        #: Set once it is told to stop.
        self.stopping = threading.Event()
        self._tick, self._seconds = tick, seconds
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        # A call that is late does the work of all that were missed; how late does not matter.
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})

    def also(self, sweep: Callable[[], object], *, seconds: float) -> None:
        """Make a sweep every so many seconds, beginning now; one that an outage prevents is made soon after that is over."""
        self._scheduler.add_job(self._sweep, "interval", args=[sweep, Trouble(FAILED)], seconds=seconds, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Tick for the first time now."""
        self._thread.start()
        self._scheduler.start()

    def stop(self) -> None:
        """Finish what is under way, and tick no more."""
        self.stopping.set()
        self._scheduler.shutdown(wait=True)
        self._thread.join()

    def _beat(self) -> None:
        trouble = Trouble(FAILED)
        while not self.stopping.is_set():
            self._keep_time()
            rest = _try(self._tick, trouble)
            self.stopping.wait(self._seconds if rest is None else min(rest, self._seconds))

    def _keep_time(self) -> None:
        """Let no sweep rest for longer than it should: the clock of the host may have been set back."""
        for job in self._scheduler.get_jobs():
            latest = datetime.now(UTC) + job.trigger.interval
            if job.next_run_time > latest:
                with suppress(JobLookupError):  # we are just told to stop
                    job.modify(next_run_time=latest)

    def _sweep(self, sweep: Callable[[], object], trouble: Trouble) -> None:
        """Try until no outage is in the way, less often with time.  What fails otherwise would fail again: it has its own time."""
        rest = min(self._seconds, LONGEST)
        _try(sweep, trouble)
        while trouble.is_outage and not self.stopping.wait(rest):
            rest = min(2 * rest, LONGEST)
            _try(sweep, trouble)


def _try(do: Callable[[], Told], trouble: Trouble) -> Told | None:
    try:
        done = do()
    except Exception as error:  # noqa: BLE001 - whatever it is, what was due stays due
        trouble.failed(error)
        return None
    trouble.over()
    return done
