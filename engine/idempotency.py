"""Idempotent commands (幂等): a command that is repeated with its key gets the first answer, and nothing is done twice.

The answer is kept last, in the transaction of the command and beside what that has written (docs/decisions/0021).  A command that comes
again is carried out again, until what the first one did is in its way, or it wants to keep an answer, too: then all of it is undone, and
the first answer given.  A refused command changed nothing and keeps nothing.
Answers are kept for a time (`ONETHING_KEEP_ANSWERS`; `engine.retention` deletes them): a key that comes later is new.
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
# What is unique is so beside the rows of one case: an answer beside those of another is looked for.
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
    """Open the transaction of a command; its last word is to be `keep`.

    Whatever is in the way of a command that was carried out before, its first answer counts: raises Repeated, or InvalidInput when the key
    belongs to another command of the same actor.  Raises Vanished when that answer is just being forgotten: what was reserved with it goes
    in the same moment, so who begins anew is new.
    """
    try:
        with db.transaction() as session:
            session.info.update({_COMMAND: command, PLACE: None})
            yield session
    except Unavailable:
        raise  # nobody can be asked, and nobody knows yet: when it comes again, that tells
    except Exception as error:
        first = recall(db, command)
        if first is not None:
            raise Repeated(first) from error
        if isinstance(error, IntegrityError) and outages.is_taken(error):
            raise Vanished("Expected to find what was answered first, but it has just been forgotten; try again") from error
        raise


def recall(db: Database, command: Command) -> Answer | None:
    """What was answered the first time; None: it was not carried out yet.  Raises InvalidInput when the key belongs to another command.

    It may be there to see, and not yet on a standby: its commit was still waiting when the server was started anew, or somebody ended the
    waiting.  So something is committed behind it, which is answered when all before it is there as well.
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
    """What the session carries out; None: what nobody repeats."""
    found: Command | None = session.info.get(_COMMAND)
    return found


def keep(session: Session, answer: Answer) -> None:
    """Keep the answer for those who repeat the command, beside what it has written.  Nothing is left to do then but to commit.

    Raises Busy, or what the database says of a key that is not unique, when somebody was before.
    """
    holdings.write(session)  # before the key is taken: whoever has it waits for nobody
    command = session.info[_COMMAND]
    said = {"key": command.key, "actor": command.actor, "request_hash": command.request_hash, "status": answer.status, "body": answer.body}
    row = said | (session.info[PLACE] or keys.NOBODY) | {"answered_at": moments.now()}
    if not session.connection().execute(_KEEP, row).rowcount:
        raise Busy("Expected a new Idempotency-Key, but somebody had it before; try again")


def _find(session: Session, command: Command) -> Row[Any] | None:
    """What is kept of the first time; raises InvalidInput when the key of a command belongs to others only."""
    rows = session.connection().execute(_FIND, {"key": command.key, "actor": command.actor})
    kept = {row.request_hash: row for row in rows}
    if kept and command.request_hash not in kept:
        raise InvalidInput("Expected a new Idempotency-Key for a new command, but this one belongs to another command")
    return kept.get(command.request_hash)
