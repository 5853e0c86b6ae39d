"""Outages of the database (数据库故障): errors of the driver become our own, each with its meaning for whoever asked; only here.

A transaction that fails before COMMIT is sent has done nothing:
`Busy`         somebody else was in the way (a lock, a deadlock, a serialization failure)
`Vanished`     a row that is referred to is not there; whoever tries again finds out what has been archived or deleted
`Unavailable`  the database cannot be reached, has no connection left, or no room
`Unfit`        it keeps a table from us, or its files are damaged; timers and jobs do not count that as a failed attempt
`Exhausted`    this node has no memory left, so it is no fault of the database; timers and jobs count it, each by itself (decision 0016)

When the connection breaks during COMMIT, nobody knows whether it was carried out (`Unsettled`): only a command with an Idempotency-Key can
be repeated then, for the key tells.  The same holds when somebody stops a COMMIT from waiting for its standby: it was carried out, but on
one machine only.
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
#: A value that must be unique is there already (SQLSTATE).
_TAKEN = "23505"
#: Our role has no privilege, or no schema to create anything in (SQLSTATE).
_FORBIDDEN = frozenset({"42501", "3F000"})
#: The same, or a table does not exist, as in the middle of a restoration by hand (SQLSTATE).
_WITHHELD = _FORBIDDEN | {"42P01"}
#: The file of a table is missing; and how the states begin that tell of damaged data or of a fault of the server itself (SQLSTATE).
_MISSING, _DAMAGED = "58P01", "XX"
_GONE = "Expected to find what was there a moment ago, but it has just been archived or deleted; try again"
#: Somebody has changed a table, so a prepared statement no longer fits it: it is prepared anew in a new connection (SQLSTATE).
_CHANGED = "0A000"
#: Something is no longer as it was a moment ago (SQLSTATE: a foreign key leads nowhere, or the above), with the message for whoever asked.
_VANISHED = {"23503": _GONE, _CHANGED: "Expected to find a table as it was a moment ago, but it has just been changed; try again"}
#: The server takes no writes any more: another one has been promoted in its place (SQLSTATE).
_ONLY_READS = "25006"
#: States after which the connection is of no use: the server has ended its transaction, which was idle or lasted too long; or as above.
_LOST = frozenset({"25P03", "25P04", _ONLY_READS})
#: How states begin: connection exceptions, insufficient resources (disk, memory, connections), intervention of an operator, errors of the
#: server's system, a snapshot that is too old.
_AWAY = ("08", "53", "57", "58", "72")
#: Nobody knows whether a statement was carried out, as where several servers are one database (SQLSTATE).
_UNKNOWN = "40003"
#: A limit of the server itself (SQLSTATE), as when its transaction ids are used up: it takes no commands until somebody has vacuumed.
_USED_UP = "54000"
#: SQLAlchemy's code for a statement on a connection that broke earlier in its transaction, as when somebody cleans up after the fault.
_BROKEN_BEFORE = "8s2b"
#: A value that no column takes, and that only the database has noticed: a text too long, a number too great, a NUL character (SQLSTATE).
_UNFIT = frozenset({"22001", "22003", "22021", "22P05"})
#: How the states of faulty values begin (SQLSTATE); and the value, which the first sentence of such a message quotes.
_OF_VALUES, _QUOTED = "22", re.compile(r'(?<=").*(?=")', re.DOTALL)
#: The function of PostgreSQL that waits for a standby, which its messages name in every language; and the state of the warning that
#: somebody has stopped the waiting (SQLSTATE).
_WAITING, _TOLD_NOT_TO = "SyncRepWaitForLSN", "01000"
#: When the log was last told of what is kept from us, by its message; and after how many seconds it is told again.
_told_at: dict[str, float] = {}
_TOLD_AGAIN = 300
#: Threads whose commit has not waited for its standby; one that finds itself here takes itself out (`require_awaited`).
unawaited: set[int] = set()
#: Parts of SQLite's messages, for it has no states: it is away …
_SQLITE_AWAY = ("disk is full", "disk I/O error", "unable to open database", "readonly database")
#: … its file is damaged, or is another one …
_SQLITE_DAMAGED = ("disk image is malformed", "not a database", "no such table")
#: … it has rolled back a whole transaction by itself, as it does on a full disk, and is then asked to go back to a savepoint in it.
_SQLITE_UNDONE = "no such savepoint"


@dataclass(frozen=True, kw_only=True, slots=True)
class told:  # noqa: N801 - read as a word: `with outages.told():`
    """Turn an error of the database, or of memory, in the block into ours; what is no outage (a constraint, a wrong statement) is left."""

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
    """Whether what this SQLSTATE says may be over in a moment."""
    return state in _IN_THE_WAY | _LOST or (state.startswith(_AWAY) and state != _MISSING)


def is_unfit(state: str) -> bool:
    """Whether what this SQLSTATE says lasts until somebody has mended the database, or given our role its privileges."""
    return state in _WITHHELD or state == _MISSING or state.startswith(_DAMAGED)


def is_taken(error: DBAPIError) -> bool:
    """Whether a value that must be unique is in the table already."""
    return _state(error) == _TAKEN or "UNIQUE constraint failed" in str(error.orig)


def is_forbidden(error: DBAPIError) -> bool:
    """Whether our role may not do that, or has no schema to do it in."""
    return _state(error) in _FORBIDDEN


def _state(error: DBAPIError) -> str:
    """Return the SQLSTATE of an error; empty: it has none.  NUL characters are refused by the driver itself, without a state."""
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
    """Raise Unsettled when the commit that this thread has just made has not waited for its standby."""
    me = threading.get_ident()
    if me in unawaited:
        unawaited.discard(me)
        meters.OUTAGE.labels(Unsettled.__name__).inc()
        raise Unsettled(
            "Expected to commit on a standby, too, but somebody has ended the waiting for it, and whether it lasts is not known; "
            "look, or repeat it with its Idempotency-Key"
        )


def forget_unawaited() -> None:
    """Take no notice of it when the commit that this thread has just made has not waited: the next commit waits for the standby, too."""
    unawaited.discard(threading.get_ident())


def _on_error(context: ExceptionContext) -> None:
    state = getattr(context.original_exception, "sqlstate", None) or ""
    if state in _LOST or state == _CHANGED or state.startswith("57P"):
        context.is_disconnect = True
    _leave_out_rows(context, state)


def _leave_out_rows(context: ExceptionContext, state: str) -> None:
    """Cut PostgreSQL's message down to its first sentence, before anybody logs it: the rest (DETAIL, CONTEXT) shows rows, people's data."""
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
    """Say what is kept from us; and log it, but each message only every five minutes, for the same is asked again and again."""
    now = time.monotonic()
    if now - _told_at.get(said, -inf) >= _TOLD_AGAIN:
        _told_at[said] = now
        log.error("the database keeps something from this node", because=said)
    return Unfit(f"Expected the database to let this node work, but it says: {said}")


def on_sqlite(error: sqlite3.Error) -> EngineError | None:
    """Return what an error of SQLite means; None: it is no outage."""
    said = str(error)
    if "locked" in said:
        return Busy("Expected to get hold of the case, but somebody else is working on it; try again")
    if _SQLITE_UNDONE in said:
        return Unavailable("Expected the database to go on, but it has undone the whole transaction, as when its disk is full; try again")
    if any(words in said for words in _SQLITE_AWAY):
        return Unavailable(f"Expected the database to answer, but it says: {said}; try again")
    return _unfit(said) if any(words in said for words in _SQLITE_DAMAGED) else None
