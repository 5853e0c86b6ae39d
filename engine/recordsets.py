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
    """A text that is encoded already, in UTF-8: it may be a megabyte, and the driver need not encode it once more."""


class _Plain(Dumper):
    """Gives such a text to the database as it is."""

    def dump(self, obj: Written) -> Buffer:
        """Give what goes to the database."""
        return obj


class _Parsed(Loader):
    """Parses the bytes of JSON that come from the database; a text would be decoded, and encoded once more, before it is parsed."""

    def load(self, data: Buffer) -> Any:
        """Parse a value."""
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
    """Round a number of rows up to a power of eight: it stands in the statement, and few are to differ only in this."""
    return 1 << 3 * -(-(count - 1).bit_length() // 3)


def _words(part: Part, place: int, rows: Sequence[Row]) -> dict[str, Written]:
    """Give the parameters of a part: its rows as JSON, and, if it has one row only, each large value of that by itself."""
    if not (writers := _writers(part)):
        return {f"rows_{place}": Written(orjson.dumps(rows))}
    said = [{**row, **{name: write(row[name]) for name, write in writers.items() if row[name] is not None}} for row in rows]
    alone = said[0] if len(said) == 1 else {}
    large = {postgresql.beside(name, place): alone.pop(name) for name in writers if alone.get(name) and len(alone[name]) > postgresql.LONG}
    return {f"rows_{place}": Written(orjson.dumps(said, default=bytes.decode)), **large}


@cache
def _writers(part: Part) -> dict[str, Callable[[Any], Written]]:
    """Give what writes values that JSON cannot hold, or would hold as something else, by the names of their columns."""
    kinds: tuple[tuple[type, Callable[[Any], Written]], ...] = (
        (Json, lambda value: Written(orjson.dumps(value))),  # a text of its own: of JSON within JSON PostgreSQL would refuse \u0000
        (LargeBinary, lambda value: Written(base64.b64encode(value))),
    )
    columns = {name: part.table.c[name.removeprefix(OLD)] for name in part.names}
    return {name: write for name, column in columns.items() for kind, write in kinds if isinstance(column.type, kind)}


class Reader:
    """Makes of rows that come as JSON the values that their columns would have given."""

    def __init__(self, columns: Sequence[ColumnElement[Any]]) -> None:
        self._large = postgresql.large(columns)
        self._readers = [_reader(column) for column in columns]

    def row(self, found: Iterable[Any]) -> list[Any]:
        """Give a row of a list (`postgresql.listed`)."""
        return [value if value is None or read is None else read(value) for read, value in zip(self._readers, found, strict=True)]

    def unpack(self, found: Sequence[Any]) -> list[Any]:
        """Give a row that was selected as one value (`postgresql.packed`), followed by the values that are large."""
        row, *beside = found
        for place, value in zip(self._large, beside, strict=True):
            row[place] = row[place] if value is None else value
        return self.row(row)


def _reader(column: ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """Give what makes the value of a column of its JSON; None: they are the same."""
    kind = column.type
    if isinstance(kind, Enum):
        return kind.enum_class
    return next((read for type_, read in _READERS if isinstance(kind, type_)), None)


#: Ids of instances, cases and versions come again and again, and to parse one takes four calls.
_id = lru_cache(maxsize=4096)(lambda written: UUID(int=int(written.replace("-", ""), 16)))
_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Uuid, _id),
    (Moment, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (LargeBinary, lambda written: bytes.fromhex(written[2:])),  # \x…
)
