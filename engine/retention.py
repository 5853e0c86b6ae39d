"""Retention (保存期限): what has served its time is deleted.  History, cases and files are none of it: they have legal terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, select

from engine import keys, lockouts, moments
from engine.account_models import LogIn, WrongPassword
from engine.accounts import LOGGED_IN_FOR
from engine.case_models import Draft
from engine.command_models import IdempotentAnswer, Reservation
from engine.database import Database
from engine.models import Base, Task
from engine.states import TaskStatus

#: So much earlier than the answer goes what was reserved, whatever the clocks of two nodes say: who repeats a submission finds the answer
#: without it, but with it alone would want to be a case that is there.
EARLIER = timedelta(minutes=1)


def sweep(db: Database, *, answers: timedelta) -> None:
    """Delete answers older than that with what was reserved for them, log-ins and wrong passwords that are over, and drafts of ended tasks.

    Any number of nodes may do so at the same time.
    """
    now = moments.now()
    over: list[tuple[type[Base], ColumnElement[bool]]] = [
        (IdempotentAnswer, IdempotentAnswer.answered_at <= now - answers),
        (Reservation, Reservation.taken_at <= now - answers + EARLIER),
        (LogIn, LogIn.begun_at <= now - LOGGED_IN_FOR),
        (Draft, exists().where(keys.its(Draft.task_id, Task), Task.status != TaskStatus.OPEN)),
    ]
    if lockouts.are_kept(db):
        over.append((WrongPassword, WrongPassword.last_at <= now - lockouts.LOCKED_FOR))
    if not _is_any(db, over):  # the usual case takes nobody's turn to write
        return
    with db.transaction() as session:
        for table, old in over:
            session.execute(delete(table).where(old).execution_options(synchronize_session=False))


def _is_any(db: Database, over: Iterable[tuple[type[Base], ColumnElement[bool]]]) -> bool:
    with db.reading() as session:
        return any(session.scalar(select(1).select_from(table).where(old).limit(1)) for table, old in over)
