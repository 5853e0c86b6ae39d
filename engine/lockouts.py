"""Lockouts (锁定): wrong passwords are counted by account and address, so that whoever has a wrong one shuts nobody out elsewhere.

Ten in a row from one address lock the account there, for a quarter of an hour; while it is locked nothing counts, so a lock ends.  An
account that is tried from very many addresses is locked at each by its first wrong password.  Until there is a place for that (migration
0030) the account is locked as a whole (docs/decisions/0024).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import moments, reads, schema
from engine.account_models import Account, WrongPassword
from engine.database import Database

#: So many wrong passwords in a row lock an account at an address, for so long; one that is older counts no more.
FAILURES = 10
LOCKED_FOR = timedelta(minutes=15)
#: From so many addresses at a time nobody has a wrong password by mistake.
ADDRESSES = 100
#: The revision since which there is a place for it.
KNOWN_SINCE = "0030"
_WRONG, _ACCOUNTS = WrongPassword.__table__, Account.__table__
#: It is asked for with every password, so it is built once.
_TIMES = reads.marked(
    select(_WRONG.c.times).where(
        _WRONG.c.account_id == bindparam("account"), _WRONG.c.address == bindparam("address"), _WRONG.c.last_at > bindparam("since")
    )
)


def wrong(session: Session, account_id: UUID, address: str) -> int:
    """How many wrong passwords of an account have come from there in a row; `FAILURES`: none is looked at just now."""
    connection = session.connection()
    if schema.is_there(connection, KNOWN_SINCE):
        return connection.scalar(_TIMES, {"account": account_id, "address": address, "since": moments.now() - LOCKED_FOR}) or 0
    row = connection.execute(select(_ACCOUNTS.c.failed_logins, _ACCOUNTS.c.locked_until).where(_ACCOUNTS.c.id == account_id)).one()
    return FAILURES if row.locked_until is not None and row.locked_until > moments.now() else row.failed_logins


def count(session: Session, account_id: UUID, address: str) -> None:
    """Count a wrong password; while an account is locked nothing counts."""
    connection = session.connection()
    if not schema.is_there(connection, KNOWN_SINCE):
        _count_as_before(connection, account_id)
        return
    tried = connection.scalar(select(func.count()).where(_WRONG.c.account_id == account_id, _is_recent())) or 0
    weight, now = FAILURES if tried >= ADDRESSES else 1, moments.now()
    once_more = {"times": case((_is_recent(), _WRONG.c.times + weight), else_=weight), "last_at": now}
    again = update(_WRONG).where(*_of(account_id, address), or_(_WRONG.c.times < FAILURES, ~_is_recent())).values(once_more)
    if connection.execute(again).rowcount or wrong(session, account_id, address) >= FAILURES:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(_WRONG).values(account_id=account_id, address=address, times=weight, last_at=now))
    except IntegrityError:  # another one has come from there in the same moment
        connection.execute(again)


def forget(session: Session, account_id: UUID, address: str | None = None) -> None:
    """Forget what was wrong from there (None: from anywhere): the right one has come, or another one is right from now on."""
    connection = session.connection()
    if schema.is_there(connection, KNOWN_SINCE):
        connection.execute(delete(_WRONG).where(*_of(account_id, address)))
    connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == account_id).values(failed_logins=0, locked_until=None))


def are_kept(db: Database) -> bool:
    """Whether there is a place for wrong passwords by now."""
    with db.reading() as session:
        return schema.is_there(session.connection(), KNOWN_SINCE)


def _of(account_id: UUID, address: str | None) -> list[ColumnElement[bool]]:
    return [_WRONG.c.account_id == account_id, *([] if address is None else [_WRONG.c.address == address])]


def _is_recent() -> ColumnElement[bool]:
    return _WRONG.c.last_at > moments.now() - LOCKED_FOR


def _count_as_before(connection: Connection, account_id: UUID) -> None:
    now, columns = moments.now(), _ACCOUNTS.c
    last = columns.failed_logins + 1 >= FAILURES
    counted = {
        "failed_logins": case((last, 0), else_=columns.failed_logins + 1),
        "locked_until": case((last, now + LOCKED_FOR), else_=columns.locked_until),
    }
    free = or_(columns.locked_until.is_(None), columns.locked_until <= now)
    connection.execute(update(_ACCOUNTS).where(columns.id == account_id, free).values(counted))
