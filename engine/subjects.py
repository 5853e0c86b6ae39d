"""Subjects: what an instance is about — its case, and the item whose process it is."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from engine import keys
from engine.case_models import Case, Item

_BOTH = (
    select(Case, Item).outerjoin(Item, and_(Item.id == bindparam("item"), keys.together(Item, Case))).where(Case.id == bindparam("case"))
)


class Subject:
    """A case and perhaps an item of it, read when first asked for: a process without a matter hardly ever asks."""

    def __init__(self, session: Session, case_id: UUID, item_id: UUID | None) -> None:
        self._session = session
        self._ids = {"case": case_id, "item": item_id}

    def read_anew(self) -> None:
        """Read both again, whatever the session knows of them."""
        case, item = self._session.execute(_BOTH, self._ids, execution_options={"populate_existing": True}).one()
        self._both = (case, item)

    @classmethod
    def of(cls, session: Session, case: Case, item: Item | None) -> Subject:
        """Say it of what is at hand."""
        subject = cls(session, case.id, item.id if item else None)
        subject._both = (case, item)
        return subject

    @cached_property
    def _both(self) -> tuple[Case, Item | None]:
        case, item = self._session.execute(_BOTH, self._ids).one()
        return case, item

    @property
    def case(self) -> Case:
        """The case."""
        return self._both[0]

    @property
    def item(self) -> Item | None:
        """The item; None: the process is that of the whole case."""
        return self._both[1] if self._ids["item"] else None
