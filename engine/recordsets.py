"""Record sets: the rows of several tables go to PostgreSQL as JSON, in one statement that costs one round trip."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Buffer, Dumper
from sqlalchemy import Column, Connection, LargeBinary, TextClause, text

from engine.columns import Json
from engine.parts import OLD, Part, Row, Verb, require_all
from engine.postgresql import DIALECT

#: Letters from which on a text is a parameter of its own: as JSON within JSON it is written, sent and read once more.
LARGE = 8_000
#: Only what the database would misread.
_quote: Callable[[str], str] = DIALECT.identifier_preparer.quote


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
    statement = _statement(parts, tuple(_most(len(rows[part])) for part in parts), tuple(map(tuple, words)))
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
    large = {f"{name}_{place}": alone.pop(name) for name in writers if alone.get(name) and len(alone[name]) > LARGE}
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


def _most(count: int) -> int:
    """How many rows there are at most, by a power of eight: then few statements differ only in this."""
    return 1 << 3 * -(-(count - 1).bit_length() // 3)


@cache
def _statement(parts: tuple[Part, ...], most: tuple[int, ...], words: tuple[tuple[str, ...], ...]) -> TextClause:
    """Build the statement for what is written together; there are few such sets, and the database knows each by its text.

    So does the driver, up to 4,096 letters; longer ones it takes apart each time.
    """
    sources = [_source(part, place, most[place], words[place]) for place, part in enumerate(parts)]
    steps = [
        f"part_{place} AS ({_SQL[part.verb](part, sources[place])}{' RETURNING 1' if part.exact else ''})"
        for place, part in enumerate(parts)
    ]
    counts = [f"(SELECT count(*) FROM part_{place})" for place, part in enumerate(parts) if part.exact]
    return text(f"WITH {', '.join(steps)} SELECT {', '.join(counts) or 1}")


def _source(part: Part, place: int, most: int, words: Collection[str]) -> str:
    # The limit is for the planner: it takes JSON for a hundred rows, and would rather read a whole table than look each of them up.
    beside = [name for name in part.names if f"{name}_{place}" in words]
    columns = ", ".join(f"{_quote(name)} {_type(part.table.c[name.removeprefix(OLD)])}" for name in part.names if name not in beside)
    large = "".join(f", CAST(:{name}_{place} AS text) AS {_quote(name)}" for name in beside)
    return f"(SELECT *{large} FROM json_to_recordset(CAST(:rows_{place} AS json)) AS s({columns}) LIMIT {most}) AS s"


def _type(column: Column[Any]) -> str:
    kind = "text" if isinstance(column.type, LargeBinary) else column.type.compile(DIALECT)
    return kind.replace("TIMESTAMP WITH TIME ZONE", "timestamptz")


def _value(part: Part, name: str) -> str:
    binary = isinstance(part.table.c[name.removeprefix(OLD)].type, LargeBinary)
    return f"decode(s.{_quote(name)}, 'base64')" if binary else f"s.{_quote(name)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(_quote, names))


def _insert(part: Part, source: str) -> str:
    return f"INSERT INTO {part.table.name} ({_names(part.names)}) SELECT {', '.join(map(partial(_value, part), part.names))} FROM {source}"


def _put(part: Part, source: str) -> str:
    new = ", ".join(f"{_quote(name)} = excluded.{_quote(name)}" for name in part.new)
    return f"{_insert(part, source)} ON CONFLICT ({_names(part.by)}) DO UPDATE SET {new}"


def _update(part: Part, source: str) -> str:
    new = ", ".join(f"{_quote(name)} = {_value(part, name)}" for name in part.names if not name.startswith(OLD))
    which = [f"t.{_quote(name)} = {_value(part, OLD + name)}" for name in part.by] + [f"t.{_quote(name)} IS NULL" for name in part.empty]
    return f"UPDATE {part.table.name} AS t SET {new} FROM {source} WHERE {' AND '.join(which)}"


def _delete(part: Part, source: str) -> str:
    which = " AND ".join(f"t.{_quote(name)} = {_value(part, name)}" for name in part.names)
    return f"DELETE FROM {part.table.name} AS t USING {source} WHERE {which}"


_SQL = {Verb.INSERT: _insert, Verb.PUT: _put, Verb.UPDATE: _update, Verb.DELETE: _delete}
