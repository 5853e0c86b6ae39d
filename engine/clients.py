"""Who is connected to PostgreSQL, what they do, and what it has found damaged, as it tells itself (`pg_stat_activity` and its like)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


def waiting(connection: Connection) -> int:
    """How many sessions wait for what another one has locked."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return int(connection.execute(text(query)).scalar_one())


@dataclass(frozen=True, kw_only=True)
class Client:
    """Somebody who is connected."""

    #: Process of the server.
    pid: int
    #: What it calls itself.
    name: str
    #: Where it is; empty: on the server's own machine.
    address: str

    def __str__(self) -> str:
        """Name it, so that it can be found."""
        return f"{self.name or 'one without a name'} (process {self.pid} of the database, from {self.address or 'its own machine'})"


def connected(connection: Connection) -> list[Client]:
    """All others who are connected to this database, and are not the server's own processes (before 10, who vacuums has a user)."""
    query = """SELECT pid, coalesce(application_name, '') AS name, coalesce(CAST(client_addr AS text), '') AS address FROM pg_stat_activity
        WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
        AND coalesce(query, '') NOT LIKE 'autovacuum: %' ORDER BY pid"""
    return [Client(**row) for row in connection.execute(text(query)).mappings()]


def working(connection: Connection, name: str) -> bool:
    """Whether a program of such a name (LIKE), other than ours, has asked for something within the last second."""
    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE :name
        AND pid <> pg_backend_pid() AND (state <> 'idle' OR state_change > clock_timestamp() - interval '1 second')"""
    return bool(connection.execute(text(query), {"name": name}).scalar_one())


def forgotten(connection: Connection, *, overdue: datetime) -> list[tuple[int, str, datetime]]:
    """Sessions that have begun a transaction before that time and do nothing: process, program, since when."""
    query = """SELECT pid, application_name, xact_start FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND xact_start < :overdue"""
    return [tuple(row) for row in connection.execute(text(query), {"overdue": overdue})]


def undecided(connection: Connection, *, overdue: datetime) -> list[tuple[str, datetime]]:
    """Transactions that were prepared before that time, and neither committed nor rolled back: name, since when."""
    query = "SELECT gid, prepared FROM pg_prepared_xacts WHERE database = current_database() AND prepared < :overdue"
    return [tuple(row) for row in connection.execute(text(query), {"overdue": overdue})]


def damaged(connection: Connection) -> tuple[int, datetime | None] | None:
    """How often a page of this database, or of what all of a server share, was found damaged, and when at last; None: nobody looks.

    Only servers from 12 on know, and only where pages have checksums (`initdb --data-checksums`; from 18 on unless told otherwise).
    """
    query = """SELECT sum(checksum_failures), max(checksum_last_failure) FROM pg_stat_database
        WHERE datid = 0 OR datname = current_database()"""
    times, last = connection.execute(text(query)).one()
    return None if times is None else (int(times), last)
