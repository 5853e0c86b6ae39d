"""Scans: the rows of a table one after the other, some in each transaction, so that it takes as much memory for ten as for ten million."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVarTuple

from sqlalchemy import Row, Select
from sqlalchemy.orm import InstrumentedAttribute

from engine.database import Database

Columns = TypeVarTuple("Columns")

#: Rows that are read in one go.
TOGETHER = 1000


def rows(db: Database, query: Select[*Columns], key: InstrumentedAttribute[Any]) -> Iterator[Row[*Columns]]:
    """Yield the rows of a query in the order of the `key`, a column of theirs that no two share; nothing is held open meanwhile."""
    query = query.order_by(key).limit(TOGETHER)
    here = query
    while True:
        with db.reading() as session:
            found = session.execute(here).all()
        yield from found
        if len(found) < TOGETHER:
            return
        here = query.where(key > getattr(found[-1], key.key))
