"""Documents of the archive: every row of a case as one compressed JSON document, and back into tables that live only while it is read.

So an archived case is read by the same code as any other.  Columns that a later version has added take their defaults; those that it has
dropped are passed over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import zstandard
from sqlalchemy import Column, ColumnElement, Date, Enum, LargeBinary, RowMapping, Table, Uuid, and_, create_engine, insert, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from engine.archive_models import ArchivedCase
from engine.case_models import CalendarYear, Case
from engine.columns import Moment
from engine.command_models import IdempotentAnswer, Reservation
from engine.keys import KEY
from engine.models import Base, Definition, Department, Deployment, Hall, Instance, Resource, Task
from engine.tables import METADATA

#: Under this name the session of an archived case knows since when it is one (`Session.info`).
ARCHIVED_AT = "archived_at"
#: By what rows are found that have no index of the case: a column, and the table of what it refers to.
_OWNERS: Mapping[str, type[Base]] = {"instance_id": Instance, "task_id": Task}
#: What cases refer to, and is not taken away before them.
_SHARED = (Department, Hall, CalendarYear)
#: What is kept of a command for hours or days, and goes by itself (`retention`).
_PASSING = (IdempotentAnswer.__table__, Reservation.__table__)
#: Each connection has a database in memory of its own; what was compiled for one is there for the next.
IN_MEMORY = create_engine("sqlite://", poolclass=NullPool, hide_parameters=True)
Rows = dict[str, list[dict[str, Any]]]


def belonging(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool] | None:
    """What of a table goes with the case of a key; an item that it has adopted has brought along what was written while that was alone."""
    if table.name == Case.__tablename__:
        return and_(table.c.id == key["case_id"], table.c.region == key["region"])
    if "case_id" not in table.c or table in _PASSING:
        return None
    of_case = _of(table, key)
    if any(keys[0] is table.c.case_id for keys in (list(table.primary_key), *(list(index.columns) for index in table.indexes))):
        return of_case
    name, owner = next((name, _OWNERS[name].__table__) for name in _OWNERS if name in table.c)
    return and_(of_case, table.c[name].in_(select(owner.c.id).where(_of(owner, key))))


def _of(table: Any, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == key[name] for name in KEY))


def gather(session: Session, key: Mapping[str, Any]) -> Rows:
    """Every row of the case of a key, by table."""
    rows: Rows = {}
    for table in METADATA.sorted_tables:
        belongs = belonging(table, key)
        if belongs is not None:
            rows[str(table.name)] = [_row(row) for row in session.execute(select(table).where(belongs)).mappings()]
    return {name: found for name, found in rows.items() if found}


def files(rows: Rows) -> dict[str, int]:
    """Uploaded files of a case, by hash and size."""
    return {row["sha256"]: row["size"] for row in rows.get("materials", []) if row["sha256"]}


def pack(rows: Rows) -> bytes:
    """Encode rows."""
    return zstandard.compress(orjson.dumps(rows, default=_plain), 6)


def unpack(content: bytes) -> Rows:
    """Decode rows, each value as its column has it; what this version does not know is left out.

    What was put away before each row had the key of its case, gets it here.
    """
    found = orjson.loads(zstandard.decompress(content))
    key = {"case_id": found["cases"][0]["id"], "region": found["cases"][0]["region"]}
    columns = {name: table.c for name, table in METADATA.tables.items() if name in found}
    return {
        name: [{each: _value(known[each], value) for each, value in (key | row).items() if each in known} for row in found[name]]
        for name, known in columns.items()
    }


@contextmanager
def opened(session: Session, row: ArchivedCase) -> Iterator[Session]:
    """Lay an archived case out in tables of its own until the block ends; nothing that is written there is kept."""
    rows = unpack(row.content)
    with IN_MEMORY.connect() as connection, Session(connection, autoflush=False, info={ARCHIVED_AT: row.archived_at}) as laid_out:
        driver: Any = connection.connection.driver_connection
        driver.executescript(_tables())
        for table, found in (*_surroundings(session, rows), *rows.items()):
            if found:
                laid_out.execute(insert(METADATA.tables[table]), found)
        yield laid_out


@cache
def _tables() -> str:
    """Say how all tables are made, as SQLite keeps it, which need not be made up anew for each case; one case needs no index."""
    with IN_MEMORY.begin() as connection:
        METADATA.create_all(connection)
        return ";".join(connection.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid")))


def _surroundings(session: Session, rows: Rows) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What the case stands on: its versions of the diagrams, halls, calendars; and the case that it goes on from, as far as it is there."""
    definitions = {row["definition_id"] for table in ("cases", "instances") for row in rows.get(table, [])}
    deployments = select(Definition.deployment_id).where(Definition.id.in_(definitions))
    previous = [row["previous_id"] for row in rows["cases"] if row["previous_id"]]
    wanted = {
        **dict.fromkeys(_SHARED),
        Deployment: Deployment.id.in_(deployments),
        Resource: Resource.deployment_id.in_(deployments),
        Definition: Definition.deployment_id.in_(deployments),
        Case: Case.id.in_(previous),
    }
    for model, condition in wanted.items():
        table = METADATA.tables[model.__tablename__]
        query = select(table) if condition is None else select(table).where(condition)
        yield table.name, [dict(row) for row in session.execute(query).mappings()]


def _row(found: RowMapping) -> dict[str, Any]:
    return {str(key): value for key, value in found.items()}  # some names are of SQLAlchemy's own kind of text


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"Expected a value of a column, but got {value!r}")


def _value(column: Column[Any], value: Any) -> Any:
    kind = column.type
    if value is None:
        return None
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Uuid):
        return UUID(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    return kind.enum_class(value) if isinstance(kind, Enum) and kind.enum_class else value
