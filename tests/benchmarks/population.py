"""A population: a database with as many cases as a city has, made of one real case, whose rows are copied by the database itself.

Each copy has ids, numbers and an applicant of its own, lies in another hall, and is due on another day; it can be worked on like the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from uuid import UUID

from sqlalchemy import Column, Connection, String, Table, Uuid, text

from engine import case_models, indexes, schedule_models
from engine.database import Database
from engine.models import Base

assert all((case_models, indexes, schedule_models))  # importing them registers their tables
#: Copies that are made by one statement of each table.
CHUNK = 20_000
#: Halls over which the copies are spread.
HALLS = 200
#: Due days are moved by so many days at most to an earlier day, and over so many in all.
LATE, DAYS = 25, 200
#: What a worklist, a deadline and a timer read; the history of a case is as long as it is, whatever others have.
HOT = ("cases", "items", "instances", "tasks", "task_groups", "timers", "clock_entries", "subscriptions", "large_values")
#: Columns that hold a day or a moment which a list sorts by.
SHIFTED = {"green_from", "yellow_from", "red_from", "promised_on", "statutory_on", "due_at", "on"}


def multiply(
    db: Database,
    case_id: UUID,
    copies: int,
    *,
    first: int = 1,
    tables: Collection[str] = HOT,
    told: Callable[[int], object] = lambda _: None,
) -> None:
    """Copy a case so many times, numbered from `first`; `told` hears how many there are."""
    with db.bind.begin() as connection:
        for hall in range(HALLS):
            connection.execute(
                text("INSERT INTO halls (code, name, level) VALUES (:code, :code, 'county') ON CONFLICT DO NOTHING"),
                {"code": f"hall-{hall}"},
            )
    for start in range(first, first + copies, CHUNK):
        until = min(start + CHUNK, first + copies) - 1
        with db.bind.begin() as connection:
            for table in Base.metadata.sorted_tables:
                if table.name in tables:
                    _copy(connection, table, case_id, start, until)
        told(until - first + 1)


def settle(db: Database) -> None:
    """Let the database look at what it has, as it does by itself in the course of a day."""
    connection = db.bind.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.execute(text("ANALYZE" if db.bind.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    connection.close()


def _copy(connection: Connection, table: Table, case_id: UUID, start: int, until: int) -> None:
    dialect = _Dialect(connection.dialect.name)
    columns = [column for column in table.columns if column.computed is None]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(table, column, dialect) for column in columns)
    source = {
        "cases": "o.id = :case",
        "task_groups": "o.task_id IN (SELECT id FROM tasks WHERE case_id = :case)",
        "task_users": "o.task_id IN (SELECT id FROM tasks WHERE case_id = :case)",
    }.get(table.name, "o.case_id = :case")
    # Instances before those that they have called.
    order = "ORDER BY seq.n, o.started_at" if table.name == "instances" else ""
    numbers = "WITH RECURSIVE seq(n) AS (SELECT CAST(:start AS INTEGER) UNION ALL SELECT n + 1 FROM seq WHERE n < :until)"
    statement = f'INSERT INTO "{table.name}" ({names}) {numbers} SELECT {values} FROM "{table.name}" AS o, seq WHERE {source} {order}'
    given = case_id.hex if connection.dialect.name == "sqlite" else case_id
    connection.execute(text(statement), {"start": start, "until": until, "case": given})


def _value(table: Table, column: Column, dialect: _Dialect) -> str:
    """How a column of a copy follows from that of the first case and the number of the copy."""
    old = f'o."{column.name}"'
    if isinstance(column.type, Uuid) and not any(key.column.table.name in {"definitions", "deployments"} for key in column.foreign_keys):
        return dialect.new_id(old)
    if column.name in SHIFTED:
        return dialect.shifted(old, str(column.type))
    if column.name == "number" and not isinstance(column.type, String):  # a place within the instance
        return old
    return {
        "number": f"{old} || '-' || seq.n",
        "business_key": f"{old} || '-' || seq.n",
        "applicant_number": "'A' || seq.n",
        "hall": f"CASE WHEN {old} IS NULL THEN NULL ELSE 'hall-' || (seq.n % {HALLS}) END",
    }.get(column.name, old)


class _Dialect:
    """What the two databases write differently."""

    def __init__(self, name: str) -> None:
        self.sqlite = name == "sqlite"

    def new_id(self, old: str) -> str:
        """The number of the copy, then what makes the id unlike others of the case."""
        if self.sqlite:
            return f"CASE WHEN {old} IS NULL THEN NULL ELSE printf('%012x', seq.n) || substr({old}, 13) END"
        return f"(lpad(to_hex(seq.n), 12, '0') || substr(replace(CAST({old} AS TEXT), '-', ''), 13))::uuid"

    def shifted(self, old: str, kind: str) -> str:
        """So many days earlier or later."""
        days = f"(seq.n % {DAYS} - {LATE})"
        if not self.sqlite:
            return f"{old} + {days}" if kind == "DATE" else f"{old} + {days} * interval '1 day'"
        if kind == "DATE":
            return f"date({old}, {days} || ' days')"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {old}, {days} || ' days')"


def numbers(copies: int, wanted: int) -> Iterator[int]:
    """Some copies, spread over all."""
    yield from range(1, copies, max(1, copies // wanted))
