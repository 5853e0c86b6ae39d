"""Outages of the database (数据库故障): what each means for whoever asked, told in one place.

What fails before COMMIT is sent has done nothing:
`Busy`         somebody else was in the way (a lock, a deadlock, a serialization failure)
`Vanished`     something that is referred to is not there; tried again, the command finds out what has been archived or deleted
`Unavailable`  the database cannot be reached, has no connection left, or no room
`Unfit`        it keeps a table from us, or its files are damaged: no timer or job counts that as an attempt of its own
`Exhausted`    this node has no memory for it, so it is none of the database: timers and jobs count it, each of its own (decision 0016)

When the connection breaks while COMMIT is under way, nobody knows what became of it (`Unsettled`): then only a command with an
Idempotency-Key can be repeated, for the key tells.  The same holds when somebody ends the waiting of a COMMIT for its standby: it has been
carried out, but on one machine only.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from dataclasses import dataclass
from math import inf
from typing import Any

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, NoResultFound, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as AllTaken
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from engine import meters
from engine.errors import Busy, EngineError, Exhausted, InvalidInput, Unavailable, Unfit, Unsettled, Vanished

log = structlog.get_logger()
#: Serialization failure, deadlock, lock not available (SQLSTATE).
_IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})
#: There is one already that is to be unique (SQLSTATE).
_TAKEN = "23505"
#: Our role may not; it has no schema to put anything into (SQLSTATE).
_FORBIDDEN = frozenset({"42501", "3F000"})
#: So may it be with one table, or that is not there, as in the middle of a restoration by hand (SQLSTATE).
_WITHHELD = _FORBIDDEN | {"42P01"}
#: A file of a table is not there; and how states begin that say so of what is in it, or that the server itself has gone wrong (SQLSTATE).
_MISSING, _DAMAGED = "58P01", "XX"
_GONE = "Expected to find what was there a moment ago, but it has just been archived or deleted; try again"
#: What was prepared does not fit a table any more that somebody has changed: it is prepared anew, in a new connection (SQLSTATE).
_CHANGED = "0A000"
#: What is not as it was when it was looked at, also what is referred to (SQLSTATE), and what whoever asked is told.
_VANISHED = {"23503": _GONE, _CHANGED: "Expected to find a table as it was a moment ago, but it has just been changed; try again"}
#: A server that only reads: it has been replaced by another (SQLSTATE).
_ONLY_READS = "25006"
#: So it is with a connection that was idle in a transaction, or in it, for too long.
_LOST = frozenset({"25P03", "25P04", _ONLY_READS})
#: Connection exceptions, insufficient resources (disk, memory, connections), intervention of an operator, errors of its system, a snapshot
#: that has become too old for it.
_AWAY = ("08", "53", "57", "58", "72")
#: Whether a statement was carried out is not known, as where several servers are one database (SQLSTATE).
_UNKNOWN = "40003"
#: A limit of the server's own (SQLSTATE), as when it has used up its transaction ids: it takes no commands until somebody has cleared up.
_USED_UP = "54000"
#: How SQLAlchemy marks what is asked of a connection that broke earlier in its transaction: who clears up behind a fault meets this.
_BROKEN_BEFORE = "8s2b"
#: What diagrams make of what comes is known here at last: a text that is too long, a number that is too great, a NUL character (SQLSTATE).
_UNFIT = frozenset({"22001", "22003", "22021", "22P05"})
#: Faults of values (SQLSTATE), whose first sentence quotes them.
_OF_VALUES, _QUOTED = "22", re.compile(r'(?<=").*(?=")', re.DOTALL)
#: Where PostgreSQL waits for a standby, as it names itself in what it tells, in every language; and how it tells that somebody has ended
#: that (SQLSTATE).
_WAITING, _TOLD_NOT_TO = "SyncRepWaitForLSN", "01000"
#: What is kept from us, with when it was told last, and after how many seconds it is told again.
_told_at: dict[str, float] = {}
_TOLD_AGAIN = 300
#: Threads whose commit does not wait for its standby any more; one that finds itself here takes itself out (`require_awaited`).
unawaited: set[int] = set()
#: What SQLite says, which has no states.
_SQLITE_AWAY = ("disk is full", "disk I/O error", "unable to open database", "readonly database")
#: And when its file is damaged, or is another.
_SQLITE_DAMAGED = ("disk image is malformed", "not a database", "no such table")
#: And when it has undone a whole transaction by itself, as it does without room, and is then to go back to a place in it.
_SQLITE_UNDONE = "no such savepoint"


@dataclass(frozen=True, kw_only=True, slots=True)
class told:  # noqa: N801 - read as a word: `with outages.told():`
    """Raise what a fault of the database, or of memory, in the block means; what is no outage (a constraint, a statement) stays so."""

    committing: bool = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        meant = _translated(error, committing=self.committing)
        if meant is not None:
            raise meant from error


def _translated(error: BaseException, *, committing: bool) -> EngineError | None:
    """Return what an error means for whoever asked, and count it (`meters`); None: it is no outage."""
    if isinstance(error, DBAPIError) and _state(error) in _UNFIT:
        log.warning("what came does not fit into the database", because=said(error))  # or a column of ours is too small
        return InvalidInput(f"Expected values that a database can keep, but it says: {said(error)}")
    if isinstance(error, MemoryError):
        log.error("out of memory", exc_info=error)
    meant = _meaning(error, committing=committing)
    if meant is not None:
        meters.OUTAGE.labels(type(meant).__name__).inc()
    return meant


def _meaning(error: BaseException, *, committing: bool) -> EngineError | None:
    if isinstance(error, AllTaken):
        return Unavailable("Expected a connection to the database, but all of them are taken; try again")
    if isinstance(error, StaleDataError):
        return Busy("Expected to write what was read, but somebody else has written it meanwhile; try again")
    if isinstance(error, NoResultFound | ObjectDeletedError):
        return Vanished(_GONE)
    if isinstance(error, MemoryError) and not committing:
        return Exhausted("Expected this node to have memory for it, but it has none left; try again later")
    if isinstance(error, PendingRollbackError):
        return _unavailable("") if error.code == _BROKEN_BEFORE else None
    return _meaning_of_driver(error, committing=committing) if isinstance(error, DBAPIError) else None


def passes(state: str) -> bool:
    """Whether a fault of this SQLSTATE may be over in a moment."""
    return state in _IN_THE_WAY | _LOST or (state.startswith(_AWAY) and state != _MISSING)


def is_unfit(state: str) -> bool:
    """Whether a fault of this SQLSTATE is one of the database, which lasts until somebody has seen to it."""
    return state in _WITHHELD or state == _MISSING or state.startswith(_DAMAGED)


def is_taken(error: DBAPIError) -> bool:
    """Whether there is a row already that a table may have only once."""
    return _state(error) == _TAKEN or "UNIQUE constraint failed" in str(error.orig)


def is_forbidden(error: DBAPIError) -> bool:
    """Whether our role may not do that, or has no schema to do it in."""
    return _state(error) in _FORBIDDEN


def _state(error: DBAPIError) -> str:
    """Give the SQLSTATE of a fault; nothing when there is none.  A NUL character is refused by the driver, who names none."""
    state: str = getattr(error.orig, "sqlstate", None) or ""
    return "22021" if not state and isinstance(error, DataError) else state


def said(error: DBAPIError) -> str:
    """What the database says, in a line."""
    return next(iter(str(error.orig).strip().splitlines()), "")


def watch(bind: Engine) -> None:
    """Close all connections of a pool when one of them shows that their server has gone, or only reads; and keep rows out of messages."""
    event.listen(bind, "handle_error", _on_error)
    event.listen(bind, "connect", lambda connection, _record: connection.add_notice_handler(_on_notice))


def _on_notice(notice: Any) -> None:
    """Note that a commit has not waited for its standby (`unawaited`), in the thread that commits, before that has its answer.

    When its session is terminated instead, no notice comes: then the connection breaks.
    """
    if notice.source_function == _WAITING and notice.sqlstate == _TOLD_NOT_TO:
        unawaited.add(threading.get_ident())


def require_awaited() -> None:
    """Raise Unsettled when the commit that this thread has just been answered does not wait for its standby any more."""
    me = threading.get_ident()
    if me in unawaited:
        unawaited.discard(me)
        meters.OUTAGE.labels(Unsettled.__name__).inc()
        raise Unsettled(
            "Expected to commit on a standby, too, but somebody has ended the waiting for it, and whether it lasts is not known; "
            "look, or repeat it with its Idempotency-Key"
        )


def forget_unawaited() -> None:
    """Let the commit that this thread has just been answered be: the next one waits for it, too, and nobody is told before."""
    unawaited.discard(threading.get_ident())


def _on_error(context: ExceptionContext) -> None:
    state = getattr(context.original_exception, "sqlstate", None) or ""
    if state in _LOST or state == _CHANGED or state.startswith("57P"):
        context.is_disconnect = True
    _leave_out_rows(context, state)


def _leave_out_rows(context: ExceptionContext, state: str) -> None:
    """Keep the first sentence of what PostgreSQL says, before anybody logs it: what follows (DETAIL, CONTEXT) shows rows, people's data."""
    error, told = context.original_exception, context.sqlalchemy_exception
    sentence: str | None = getattr(getattr(error, "diag", None), "message_primary", None)
    if sentence is None:  # nobody has answered
        return
    if state.startswith(_OF_VALUES):
        sentence = _QUOTED.sub("…", sentence)
    if told is not None:
        told.args = (str(told.args[0]).replace(str(error), sentence), *told.args[1:])
    error.args = (sentence,)


