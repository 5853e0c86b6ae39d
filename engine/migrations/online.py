"""How a migration changes tables while others work on them (PostgreSQL), and how it writes them anew (SQLite, which has one writer).

Whatever is called here can be called again: whoever was interrupted begins anew.
"""

# ruff: noqa: S608 - all names are our own

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import sqlalchemy as sa
import structlog
from alembic import op
from sqlalchemy.exc import OperationalError

log = structlog.get_logger()
#: How long a statement that locks a table waits for those who use it, milliseconds: whoever comes meanwhile waits as long.
SHORT = 100
#: How long at most every twentieth time, milliseconds: PostgreSQL sends its own vacuum away after a second (deadlock_timeout).
LONG, EVERY = 1500, 20
#: How long it is between two attempts, and how long until it is given up, seconds.
PAUSE, PATIENCE = 0.5, 900
#: Pages of a table from which rows are deleted in one go.
PAGES = 1000


def is_postgresql() -> bool:
    """Tell which of the two it is."""
    return op.get_bind().dialect.name == "postgresql"


# PostgreSQL ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def alter(table: str, *statements: str) -> None:
    """Execute statements that lock a table, each when nobody is in its way; raises OperationalError when somebody is for very long."""
    bind = op.get_bind()
    for statement in statements:
        insist(statement, partial(_execute, bind, statement), is_vacuumed=partial(is_vacuumed, bind, table))


def insist(what: str, attempt: Callable[[int], object], *, is_vacuumed: Callable[[], bool]) -> None:
    """Attempt something that locks a table until nobody is in its way; raises OperationalError when somebody is for very long.

    `attempt` is told how long it may wait for a lock, milliseconds.  Who waits for one has everybody who comes later wait behind it: so it
    does not wait for long, and asks again.
    """
    until, number = time.monotonic() + PATIENCE, 1
    while True:
        try:
            attempt(_patience(number, is_vacuumed))
        except OperationalError as error:
            if time.monotonic() > until or getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
        else:
            return
        if number % EVERY == 0:
            log.warning("migration waits for others", statement=what)
        number += 1
        time.sleep(PAUSE)


def _patience(attempt: int, is_vacuumed: Callable[[], bool]) -> int:
    """Milliseconds.  Where people are never out of it for a moment, they have to be kept waiting: now and then, and each time twice as long."""
    if attempt % EVERY:
        return SHORT
    return LONG if is_vacuumed() else min(SHORT << attempt // EVERY, LONG)


def is_vacuumed(bind: sa.Connection, table: str) -> bool:
    """Whether PostgreSQL clears up a table just now."""
    query = """SELECT count(*) FROM pg_stat_progress_vacuum JOIN pg_locks USING (pid)
        WHERE datname = current_database() AND relation = CAST(:name AS regclass)"""
    return bool(bind.scalar(sa.text(query), {"name": table}))


def wait_no_longer(bind: sa.Connection, patience: int) -> None:
    """Have statements wait for locks for so long at most, milliseconds."""
    bind.exec_driver_sql(f"SET lock_timeout = {patience}")


def _execute(bind: sa.Connection, statement: str, patience: int) -> None:
    wait_no_longer(bind, patience)
    try:
        bind.exec_driver_sql(statement)
    finally:
        bind.exec_driver_sql("RESET lock_timeout")


def index(name: str, told: str) -> None:
    """Build an index beside those who write; it waits for whoever is in a transaction, and nobody waits for it."""
    drop(name)  # of somebody who was interrupted
    bind = op.get_bind()
    bind.exec_driver_sql("SET lock_timeout = 0")
    bind.exec_driver_sql(f"CREATE {told.replace('INDEX', 'INDEX CONCURRENTLY', 1)}")
    bind.exec_driver_sql("RESET lock_timeout")


def drop(name: str) -> None:
    """Drop an index, if there is one, as it is built: beside those who write."""
    bind = op.get_bind()
    bind.exec_driver_sql("SET lock_timeout = 0")
    bind.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    bind.exec_driver_sql("RESET lock_timeout")


def exchange(table: str, before: str, after: str, kind: str, built: str) -> None:
    """Put a key whose index is built in the place of another: the table is locked for as long as names take to be exchanged."""
    if op.get_bind().scalar(sa.text("SELECT to_regclass(:name)"), {"name": built}) is not None:  # else it has been done
        alter(table, f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {before}, ADD CONSTRAINT {after} {kind} USING INDEX {built}")


def require(table: str, column: str) -> None:
    """Let a column never be empty: what there is, is looked at without a lock that others would wait for."""
    alter(
        table,
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS required, ADD CONSTRAINT required CHECK ({column} IS NOT NULL) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT required",
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT required",
    )


def delete(table: str, which: str) -> None:
    """Delete rows (called `own` in the condition) from a range of pages after the other."""
    bind = op.get_bind()
    pages = bind.scalar(sa.text("SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::int"), {"name": table})
    for first in range(0, pages or 0, PAGES):
        here = f"own.ctid >= '({first},0)' AND own.ctid < '({first + PAGES},0)'"
        bind.exec_driver_sql(f"DELETE FROM {table} AS own WHERE {here} AND {which}")


# SQLite ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rebuild(table: str, *, constraints: Mapping[str, str | None] | None = None, columns: Iterable[tuple[str, str]] = ()) -> None:
    """Write a table anew with other constraints (None: without it), and columns told otherwise (pattern, replacement); the rest stays."""
    bind, changed = op.get_bind(), constraints or {}
    query = "SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL ORDER BY type = 'table' DESC"
    written, *others = bind.scalars(sa.text(query), {"name": table}).all()
    lines = [line.strip().rstrip(",") for line in written[written.index("(") + 1 : written.rindex(")")].strip().split("\n")]
    kept = [line for line in lines if (named := re.match(r"CONSTRAINT (\w+)", line)) is None or named[1] not in changed]
    kept += [f"CONSTRAINT {name} {rule}" for name, rule in changed.items() if rule is not None]
    told = ", \n\t".join(kept)
    for pattern, replacement in columns:
        told = re.sub(pattern, replacement, told)
    bind.exec_driver_sql(f"CREATE TABLE written_anew (\n\t{told}\n)")
    bind.exec_driver_sql(f"INSERT INTO written_anew SELECT * FROM {table}")
    bind.exec_driver_sql(f"DROP TABLE {table}")
    bind.exec_driver_sql(f"ALTER TABLE written_anew RENAME TO {table}")
    for other in others:
        bind.exec_driver_sql(other)
