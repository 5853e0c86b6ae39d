"""Our schema spread over shards, as PostgreSQL itself can do it: each table that grows is partitioned by the key (region, case).

PostgreSQL asks of a partitioned table what a distributed one asks: the key in its primary key and in whatever is unique.  Rows of a case have
the same remainder in every table, so a partition of each makes a shard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, text

from engine.models import Base
from tests import distribution

#: How many there are: rows of two cases lie together by chance once in so many times.
SHARDS = 8


def spread(url: str, shards: int = SHARDS) -> None:
    """Lay what grows in a database, where there are no rows of it yet, out in partitions."""
    bind, tables, old = create_engine(url), _tables(), [Base.metadata.tables[table.name] for table in distribution.growing()]
    with bind.begin() as connection:
        Base.metadata.drop_all(connection, tables=old)
        tables[0].metadata.create_all(connection, tables=tables)
        for table in tables:
            for number in range(shards):
                connection.execute(text(_partition(table.name, number, shards)))
        # A table of a few rows is read from end to end otherwise, whatever is looked for.
        for plan in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(text(f'ALTER DATABASE "{bind.url.database}" SET enable_{plan} = off'))
    bind.dispose()


def _partition(table: str, number: int, shards: int) -> str:
    return f"CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES WITH (MODULUS {shards}, REMAINDER {number})"


def _tables() -> list[Table]:
    """Copies of the tables that grow, partitioned."""
    metadata = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata)
    for table in distribution.growing():
        case = next(iter(distribution.key_of(table) - {"region"}))
        metadata.tables[table.name].dialect_options["postgresql"]["partition_by"] = f"HASH (region, {case})"
    return [metadata.tables[table.name] for table in distribution.growing()]


@dataclass
class Transaction:
    """What a transaction did, statement by statement, and where."""

    #: The shards in which it wrote rows of cases, and the tables that it wrote to besides: those of no case, which pass.
    written: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    #: Each statement that looked for rows of cases, and the shards in which it did.
    asked: list[tuple[str, set[int]]] = field(default_factory=list)


class Watch:
    """What PostgreSQL itself counts of each transaction, shard by shard, until it is closed."""

    def __init__(self, bind: Engine) -> None:
        self.bind = bind
        self.seen: list[Transaction] = []
        with bind.begin() as connection:
            _ask(connection, _WATCHED)
        self._listeners = {"begin": self._begin, "commit": self._commit, "rollback": self._end, "after_cursor_execute": self._look}
        for name, listener in self._listeners.items():
            event.listen(bind, name, listener)

    def close(self) -> None:
        """Watch no more."""
        for name, listener in self._listeners.items():
            event.remove(self.bind, name, listener)

    def take(self) -> list[Transaction]:
        """What was seen since this was asked last, without transactions that did nothing to rows of cases."""
        seen, self.seen = self.seen, []
        return [each for each in seen if each.written or each.asked]

    def _begin(self, connection: Connection) -> None:
        # What is counted is kept until it is told to all, a second apart: with this it is told when the transaction ends.
        _ask(connection, "SELECT pg_stat_force_next_flush()")
        connection.info[_TOLD] = Transaction(), {}

    def _look(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        told, before = connection.info[_TOLD]
        now = {shard: (written, asked) for shard, written, asked in _ask(connection, _COUNTS)}
        written, asked = ({shard for shard in now if now[shard][place] > before.get(shard, (0, 0))[place]} for place in (0, 1))
        told.written |= written - distribution.PASSING
        told.beside |= written & distribution.PASSING
        if asked := asked - distribution.PASSING:
            told.asked.append((statement, asked))
        connection.info[_TOLD] = told, now

    def _commit(self, connection: Connection) -> None:
        _ask(connection, "SET CONSTRAINTS ALL IMMEDIATE")  # what is looked at when the transaction ends is so a statement as well
        self._look(connection, None, "COMMIT")
        self._end(connection)

    def _end(self, connection: Connection) -> None:
        self.seen.append(connection.info.pop(_TOLD)[0])


def _ask(connection: Connection, query: str) -> list[Any]:
    cursor = connection.connection.cursor()
    cursor.execute(query)
    return cursor.fetchall() if cursor.description else []


_TOLD = "told"
#: What is counted: tables that lie in a shard or pass, and their indexes; to look for them at each statement takes six times as long.
_WATCHED = f"""CREATE TABLE watched AS WITH named AS (
    SELECT relid, coalesce(substring(relname FROM '_([0-9]+)$'), relname) AS place FROM pg_stat_user_tables
    WHERE relname ~ '_[0-9]+$' OR relname IN ({", ".join(f"'{name}'" for name in distribution.PASSING)})
) SELECT place, relid AS counted, true AS is_table FROM named
UNION ALL SELECT place, indexrelid, false FROM named JOIN pg_index ON indrelid = relid"""
#: Of each shard, and each table that passes: rows written, and scans of an index or a table.
_COUNTS = """SELECT place, CAST(sum(CASE WHEN is_table THEN pg_stat_get_xact_tuples_inserted(counted)
    + pg_stat_get_xact_tuples_updated(counted) + pg_stat_get_xact_tuples_deleted(counted) ELSE 0 END) AS integer),
    CAST(sum(pg_stat_get_xact_numscans(counted)) AS integer) FROM watched GROUP BY place"""
