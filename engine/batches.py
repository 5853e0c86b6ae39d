"""Batches (成批): what is due and was never tried in vain is claimed with its instances, many at a time, and done in one transaction.

Each is of another case, so that none of them reads what another one has put off.  What somebody holds is left to him.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, bindparam, func, select, true
from sqlalchemy.orm import Session

from engine import holdings, keys, moments
from engine.case_models import Case
from engine.holdings import COLUMNS, INSTANCES, Held
from engine.models import Job, Timer
from engine.queues import LONG_AGO
from engine.reads import Read, marked
from engine.schedule_models import Continuation


class Batch:
    """A table of what is due in instances.  `pending`: what is still to be done; `untried`: what has not failed yet.

    `which` narrows a claim down, to what is said by its parameters.
    """

    def __init__(
        self,
        table: type[Job | Timer | Continuation],
        *columns: str,
        pending: ColumnElement[bool],
        untried: ColumnElement[bool],
        which: ColumnElement[bool] | None = None,
    ) -> None:
        rows = table.__table__
        due = rows.c.due_at.between(bindparam("since"), bindparam("now")), pending, ~INSTANCES.c.suspended
        query = select(rows).join(INSTANCES, keys.its(rows.c.instance_id, INSTANCES)).where(*due)
        query = query.order_by(rows.c.due_at).limit(bindparam("most"))
        self._tried = marked(query.with_only_columns(rows.c.id, maintain_column_froms=True).where(~untried))
        query = query.where(untried)
        self._due = query.with_only_columns(rows.c.id, maintain_column_froms=True)
        self._count = marked(select(func.count()).select_from(self._due.order_by(None).subquery()))
        own: tuple[Column[Any], ...] = tuple(rows.c[name] for name in columns)
        self._width = len(own)
        claim = query.join(Case, keys.same_case(rows, Case)).where(true() if which is None else which)
        self._claim = Read((*own, *COLUMNS), claim.with_for_update(of=(rows, INSTANCES), key_share=True, skip_locked=True))

    def due(self, session: Session, limit: int, *, since: datetime = LONG_AGO) -> list[UUID]:
        """Ids of what is due and was never tried in vain, the oldest first; what was due before `since` is left out."""
        return list(session.scalars(self._due, _between(since, limit)))

    def count(self, session: Session, most: int, *, since: datetime) -> int:
        """How many are due and were never tried in vain; it counts no further than to the `most`."""
        return int(session.connection().execute(self._count, _between(since, most)).scalar_one())

    def tried(self, session: Session, limit: int, *, since: datetime = LONG_AGO) -> list[UUID]:
        """Ids of what is due once more, after it was tried in vain."""
        return list(session.connection().execute(self._tried, _between(since, limit)).scalars())

    @contextmanager
    def taken(self, session: Session, limit: int, *, since: datetime, **said: Any) -> Iterator[list[tuple[Held, Sequence[Any]]]]:
        """Claim what is due: one of each case, with its instance, which is written when the block ends, and its columns."""
        held = holdings.of(session)
        first: dict[UUID, tuple[Held, Sequence[Any]]] = {}
        for found in self._claim.all(session.connection(), {**_between(since, limit), **said}):
            row = held.take(found[self._width :])
            first.setdefault(row.case_id, (row, found[: self._width]))
        with holdings.written_together(session, [row.id for row, _ in first.values()]):
            yield list(first.values())


def _between(since: datetime, most: int) -> dict[str, Any]:
    return {"since": since, "now": moments.now(), "most": most}
