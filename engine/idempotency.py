"""Idempotent commands (幂等): a command that is repeated with its key gets the first answer, and nothing is done twice.

The answer is kept in the transaction of the command itself.  Of two at once the second waits at the key: for the first
one's answer, or for its failure, and then it runs itself.  A refused command changed nothing and keeps nothing.
Answers are kept for a time (`ONETHING_KEEP_ANSWERS`; `engine.retention` deletes them): a key that comes later is new.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import moments
from engine.actors import Actor
from engine.errors import InvalidInput
from engine.models import IdempotentAnswer

_PENDING = 0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: str


def begin(session: Session, key: str, *, actor: Actor, request_hash: str) -> Answer | None:
    """Take the key for this command; give the first answer when it was taken by the same command before.

    Raises InvalidInput when it was taken by another command of the same actor.
    """
    row = {"key": key, "actor": actor.name, "request_hash": request_hash, "status": _PENDING, "body": "", "answered_at": moments.now()}
    try:
        with session.begin_nested():
            session.execute(insert(IdempotentAnswer).values(row))
    except IntegrityError:
        first = session.scalars(select(IdempotentAnswer).where(IdempotentAnswer.key == key, IdempotentAnswer.actor == actor.name)).one()
        if first.request_hash != request_hash:
            raise InvalidInput("Expected a new Idempotency-Key for a new command, but this one belongs to another command") from None
        return Answer(status=first.status, body=first.body)
    return None


def finish(session: Session, key: str, *, actor: Actor, answer: Answer) -> None:
    """Keep the answer for those who repeat the command."""
    session.execute(
        update(IdempotentAnswer)
        .where(IdempotentAnswer.key == key, IdempotentAnswer.actor == actor.name)
        .values(status=answer.status, body=answer.body)
        .execution_options(synchronize_session=False)
    )
