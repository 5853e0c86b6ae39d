"""Record sets: rows go to PostgreSQL and come from it as JSON, so that all costs one statement; the SQL is in `engine.postgresql`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.adapt import Buffer, Dumper
from sqlalchemy import Column, Connection, Date, Enum, LargeBinary, Uuid

from engine import postgresql
from engine.columns import Json, Moment
from engine.parts import OLD, Part, Row, require_all


class Written(bytes):
    """A text in UTF-8: what the driver would make of it, which need not be made of a megabyte twice."""


class _Plain(Dumper):
    """Hands it on as it is."""

    def dump(self, obj: Written) -> Buffer:
        """Give what goes to the database."""
        return obj


psycopg.adapters.register_dumper(Written, _Plain)


def write(connection: Connection, rows: Mapping[Part, Sequence[Row]]) -> None:
    """Write the rows of all parts in one statement; raises StaleDataError when one is not there that must be."""
    parts = tuple(rows)
    words = [_words(part, place, rows[part]) for place, part in enumerate(parts)]
    statement = postgresql.statement(parts, tuple(postgresql.most(len(rows[part])) for part in parts), tuple(map(tuple, words)))
    counts = connection.execute(statement, {name: said for each in words for name, said in each.items()})
    exact = [part for part in parts if part.exact]
    for part, count in zip(exact, counts.one() if exact else (), strict=True):
        require_all(part, len(rows[part]), count)


def _words(part: Part, place: int, rows: Sequence[Row]) -> dict[str, Written]:
    """What a statement is told of a part: its rows as JSON, and what of one that is alone is too large for that."""
    if not (writers := _writers(part)):
        return {f"rows_{place}": Written(orjson.dumps(rows))}
    said = [{**row, **{name: write(row[name]) for name, write in writers.items() if row[name] is not None}} for row in rows]
    alone = said[0] if len(said) == 1 else {}
    large = {postgresql.beside(name, place): alone.pop(name) for name in writers if alone.get(name) and len(alone[name]) > postgresql.LARGE}
    return {f"rows_{place}": Written(orjson.dumps(said, default=bytes.decode)), **large}


@cache
def _writers(part: Part) -> dict[str, Callable[[Any], Written]]:
    """How the values are written, by name, that JSON would take for something else, or not at all."""
    kinds: tuple[tuple[type, Callable[[Any], Written]], ...] = (
        (Json, lambda value: Written(orjson.dumps(value))),  # a text of its own: of JSON within JSON PostgreSQL would refuse \u0000
        (LargeBinary, lambda value: Written(base64.b64encode(value))),
    )
    columns = {name: part.table.c[name.removeprefix(OLD)] for name in part.names}
    return {name: write for name, column in columns.items() for kind, write in kinds if isinstance(column.type, kind)}


def unpack(columns: tuple[Column[Any], ...], found: Sequence[str | None]) -> list[Any]:
    """Give what `packed` has selected, as the columns would have given it."""
    row = orjson.loads(found[0] or "")
    for place, said in zip(postgresql.large(columns), found[1:], strict=True):
        row[place] = row[place] if said is None else orjson.loads(said)
    return _read(columns, row)


def _read(columns: tuple[Column[Any], ...], row: Iterable[Any]) -> list[Any]:
    return [value if value is None or read is None else read(value) for read, value in zip(_all_readers(columns), row, strict=True)]


def unlist(columns: Iterable[tuple[Column[Any], ...]], found: str) -> list[list[list[Any]]]:
    """Give what `listed` has selected, as the columns would have given it."""
    return [[_read(kinds, row) for row in rows] for kinds, rows in zip(columns, orjson.loads(found), strict=True)]


@cache
def _all_readers(columns: tuple[Column[Any], ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    return tuple(map(_reader, columns))


def _reader(column: Column[Any]) -> Callable[[Any], Any] | None:
    """How the JSON of a value is read; None: it is the value."""
    kind = column.type
    if isinstance(kind, Enum):
        return kind.enum_class
    return next((read for type_, read in _READERS if isinstance(kind, type_)), None)


_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Uuid, UUID),
    (Moment, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (LargeBinary, lambda written: bytes.fromhex(written[2:])),  # \x…
)
