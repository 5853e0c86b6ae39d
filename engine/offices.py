"""Departments (部门) and halls (大厅): who decides, and where people come.  Their codes stay for ever, for diagrams and cases have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.actors import Actor, Role
from engine.errors import InvalidInput
from engine.models import Department, Hall

Office = TypeVar("Office", Department, Hall)
#: What can stand in a list of candidate groups (`department-fire,window`) and in an address.
_CODE = re.compile(r"\w[\w.-]{0,39}")


def put_department(session: Session, code: str, *, actor: Actor, name: str) -> tuple[Department, bool]:
    """Make a department, or give it another name; tells also whether it was made.  Once more changes nothing."""
    actor.require(Role.ADMIN, to="make or rename a department")
    return _put(session, Department, code, name=name)


def put_hall(session: Session, code: str, *, actor: Actor, name: str, level: str) -> tuple[Hall, bool]:
    """Make a hall, or give it another name and level (city, county, street …); tells also whether it was made."""
    actor.require(Role.ADMIN, to="make or rename a hall")
    return _put(session, Hall, code, name=name, level=level)


def listing(session: Session, kind: type[Office], *, after: str = "", limit: int = 50) -> Sequence[Office]:
    """List departments or halls by code, from the one that follows `after`."""
    return session.scalars(select(kind).where(kind.code > after).order_by(kind.code).limit(limit)).all()


def _put(session: Session, kind: type[Office], code: str, **values: str) -> tuple[Office, bool]:
    if not _CODE.fullmatch(code):
        message = f"Expected a code of letters, digits, dots, dashes and underscores, 40 at most, but got {code!r:.100}"
        raise InvalidInput.of_field("code", message)
    connection, table = session.connection(), cast("Table", kind.__table__)
    change = update(table).where(table.c.code == code).values(values)
    made = not connection.execute(change).rowcount
    if made:
        try:
            with connection.begin_nested():
                connection.execute(insert(table).values(code=code, **values))
        except IntegrityError:  # somebody else made it in the same moment
            connection.execute(change)
            made = False
    return session.get_one(kind, code, populate_existing=True), made