def _meaning_of_driver(error: DBAPIError, *, committing: bool) -> EngineError | None:
    if isinstance(error.orig, sqlite3.Error):
        return on_sqlite(error.orig)
    state = _state(error)
    if state in _IN_THE_WAY:
        return Busy("Expected to get hold of the case, but somebody else is working on it; try again")
    if state in _VANISHED:
        return Vanished(_VANISHED[state])
    # Without a state nobody has answered: there is no connection, or no more.
    lost = state.startswith(("08", "57P", _UNKNOWN)) if state else isinstance(error, OperationalError | InterfaceError)
    if lost and committing:
        return Unsettled(
            "Expected to commit, but the connection to the database broke meanwhile, and whether it was carried out is not known; "
            "look, or repeat it with its Idempotency-Key"
        )
    if lost or state in _LOST or state == _USED_UP or is_unfit(state) or state.startswith(_AWAY):
        return _unavailable(state, said(error))
    return None


def _unavailable(state: str, said: str = "") -> Unavailable:
    if is_unfit(state):
        return _unfit(said)
    if state == "53300":
        condition = "takes no more connections"
    elif state == _ONLY_READS:
        condition = "only reads just now"
    elif state == _USED_UP:
        condition = "has reached a limit of its own (its log says which)"
    else:
        condition = "has no room left" if state.startswith("53") else "cannot be reached just now"
    return Unavailable(f"Expected the database to answer, but it {condition}; try again")


def _unfit(said: str) -> Unfit:
    """Say what is kept from us, and tell whoever looks after the database, now and then: it is asked for again and again."""
    now = time.monotonic()
    if now - _told_at.get(said, -inf) >= _TOLD_AGAIN:
        _told_at[said] = now
        log.error("the database keeps something from this node", because=said)
    return Unfit(f"Expected the database to let this node work, but it says: {said}")


def on_sqlite(error: sqlite3.Error) -> EngineError | None:
    """Say what a fault of SQLite means; None: it is none of these."""
    said = str(error)
    if "locked" in said:
        return Busy("Expected to get hold of the case, but somebody else is working on it; try again")
    if _SQLITE_UNDONE in said:
        return Unavailable("Expected the database to go on, but it has undone the whole transaction, as when its disk is full; try again")
    if any(words in said for words in _SQLITE_AWAY):
        return Unavailable(f"Expected the database to answer, but it says: {said}; try again")
    return _unfit(said) if any(words in said for words in _SQLITE_DAMAGED) else None
