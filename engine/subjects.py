"""Subjects: what an instance is about — its case and, if it is the process of an item, that item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from engine import holdings, keys
from engine.case_models import Case, Item, Notice, Tolerance
from engine.models import Incident
from engine.reads import Reading

_THE_CASE = Case.id == bindparam("case_id"), Case.region == bindparam("region")
_BOTH = select(Case, Item).outerjoin(Item, and_(Item.id == bindparam("item"), keys.same_case(Item, Case))).where(*_THE_CASE)


def _around(items: Select[Item], notices: ColumnElement[bool]) -> Reading:
    """Read together: a case, some of its items, its tolerances, the number of some notices, and of incidents on an instance."""
    return Reading(
        select(Case).where(*_THE_CASE),
        items,
        select(Tolerance).where(*keys.asked(Tolerance)).order_by(Tolerance.id),
        select(func.count(Notice.id)).where(*keys.asked(Notice), notices),
        select(func.count(Incident.id)).where(
            *keys.asked(Incident), Incident.instance_id == bindparam("instance"), Incident.resolved_at.is_(None)
        ),
    )


_OF_ITEM = _around(select(Item).where(*keys.asked(Item), Item.id == bindparam("item")), Notice.item_id == bindparam("item"))
_OF_CASE = _around(select(Item).where(*keys.asked(Item)).order_by(Item.joined_at, Item.number), Notice.item_id.is_(None))


class Subject:
    """A case and perhaps an item of it; they are read when somebody asks, for a process without a matter hardly ever does."""

    def __init__(self, session: Session, key: Mapping[str, Any], item_id: UUID | None) -> None:
        self._session = session
        self._ids = {**key, "item": item_id}
        #: How many incidents stood on the instance at `read_anew`; None: that was not called.
        self.incidents: int | None = None
        self._both: tuple[Case, Item | None] | None = None

    def read_anew(self, instance_id: UUID) -> None:
        """Read case and item as they are now, with what is often asked beside them; the caller holds this instance of theirs."""
        reading, ids = _OF_ITEM if self._ids["item"] else _OF_CASE, {**self._ids, "instance": instance_id}
        (case,), items, tolerances, (notices,), (self.incidents,) = reading.all(self._session, ids)
        set_committed_value(case, "tolerances", tolerances)
        if not self._ids["item"]:
            set_committed_value(case, "items", items)
        holdings.of(self._session).notices[case.id, self._ids["item"]] = notices
        self._both = (case, items[0] if self._ids["item"] else None)

    @classmethod
    def of(cls, session: Session, case: Case, item: Item | None) -> Subject:
        """Make the subject of a case and an item that are read already."""
        subject = cls(session, case.key, item.id if item else None)
        subject._both = (case, item)
        return subject

    def _read(self) -> tuple[Case, Item | None]:
        # No cached property: before Python 3.12 all threads wait for whoever makes one, and here he waits for the database.
        case, item = self._session.execute(_BOTH, self._ids).one()
        self._both = (case, item)
        return self._both

    @property
    def case(self) -> Case:
        """The case."""
        return (self._both or self._read())[0]

    @property
    def item(self) -> Item | None:
        """The item; None: the process is that of the whole case."""
        return (self._both or self._read())[1] if self._ids["item"] else None
