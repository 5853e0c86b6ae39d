"""Two transactions, one in the midst of the other: PostgreSQL says when the second waits for what the first has locked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from engine.database import Database, Session

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
#: How often it is asked whether somebody waits, and how long it is waited then, seconds.
_LOOKS, _PAUSE = 2000, 0.005


def begun(database: Database, thread: ThreadPoolExecutor, work: Callable[[], Any]) -> Future[Any]:
    """Begin something beside what is under way; it has ended, or waits for that, when this returns."""
    other = thread.submit(work)
    for _ in range(_LOOKS):
        with database.reading() as looking:
            if other.done() or looking.scalars(_WAITING).one():
                break
        time.sleep(_PAUSE)
    return other


@contextmanager
def waited_for(database: Database, hold: Callable[[Session], Any], work: Callable[[], Any]) -> Iterator[Session]:
    """Hold something, and give the session once `work`, which has begun beside it, waits for that; at the end of the block it goes on.

    Raises what `work` raises.
    """
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as session:
            hold(session)
            other = begun(database, thread, work)
            yield session
        other.result()
