"""Pieces (逐件): what a command does to many cases, each piece to one.

By default all of them share the transaction that finds them.  Where a transaction may write to one case only (`ONETHING_BATCH` is 1), each
piece has its own.  Then the pieces before one that fails stay done, so not the whole command is repeated, but that piece alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from engine import holidays
from engine.database import Database
from engine.errors import Busy, Unavailable, Unsettled

Answer = TypeVar("Answer")
Piece = Callable[[Session], Answer]


def do(
    db: Database,
    find: Callable[[Session], Iterable[Piece[Answer]]],
    *,
    again: Callable[[Callable[[], Answer]], Answer] = lambda work: work(),
) -> list[Answer]:
    """Do what is found; `again` repeats what the database keeps from being done.

    Raises what a piece raises, and Unsettled when it has been in the way of one after others were done.
    """
    with db.transaction() as session:
        pieces = list(find(session))
        if db.batch > 1:
            return [_beside(session, piece) for piece in pieces]
    done: list[Answer] = []
    for piece in pieces:
        try:
            done.append(again(partial(_alone, db, piece)))
        except (Busy, Unavailable) as error:
            if not done:
                raise
            raise Unsettled(f"Expected to reach {len(pieces)} cases, but only {len(done)} have been: {error.message}") from error
    return done


def _beside(session: Session, piece: Piece[Answer]) -> Answer:
    holidays.forget(session)  # its case, which nobody holds yet, may have been counted anew since the calendar was read
    return piece(session)


def _alone(db: Database, piece: Piece[Answer]) -> Answer:
    with db.transaction() as session:
        return piece(session)
