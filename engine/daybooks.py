"""Daybooks (工作日志): all that one person, or one program, has done from one day to another, in the words of the journal."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Select, and_, bindparam, literal_column, or_, select
from sqlalchemy.orm import Session

from engine import keys, pages
from engine.actors import ENGINE, Actor, Role
from engine.case_models import Case, Item
from engine.errors import InvalidInput
from engine.models import Entry, Instance

#: The condition of the index, which is only used where the statement itself says so: the engine does as much as all people together.
SOMEBODY = Entry.actor != literal_column(f"'{ENGINE.name}'")
_SHOWN: tuple[Any, ...] = (
    *(Entry.id, Entry.at, Entry.actor, Entry.what, Entry.details, Case.number.label("case"), Case.matter, Case.hall),
    *(Item.number.label("item"), Item.name, Item.department),
)


@dataclass(frozen=True, kw_only=True)
class DaybookFilter:
    """Whose daybook is asked for, and which days in Beijing, both included; None: of whatever days."""

    actor: str
    since: date | None = None
    until: date | None = None


def listing(
    session: Session, actor: Actor, wanted: DaybookFilter, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """List what somebody has done, the newest first; so much, from what follows `after`: in cases that are not in the archive.

    One's own is whole; that of others is for supervisors, in their halls, and for administrators.  Raises NotPermitted, and InvalidInput
    for that of the engine.
    """
    if wanted.actor == ENGINE.name:
        raise InvalidInput.of_field("actor", f"Expected the name of a person or a program, but {ENGINE.name} is the engine itself")
    own = wanted.actor == actor.name
    if not own:
        actor.require(Role.SUPERVISOR, Role.ADMIN, to=f"see what {wanted.actor} has done")
    at, known = after or (None, None)
    query = _page(wanted, None if own else _halls(actor), goes_on=after is not None)
    # Of the session it would be asked as for objects.
    return session.connection().execute(query, {"at": at, "id": known, "limit": limit}).all()


def _halls(actor: Actor) -> frozenset[str] | None:
    """Halls that somebody supervises; None: all."""
    mine = {grant.hall for grant in actor.grants if grant.role is Role.SUPERVISOR}
    return None if actor.has(Role.ADMIN) or None in mine else frozenset(hall for hall in mine if hall)


@functools.lru_cache(maxsize=256)
def _page(wanted: DaybookFilter, halls: Collection[str] | None, *, goes_on: bool) -> Select[Any]:
    query = select(*_SHOWN).join(Case, keys.same_case(Entry, Case)).join(Instance, keys.its(Entry.instance_id, Instance))
    query = query.outerjoin(Item, keys.its(Instance.item_id, Item)).where(*_conditions(wanted, halls))
    if goes_on:
        at, known = bindparam("at", type_=Entry.at.type), bindparam("id", type_=Entry.id.type)
        query = query.where(Entry.at <= at, or_(Entry.at < at, and_(Entry.at == at, Entry.id < known)))
    return query.order_by(Entry.at.desc(), Entry.id.desc()).limit(bindparam("limit", type_=Integer))


def _conditions(wanted: DaybookFilter, halls: Collection[str] | None) -> Iterator[ColumnElement[bool]]:
    yield Entry.actor == wanted.actor
    yield SOMEBODY
    yield from pages.within(Entry.id, Entry.at, wanted.since, wanted.until)
    if halls is not None:
        yield Case.hall.in_(sorted(halls))
