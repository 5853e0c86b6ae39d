"""Databases of PostgreSQL made again what they were copied as, which takes less than a copy, and lets their sessions go on.

The server counts the rows that are written in each table, in its own as well, and what is rolled back.  Of our tables rows that have come are
deleted, for a row says which transaction has written it; and where one has gone, all are put back.  Whoever has written to the catalogue, or
has changed a setting or a right, has made another database of it: that is not restored.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

#: So large at most are tables that are filled anew, bytes.
LITTLE = 1_000_000
#: The first server on which a session can be made to tell at once what it has written.
VERSION = (15,)
#: How often it is looked whether a session that was closed has ended: after 1 ms, 2, 4, 8 …, in all a second.
ENDING = 10
#: The first transaction that is still to come.
NEXT = "txid_snapshot_xmax(txid_current_snapshot()) % 4294967296"
#: What the server has noted of a database: a name, a right or a setting makes another of it.
NOTED = """CAST(ROW(d.*, (SELECT array_agg(s.* ORDER BY s.setrole) FROM pg_db_role_setting AS s WHERE setdatabase = d.oid)) AS text)"""
#: How many rows of each table were written, how many sessions there are, and whether rows are counted at all.
_MARK = f"""SELECT {NOTED}, {NEXT}, (SELECT json_object_agg(CAST(CAST(oid AS regclass) AS text), pg_stat_get_tuples_inserted(oid)
    + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)) FROM pg_class WHERE relkind = 'r' AND NOT relisshared),
    pg_stat_get_db_numbackends(oid), current_setting('track_counts') = 'on' FROM pg_database AS d WHERE datname = current_database()"""
_TABLES = """SELECT CAST(CAST(oid AS regclass) AS text), pg_relation_size(oid) > 0, pg_table_size(oid) <= %s FROM pg_class
    WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)"""
Sessions = Sequence[psycopg.Connection[Any]]


@dataclass(frozen=True)
class Mark:
    """How a database stands when it is handed out."""

    #: What the server has noted of it.
    noted: str
    #: The first transaction that comes later.
    later: int
    #: How many rows of each table were written before; none in a copy.
    written: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Original:
    """Our tables in a template: how many rows each has, and what they are where that is little."""

    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, url: str) -> Original:
        """Read a template."""
        original = cls()
        with psycopg.connect(url) as session:
            for table, is_filled, is_little in session.execute(_TABLES, [LITTLE]).fetchall():
                (original.counts[table],) = _count(session, [table]) if is_filled else [0]
                if original.counts[table] and is_little:
                    with session.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as rows:
                        original.rows[table] = b"".join(rows)
        return original


def waiting() -> Iterator[None]:
    """Wait between looks whether a session that was closed has ended."""
    for turn in range(ENDING):
        yield
        time.sleep(0.001 * 2**turn)


def restore(sessions: Sessions, mark: Mark, original: Original) -> Mark | None:
    """Make a database what it was at a mark, when nobody has a session there but these; None: it cannot be made that."""
    found = _look(sessions)
    if found is None or found.noted != mark.noted:
        return None
    changed = [table for table, rows in found.written.items() if rows != mark.written.get(table, 0)]
    if not changed:
        return mark
    return _look(sessions) if _put_right(sessions[0], changed, mark, original) else None


def _look(sessions: Sessions) -> Mark | None:
    """How a database stands; None: others have sessions there, or nothing is counted."""
    for session in sessions:
        session.execute("SELECT pg_stat_force_next_flush()")
    for _ in waiting():
        noted, later, written, there, is_counted = sessions[0].execute(_MARK).fetchone()
        if there == len(sessions):
            return Mark(noted, later, written) if is_counted else None
    return None


def _put_right(session: psycopg.Connection[Any], changed: Collection[str], mark: Mark, original: Original) -> bool:
    """Delete the rows of some tables that have come since a mark, and put back those that have gone; tells whether that is possible."""
    if not original.counts.keys() >= set(changed):
        return False
    with session.transaction():
        session.execute("SET LOCAL session_replication_role = replica")  # whatever refers to a row is put right, too
        for table in changed:
            session.execute(f"DELETE FROM {table} WHERE age(xmin) <= age(CAST('{mark.later}' AS xid))")
        lost = [table for table, count in zip(changed, _count(session, changed), strict=True) if count != original.counts[table]]
        if not original.rows.keys() >= set(lost):
            return False
        for table in lost:
            session.execute(f"DELETE FROM {table}")
            with session.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as rows:
                rows.write(original.rows[table])
    return True


def _count(session: psycopg.Connection[Any], tables: Collection[str]) -> Sequence[int]:
    return session.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in tables)}").fetchone()
