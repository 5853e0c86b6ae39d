"""Long polls: a worker asks for tasks and is answered when there are some, or when it has waited long enough.

Who waits holds a thread and nothing else: no transaction, no connection, and no turn (`api.turns`).  One thread of the process looks at
the table for all of them, because tasks also come from other hosts, from locks that run out and from retries that are due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from flask import current_app, g

from api import auth
from api.repeats import again
from api.turns import Turns
from engine import arrivals, fetches
from engine.actors import Actor
from engine.arrivals import Waiter
from engine.database import Database, Session
from engine.errors import Busy, Unavailable
from engine.external_tasks import Found
from engine.fetches import Fetch, Wanted
from engine.troubles import Trouble

#: How many may wait at the same time; each needs a thread of the server, which costs nothing but memory while it waits.  More are answered
#: at once, and some clients then ask again at once.
MOST = 2000
#: Seconds between two looks of the watcher.
LOOK = 0.5
#: Name of his thread.
WATCHER = "external tasks"
_watching = threading.Lock()
_log = structlog.get_logger()
Present = Callable[[Session, Found, Wanted], dict[str, Any]]


def fetch(db: Database, what: Fetch, *, seconds: float, present: Present) -> list[dict[str, Any]]:
    """Fetch and lock; when there is nothing, wait for it, at most so long.

    A newer request of the same worker for the same topics sends this one home with nothing: its sender may be gone.  So a look that the
    database keeps from being done is done again in here, where the newer one finds it; and a request that begins anew all the same is as
    old as it was.
    """
    topics, who = {wanted.topic for wanted in what.wanted}, auth.actor
    since = g.setdefault("came", arrivals.moment())
    deadline = g.setdefault("until", time.monotonic() + seconds)
    name = who().name
    with arrivals.waiting((name, what.worker, *sorted(topics)), topics, since, alike=(name, what.alike)) as waiter:
        while not waiter.is_superseded():
            found = again(partial(_try, db, what, who, present, waiter))
            left = deadline - time.monotonic()
            if found or left <= 0 or arrivals.count() > MOST:
                return found
            _watch(db)
            with _without_turn():
                waiter.sleep(left)
            who = auth.by_credentials  # in half an hour a key may have been revoked
    return []


def _try(db: Database, what: Fetch, who: Callable[[], Actor], present: Present, waiter: Waiter) -> list[dict[str, Any]]:
    actor, told = who(), waiter.told
    with db.reading() as session:  # a look keeps no writer waiting
        if not fetches.is_there(session, what, actor=actor):
            waiter.settle(told)
            return []
    if waiter.is_superseded():  # while it looked
        return []
    fetched: list[dict[str, Any]] = []
    while (left := what.limit - len(fetched)) > 0:
        some = replace(what, limit=min(left, db.batch))
        try:
            with db.transaction() as session:
                found = [present(session, *each) for each in fetches.fetch(session, some, actor=actor)]
        except (Busy, Unavailable):
            if not fetched:
                raise
            break  # what is locked by now is given; where the process dies instead, it is free when its lock runs out
        fetched += found
        if len(found) < some.limit:
            waiter.settle(told)
            break
    return fetched


def _without_turn() -> Any:
    turns: Turns | None = current_app.extensions.get("turns")
    return turns.given_up() if turns is not None else nullcontext()


def _watch(db: Database) -> None:
    """Have somebody watch while somebody waits."""
    if _watching.acquire(blocking=False):
        try:
            threading.Thread(target=_look_while_waited_for, args=(db,), name=WATCHER, daemon=True).start()
        except RuntimeError:  # the machine has no thread left; who comes next tries again
            _watching.release()
            _log.exception("nobody looks for external tasks")


def _look_while_waited_for(db: Database) -> None:
    try:
        trouble = Trouble("cannot look for external tasks")
        time.sleep(LOOK)
        while arrivals.count():
            arrivals.remind()
            _look(db, trouble)
            time.sleep(LOOK)
    finally:
        _watching.release()
    if arrivals.count():  # somebody came in the moment between
        _watch(db)


def _look(db: Database, trouble: Trouble) -> None:
    try:
        with db.reading() as session:
            arrivals.wake(fetches.ready_topics(session, arrivals.topics()))
    except Exception as error:  # noqa: BLE001 - whatever it is, the next look may go well
        trouble.failed(error)
    else:
        trouble.over()
