"""Reads: a query for rows of known columns, each of which comes as one value where that is cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select

from engine import postgresql


class Read:
    """A query, built once: `query` says from where, under which condition, and what is locked."""

    def __init__(self, columns: Sequence[Column[Any]], query: Select[Any]) -> None:
        self._columns = tuple(columns)
        self._plain = query.with_only_columns(*columns, maintain_column_froms=True)
        self._packed = query.with_only_columns(postgresql.packed(columns), maintain_column_froms=True)

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any] | None:
        """Give the values of the first row; None: there is none."""
        if connection.dialect.name == "postgresql":
            found = connection.execute(self._packed, parameters).scalar()
            return None if found is None else postgresql.unpack(self._columns, found)
        return connection.execute(self._plain, parameters).first()

    def all(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Give the values of all rows."""
        if connection.dialect.name == "postgresql":
            return [postgresql.unpack(self._columns, found) for found in connection.execute(self._packed, parameters).scalars()]
        return list(connection.execute(self._plain, parameters))
