"""Reads: queries that are built once and asked often; on PostgreSQL a row comes as one JSON value, which is cheaper to fetch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from sqlalchemy import Column, ColumnElement, Connection, Select, String, TextClause, bindparam, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import entities, postgresql, recordsets

Value = TypeVar("Value")
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


class _Mark:
    """Stands, as a key of SQLAlchemy's cache, for all queries that differ only in their values."""


#: Marks by the cache key that SQLAlchemy would use; one stays as long as a query has it.
_MARKS: WeakValueDictionary[Any, _Mark] = WeakValueDictionary()


def marked(query: Query) -> Query:
    """Make SQLAlchemy find the compiled form of a query by a mark.  Otherwise it hashes the query, two thousand parts, each time (50 µs).

    Queries that differ only in their values (those of different people) share a mark, so they are compiled once; each keeps its values.
    """
    said = query._generate_cache_key()  # noqa: SLF001 - what SQLAlchemy itself would look for
    if said is None:
        raise TypeError(f"Expected a query that can be known by what it says, but this one cannot: {query}")
    known = said._replace(key=(_MARKS.setdefault(said.key, _Mark()),))
    vars(query)["_generate_cache_key"] = lambda: known  # where the library keeps it, too, once it was asked for
    return query


class Read:
    """A query for some columns, built once.  `query` gives the tables, the conditions and the locks; what it selects does not count."""

    def __init__(self, columns: Sequence[ColumnElement[Any]], query: Select[Any]) -> None:
        self._reader = recordsets.Reader(columns)
        self._plain = marked(query.with_only_columns(*columns, maintain_column_froms=True))
        self._packed = marked(query.with_only_columns(*postgresql.packed(columns), maintain_column_froms=True))

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any] | None:
        """Give the values of the first row; None: there is none."""
        if connection.dialect.name == "postgresql":  # not in a function: this is asked most, and each call counts
            found = connection.execute(self._packed, parameters).first()
            return None if found is None else self._reader.unpack(found)
        return connection.execute(self._plain, parameters).first()

    def all(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Give the values of all rows."""
        if connection.dialect.name == "postgresql":
            return [self._reader.unpack(found) for found in connection.execute(self._packed, parameters)]
        return list(connection.execute(self._plain, parameters))


class Reading:
    """Several queries that are asked together, on PostgreSQL in one statement.  Each selects a model or some columns.

    `all` gives a list for each query: of objects, which are as their rows are now, whatever the session knew of them; of values, where one
    column is selected; or of rows.
    """

    def __init__(self, *queries: Select[Any]) -> None:
        self._kinds = [query.column_descriptions[0]["expr"] for query in queries]
        columns = [cast("list[Column[Any]]", list(query.selected_columns)) for query in queries]
        self._columns = [[column.name for column in each] for each in columns]
        self._readers = [recordsets.Reader(each) for each in columns]
        pairs = list(zip(columns, queries, strict=True))
        self._plain = [marked(query.with_only_columns(*each, maintain_column_froms=True)) for each, query in pairs]
        self._listed = marked(postgresql.listed(pairs))

    @cached_property
    def _names(self) -> list[list[str]]:
        """The names that the columns have in the objects; found out late, when all models are mapped."""
        called = [entities.attributes(kind) if isinstance(kind, type) else {} for kind in self._kinds]
        return [[here.get(name, name) for name in names] for here, names in zip(called, self._columns, strict=True)]

    def all(self, session: Session, parameters: Mapping[str, Any]) -> list[list[Any]]:
        """Give what each query finds, in their order; `parameters` are those of all of them."""
        session.flush()
        return [self._known(session, place, rows) for place, rows in enumerate(self._rows(session.connection(), parameters))]

    def _rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Iterable[Sequence[Any]]]:
        if connection.dialect.name == "postgresql":
            found = connection.execute(self._listed, parameters).scalar_one()
            return [map(reader.row, rows) for reader, rows in zip(self._readers, found, strict=True)]
        return [connection.execute(query, parameters).all() for query in self._plain]

    def _known(self, session: Session, place: int, rows: Iterable[Sequence[Any]]) -> list[Any]:
        kind, names = self._kinds[place], self._names[place]
        if not isinstance(kind, type):
            return list(rows) if len(names) > 1 else [value for (value,) in rows]
        return [entities.know(session, kind, dict(zip(names, row, strict=True))) for row in rows]


def among(session: Session, column: InstrumentedAttribute[Value], values: Collection[Value]) -> ColumnElement[bool] | TextClause:
    """Condition: a column has one of these values, however many they are (on PostgreSQL they are one parameter)."""
    return postgresql.among(column, values) if postgresql.is_behind(session) else column.in_(values)


def equal(asked: Mapping[InstrumentedAttribute[Any], Any]) -> list[ColumnElement[bool]]:
    """Conditions: columns have these values; where the value is None there is no condition."""
    return [column == value for column, value in asked.items() if value is not None]


def given(column: InstrumentedAttribute[Any], name: str, *, arrays: bool) -> ColumnElement[bool] | TextClause:
    """Condition: a column has one of the ids that the statement is given as a parameter (as `ids` makes it), so that it is built once."""
    return postgresql.among(column, named=name) if arrays else type_coerce(column, String).in_(bindparam(name, expanding=True))


def texts(*columns: InstrumentedAttribute[Any]) -> list[ColumnElement[Any]]:
    """Select ids as texts: they are only handed on to another statement (`ids`), so no UUID need be made."""
    return [type_coerce(column, String).label(column.key) for column in columns]


def ids(texts: Collection[str], *, arrays: bool) -> str | Collection[str]:
    """Make the parameter for `given` of ids that were read as `texts`."""
    return postgresql.array(texts) if arrays else texts
