"""What PostgreSQL would do for a statement: the parts of its plan that read a whole table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from engine.database import Database
from engine.models import Base
from tests.listening import listening

#: Tables that hold what an installation is, not what it does: they stay small, and are read whole at will.
SMALL = {
    *("accounts", "api_keys", "calendar_years", "compiled_files", "counters", "definitions", "departments", "deployments"),
    *("grants", "halls", "offers", "resources", "start_events"),
}
#: Without rows worth mentioning a planner reads tables whole: it is told not to, and what it does then it must do for want of an index.
SETTINGS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


#: A parameter, as the driver takes it.
_PARAMETER = re.compile(r"%\((\w+)\)s")


@contextmanager
def recorded(database: Database) -> Iterator[dict[str, Any]]:
    """Keep every statement that is run meanwhile, with the first parameters it was run with."""
    seen: dict[str, Any] = {}

    def keep(_connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.setdefault(statement, parameters[0] if isinstance(parameters, list) else parameters)

    with listening(database.bind, before_cursor_execute=keep):
        yield seen


#: Tables that grow.
GROWING = {table.name for table in Base.metadata.sorted_tables} - SMALL


def whole_reads(database: Database, statements: dict[str, Any], growing: set[str] = GROWING, *, once: bool = False) -> dict[str, list[str]]:
    """Tables that grow and would be read whole, by statement; `once`: when it is planned for whatever it may be given."""
    found = {}
    with database.bind.connect() as connection:
        for setting in SETTINGS:
            connection.execute(text(f"SET {setting} = off"))
        for statement, parameters in statements.items():
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                cursor = connection.connection.cursor()
                if once:
                    cursor.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {_numbered(statement)}")
                else:
                    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                (plan,) = cursor.fetchone()
                tables = sorted(set(_whole((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], growing, limited=False)))
                if tables:
                    found[statement] = tables
        connection.rollback()
    return found


def _numbered(statement: str) -> str:
    """Write parameters as the server counts them."""
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)


def grow(database: Database, table: str, rows: int) -> None:
    """Let PostgreSQL take a table for one of so many rows."""
    with database.bind.begin() as connection:
        connection.execute(
            text("UPDATE pg_class SET reltuples = :rows WHERE oid = CAST(:table AS regclass)"), {"rows": rows, "table": table}
        )


def planned_anew(database: Database, table: str) -> set[str]:
    """Statements about a table that PostgreSQL has prepared, in the one session that there is, and still plans for the values of each time."""
    query = text("SELECT statement FROM pg_prepared_statements WHERE generic_plans = 0 AND custom_plans > 5 AND statement LIKE :about")
    with database.bind.connect() as connection:
        return set(connection.scalars(query, {"about": f"%FROM {table}%"}))


def _whole(node: dict[str, Any], growing: set[str], *, limited: bool) -> Iterator[str]:
    """Yield tables that a part of a plan reads whole: in no order, or by an index without a condition and without a limit above."""
    kind = node["Node Type"]
    limited = kind == "Limit" or (
        limited and kind in {"Index Scan", "Index Only Scan", "Nested Loop", "LockRows", "Result", "Subquery Scan"}
    )
    table = node.get("Relation Name")
    if table in growing and (kind == "Seq Scan" or (kind.startswith("Index") and "Index Cond" not in node and not limited)):
        yield table
    if kind == "Bitmap Heap Scan" and table in growing and not all(_narrow(part) for part in node["Plans"] if _is_bitmap(part)):
        yield table
    for part in node.get("Plans", []):
        yield from _whole(part, growing, limited=limited)


def _is_bitmap(node: dict[str, Any]) -> bool:
    return node["Node Type"].startswith("Bitmap")


def _narrow(node: dict[str, Any]) -> bool:
    """Tell whether a bitmap is made by a condition: of what is joined by `and` one part does, of what is joined by `or` each must."""
    if node["Node Type"] == "Bitmap Index Scan":
        return "Index Cond" in node
    return (any if node["Node Type"] == "BitmapAnd" else all)(map(_narrow, node["Plans"]))


def rows_read(database: Database, statements: dict[str, Any], table: str) -> dict[str, float]:
    """How many rows of a table PostgreSQL really looks at, also in vain, by statement that reads it; they are run once more."""
    found = {}
    with database.bind.connect() as connection:
        for statement, parameters in statements.items():
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                cursor = connection.connection.cursor()
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
                (plan,) = cursor.fetchone()
                parts = list(_parts_of((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], table))
                if parts:
                    found[statement] = sum(map(_looked_at, parts))
        connection.rollback()
    return found


def pages_touched(database: Database, statements: dict[str, Any]) -> int:
    """How many pages PostgreSQL touches for the statements that read, each as often as it does; they are run once more."""
    touched = 0
    with database.bind.connect() as connection:
        for statement, parameters in statements.items():
            if statement.startswith("SELECT"):
                (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters).one()
                top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
                touched += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return touched


def orders(database: Database, statements: dict[str, Any]) -> set[tuple[str, str]]:
    """Tables and their indexes that PostgreSQL would read up to a limit in the order that is asked for, without sorting any of it."""
    found = set()
    with database.bind.connect() as connection:
        for setting in (*SETTINGS, "enable_bitmapscan", "enable_sort"):
            connection.execute(text(f"SET {setting} = off"))
        for statement, parameters in statements.items():
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (plan,) = cursor.fetchone()
            found |= set(_limited((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
        connection.rollback()
    return found


def _limited(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for part in node.get("Plans", []):
        if node["Node Type"] == "Limit" and "Index Name" in part:
            yield part["Relation Name"], part["Index Name"]
        yield from _limited(part)


def _parts_of(node: dict[str, Any], table: str) -> Iterator[dict[str, Any]]:
    if node.get("Relation Name") == table:
        yield node
    for part in node.get("Plans", []):
        yield from _parts_of(part, table)


def _looked_at(node: dict[str, Any]) -> float:
    in_vain = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return node["Actual Loops"] * (node["Actual Rows"] + in_vain)


def scans(database: Database, statements: dict[str, Any], tables: set[str]) -> list[str]:
    """Steps of SQLite that read one of these tables, or an index of it, from end to end."""
    with database.bind.connect() as connection:
        steps = [
            detail
            for statement, parameters in statements.items()
            for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    return [step for step in steps if step.startswith("SCAN") and step.split()[1] in tables]
