"""Long polls: a worker asks for tasks and is answered when there are some, or when it has waited long enough.

Who waits holds a thread and nothing else: no transaction, no connection, and no turn (`api.turns`).  One thread of the process looks at
the table for all of them, because tasks also come from other hosts, from locks that run out and from retries that are due.

A client that has hung up while it waited is noticed before tasks are locked for it: its answer begins with a blank.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from typing import Any

import orjson
import structlog
from flask import Response, current_app, g, request, stream_with_context
from werkzeug.exceptions import HTTPException

from api import auth, problems, waits
from api.camunda import answers
from api.repeats import again
from api.turns import Turns
from engine import arrivals, fetches
from engine.actors import Actor
from engine.arrivals import Waiter
from engine.database import Database, Session
from engine.errors import Busy, EngineError, Unavailable
from engine.external_tasks import Found
from engine.fetches import Fetch, Wanted
from engine.troubles import Trouble

#: How the address of a request ends that may wait.
PATH = "/external-task/fetchAndLock"
#: How many may wait at the same time; each needs a thread, which costs nothing but memory while it waits.  More are answered at once, and
#: some clients then ask again at once.
MOST = 2000
#: Seconds between two looks of the watcher.
LOOK = 0.5
#: Name of the thread of the watcher.
WATCHER = "external tasks"
#: First byte of the answer to a request that has waited; in JSON it means nothing.
BLANK = b" "
_watching = threading.Lock()
_log = structlog.get_logger()
Present = Callable[[Session, Sequence[tuple[Found, Wanted]], Actor], list[dict[str, Any]]]


class Poll:
    """One request for tasks, from when it comes until it is answered."""

    def __init__(self, db: Database, what: Fetch, waiter: Waiter, present: Present, *, until: float) -> None:
        self._db, self._what, self._waiter, self._present, self._until = db, what, waiter, present, until
        #: Who asks, and the function that finds it out.
        self._actor, self._who = auth.actor(), auth.actor

    def wait(self) -> bool:
        """Wait, without a turn, until something is there; False: it has waited long enough, or is sent home."""
        while not self._waiter.is_superseded() and (left := self._until - time.monotonic()) > 0 and arrivals.count() <= MOST:
            _watch(self._db)
            self._waiter.sleep(left)
            self._who = auth.by_credentials  # in half an hour a key may have been revoked
            if self._waiter.is_superseded():
                break
            with _turn():
                if again(self.look):
                    return True
        return False

    def look(self) -> bool:
        """Tell whether something is there; a look keeps no writer waiting."""
        self._actor, told = self._who(), self._waiter.told
        with self._db.reading() as session:
            there = fetches.is_there(session, self._what, actor=self._actor)
        if not there:
            self._waiter.note(told)
        return there

    def take(self) -> list[dict[str, Any]]:
        """Lock what is there, and show it."""
        told, fetched = self._waiter.told, list[dict[str, Any]]()
        while not self._waiter.is_superseded() and (left := self._what.limit - len(fetched)) > 0:
            some = replace(self._what, limit=min(left, self._db.batch))
            try:
                with self._db.transaction() as session:
                    found = self._present(session, fetches.fetch(session, some, actor=self._actor), self._actor)
            except (Busy, Unavailable):
                if not fetched:
                    raise
                break  # what is locked by now is given; where the process dies instead, it is free when its lock runs out
            fetched += found
            if len(found) < some.limit:
                self._waiter.note(told)
                break
        return fetched


def fetch(db: Database, what: Fetch, *, seconds: float, present: Present) -> Response:
    """Fetch and lock; when there is nothing, wait for it, at most so long.

    A newer request of the same worker for the same topics sends this one home with nothing: its sender may be gone.  So a look that the
    database keeps from being done is done again in here, where the newer one finds it; and a request that begins anew all the same is as
    old as it was.
    """
    topics, name = what.topics, auth.actor().name
    since = g.setdefault("came", arrivals.moment())
    until = g.setdefault("until", time.monotonic() + seconds)
    rest: ExitStack | None = None
    with ExitStack() as stack:
        alike = (name, what.alike)
        waiter = stack.enter_context(arrivals.waiting((name, what.worker, *sorted(topics)), topics, since, alike=alike))
        poll = Poll(db, what, waiter, present, until=until)
        found = [] if waiter.is_superseded() or not again(poll.look) else again(poll.take)
        if not found:
            waits.let_go(request.environ)
            with _without_turn():
                rest = stack.pop_all() if poll.wait() else None
    return answers.json(found) if rest is None else _sent(poll, rest)


def _sent(poll: Poll, rest: ExitStack) -> Response:
    answer = Response(stream_with_context(_pieces(poll, rest)), content_type="application/json")
    answer.call_on_close(rest.close)  # also where nothing of it is ever sent
    return answer


def _pieces(poll: Poll, rest: ExitStack) -> Iterator[bytes]:
    """Give what is sent to who has waited, when something is there for him.

    The server takes a blank only while the client is there; else it ends this at once, and nothing is locked for nobody.  The status is
    sent by then: what goes wrong afterwards gives the worker nothing, and it asks again.
    """
    found: list[dict[str, Any]] = []
    with rest:
        try:
            there = True
            while there and not found:  # others may have been faster
                yield BLANK
                with _turn():
                    found = again(poll.take)
                there = bool(found) or poll.wait()
        except (EngineError, HTTPException):
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker is to be answered
            problems.log_fault(error)
        yield orjson.dumps(found, default=str)


def _turn() -> AbstractContextManager[None]:
    turns: Turns | None = current_app.extensions.get("turns")
    return turns.taken() if turns is not None else nullcontext()


def _without_turn() -> AbstractContextManager[None]:
    turns: Turns | None = current_app.extensions.get("turns")
    return turns.given_up() if turns is not None else nullcontext()


def _watch(db: Database) -> None:
    """Have somebody watch while somebody waits."""
    if _watching.acquire(blocking=False):
        try:
            threading.Thread(target=_look_while_waited_for, args=(db,), name=WATCHER, daemon=True).start()
        except (RuntimeError, MemoryError):  # the machine has no thread left; who comes next tries again
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
