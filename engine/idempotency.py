"""Idempotent commands (幂等): a command that is repeated with its key gets the first answer, and nothing is done twice.

The answer is kept last, in the transaction of the command and beside what that has written (docs/decisions/0021).  Whether a key was used
before is not asked at first.  A command that comes again is begun again, and fails on what the first one did, or at the latest when its
answer is to be kept, too: then all of it is rolled back, and the first answer is given.  A refused command changed nothing and keeps
nothing.  Answers are kept for a time (`ONETHING_KEEP_ANSWERS`; `engine.retention` deletes them): after that the key is a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import holdings, keys, moments, outages, postgresql
from engine.command_models import IdempotentAnswer
from engine.database import Database
from engine.errors import Busy, InvalidInput, Unavailable, Vanished
from engine.writes import PLACE

_COMMAND = "command"
_ANSWERS = IdempotentAnswer.__table__
_KNOWN = (_ANSWERS.c.key == bindparam("key"), _ANSWERS.c.actor == bindparam("actor"))
_FIND = select(_ANSWERS).where(*_KNOWN)
# The primary key makes a key unique within one case only, so an answer beside another case must be looked for.
_KEEP = (
    insert(_ANSWERS)
    .from_select(
        _ANSWERS.c.keys(),
        select(*(bindparam(name, type_=column.type) for name, column in _ANSWERS.c.items())).where(~exists().where(*_KNOWN)),
    )
    .execution_options(preserve_rowcount=True)
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that may be repeated: what it is known by."""

    key: str
    #: Name of who gives it; the keys of two people have nothing to do with each other.
    actor: str
    #: SHA-256 of what is asked: a key that comes with something else is refused.
    request_hash: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: str


class Repeated(Exception):  # noqa: N818 - it says what the command is, not what is wrong
    """The command was carried out before; this is what was answered then."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@contextmanager
def transaction(db: Database, command: Command) -> Iterator[Session]:
    """Open the transaction of a command with a key; the last thing that is done in it must be `keep`.

    If the command was carried out before, raises Repeated with the first answer, whatever has made it fail now; InvalidInput when the key
    belongs to another command of the same actor.  Raises Vanished when that answer is just being deleted: tried again, the command is a new
    one.
    """
    try:
        with db.transaction() as session:
            session.info.update({_COMMAND: command, PLACE: None})
            yield session
    except Unavailable:
        raise  # the database cannot be asked now; when the command comes again, it can
    except Exception as error:
        first = recall(db, command)
        if first is not None:
            raise Repeated(first) from error
        if isinstance(error, IntegrityError) and outages.is_taken(error):
            raise Vanished("Expected to find what was answered first, but it has just been forgotten; try again") from error
        raise


def recall(db: Database, command: Command) -> Answer | None:
    """Return the first answer to a command; None: it was not carried out yet.  Raises InvalidInput when the key belongs to another command.

    The answer may be visible without being on the standby: while its commit waited for that, the server was restarted, or somebody has
    stopped the waiting.  So something else is committed now: once this is on the standby, so is all that was committed before.
    """
    with db.reading() as session:
        first = _find(session, command)
    if first is None:
        return None
    if postgresql.is_behind(db.bind):
        with db.transaction() as session:
            there = update(_ANSWERS).filter_by(key=first.key, actor=first.actor, case_id=first.case_id, region=first.region)
            session.connection().execute(there.values(status=first.status))
    return Answer(status=first.status, body=first.body)


def current(session: Session) -> Command | None:
    """Return the command that a session carries out; None: it has no key, so nobody repeats it."""
    found: Command | None = session.info.get(_COMMAND)
    return found


def keep(session: Session, answer: Answer) -> None:
    """Write the answer to a command beside the case that it has written to, for when it is repeated; nothing but the commit may follow.

    Raises Busy, or IntegrityError, when the same key was used in the same moment.
    """
    holdings.write(session)  # first, for it may wait for locks, and whoever has locked the key must wait for nobody
    command = session.info[_COMMAND]
    said = {"key": command.key, "actor": command.actor, "request_hash": command.request_hash, "status": answer.status, "body": answer.body}
    row = said | (session.info[PLACE] or keys.NOBODY) | {"answered_at": moments.now()}
    if not session.connection().execute(_KEEP, row).rowcount:
        raise Busy("Expected a new Idempotency-Key, but somebody had it before; try again")


def _find(session: Session, command: Command) -> Row[Any] | None:
    """Return the answer that is kept for a command, or None; raises InvalidInput when its key belongs to other commands only."""
    rows = session.connection().execute(_FIND, {"key": command.key, "actor": command.actor})
    kept = {row.request_hash: row for row in rows}
    if kept and command.request_hash not in kept:
        raise InvalidInput("Expected a new Idempotency-Key for a new command, but this one belongs to another command")
    return kept.get(command.request_hash)
