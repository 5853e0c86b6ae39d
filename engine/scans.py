"""Scans: the rows of a table one after the other, some in each transaction, so that it takes as much memory for ten as for ten million."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select

from engine.database import Database

Columns = TypeVar("Columns", bound=tuple[Any, ...])

#: Rows that are read in one go.
TOGETHER = 1000


def rows(db: Database, query: Select[Columns], key: ColumnElement[Any]) -> Iterator[Row[Columns]]:
    """Yield the rows of a query in the order of its first column, the `key`, which no two of them share; nothing is held open meanwhile."""
    query = query.order_by(key).limit(TOGETHER)
    here = query
    while True:
        with db.reading() as session:
            found = session.execute(here).all()
        yield from found
        if len(found) < TOGETHER:
            return
        here = query.where(key > found[-1][0])
