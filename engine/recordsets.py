"""Record sets: rows go to PostgreSQL and come from it as JSON, so that all costs one statement; the SQL is in `engine.postgresql`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.adapt import Buffer, Dumper, Loader
from sqlalchemy import ColumnElement, Connection, Date, Enum, LargeBinary, Uuid

from engine import postgresql
from engine.columns import Json, Moment
from engine.parts import OLD, Part, Row, counted, require_all


class Written(bytes):
    """A text in UTF-8: what the driver would make of it, which need not be made of a megabyte twice."""


class _Plain(Dumper):
    """Hands it on as it is."""

    def dump(self, obj: Written) -> Buffer:
        """Give what goes to the database."""
        return obj


class _Parsed(Loader):
    """Reads JSON out of the bytes that have come: as a text it would be decoded, and encoded once more, before it is read."""

    def load(self, data: Buffer) -> Any:
        """Give what it says."""
        return orjson.loads(data)


psycopg.adapters.register_dumper(Written, _Plain)
psycopg.adapters.register_loader(postgresql.ToRead.NAME, _Parsed)


def write(connection: Connection, rows: Mapping[Part, Sequence[Row]]) -> None:
    """Write the rows of all parts in one statement; raises StaleDataError when one is not there that must be."""
    parts = tuple(rows)
    words = [_words(part, place, rows[part]) for place, part in enumerate(parts)]
    statement = postgresql.statement(parts, tuple(map(_most, map(len, rows.values()))), tuple(map(tuple, words)))
    said: dict[str, Written] = {}
    for each in words:
        said |= each
    found = connection.exec_driver_sql(statement, said).rowcount
    last = parts[counted(parts)]
    require_all(last, len(rows[last]), found)


@cache
def _most(count: int) -> int:
    """How many rows there are at most, by a power of eight: then few statements differ only in this."""
    return 1 << 3 * -(-(count - 1).bit_length() // 3)


def _words(part: Part, place: int, rows: Sequence[Row]) -> dict[str, Written]:
    """What a statement is told of a part: its rows as JSON, and what of one that is alone is too large for that."""
    if not (writers := _writers(part)):
        return {f"rows_{place}": Written(orjson.dumps(rows))}
    said = [{**row, **{name: write(row[name]) for name, write in writers.items() if row[name] is not None}} for row in rows]
    alone = said[0] if len(said) == 1 else {}
    large = {postgresql.beside(name, place): alone.pop(name) for name in writers if alone.get(name) and len(alone[name]) > postgresql.LONG}
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


class Reader:
    """Reads rows of some columns out of JSON, as the columns themselves would have given them."""

    def __init__(self, columns: Sequence[ColumnElement[Any]]) -> None:
        self._large = postgresql.large(columns)
        self._readers = [_reader(column) for column in columns]

    def row(self, found: Iterable[Any]) -> list[Any]:
        """Give a row of a list (`postgresql.listed`)."""
        return [value if value is None or read is None else read(value) for read, value in zip(self._readers, found, strict=True)]

    def unpack(self, found: Sequence[Any]) -> list[Any]:
        """Give a row that is one value (`postgresql.packed`), with what is large beside it."""
        row, *beside = found
        for place, value in zip(self._large, beside, strict=True):
            row[place] = row[place] if value is None else value
        return self.row(row)


def _reader(column: ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """How the JSON of a value is read; None: it is the value."""
    kind = column.type
    if isinstance(kind, Enum):
        return kind.enum_class
    return next((read for type_, read in _READERS if isinstance(kind, type_)), None)


#: A row names its instance, its case and its version, and so do others soon after: to read each id again takes four calls.
_id = lru_cache(maxsize=4096)(lambda written: UUID(int=int(written.replace("-", ""), 16)))
_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Uuid, _id),
    (Moment, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (LargeBinary, lambda written: bytes.fromhex(written[2:])),  # \x…
)
