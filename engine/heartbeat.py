"""The heartbeat: looks again and again at what is due.  The tables are the schedule; APScheduler only keeps time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger()


class Heartbeat:
    """Calls `tick` every so many seconds in a thread of its own, never twice at once, until it is stopped; and others beside it."""

    def __init__(self, tick: Callable[[], object], *, seconds: float) -> None:
        #: Set once it is told to stop.
        self.stopping = threading.Event()
        # A tick that is late does the work of all that were missed; how late does not matter.
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
        self.also(tick, seconds=seconds)

    def also(self, tick: Callable[[], object], *, seconds: float) -> None:
        """Call something else in its own time, beginning now."""
        self._scheduler.add_job(_beat, "interval", args=[tick], seconds=seconds, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Tick for the first time now."""
        self._scheduler.start()

    def stop(self) -> None:
        """Finish what is under way, and tick no more."""
        self.stopping.set()
        self._scheduler.shutdown(wait=True)


def _beat(tick: Callable[[], object]) -> None:
    try:
        tick()
    except Exception:
        # The database may be away for a while: whatever was due stays due.
        log.exception("tick failed")
