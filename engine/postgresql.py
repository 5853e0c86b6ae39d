"""What only PostgreSQL is asked: rows that come as JSON, so that everything costs one statement.

All SQL that is not everybody's stands here: a descendant of PostgreSQL that knows less needs another such module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, partial
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import CTE, JSON, Column, Connection, Engine, LargeBinary, Select, bindparam, case, cast, func, literal_column, select, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.types import UserDefinedType

from engine.columns import MAY_BE_LARGE, Json, LocalDay
from engine.parts import OLD, Part, Verb, counted

#: How long a writer waits for another before it gives up, seconds.
LOCK_TIMEOUT = 20
#: How long a transaction of ours may stand still, seconds: a node that is frozen, or cut off, gives its locks back before others give up.
IDLE_TIMEOUT = 15
#: A value of more letters goes beside the JSON of its row, not as a part of it.
LONG = 8_000
_LONG: ColumnElement[int] = literal_column(str(LONG))
#: How long a transaction that holds much waits for a lock, milliseconds.
HURRY = 10
#: How soon a server is to notice that a host has gone without a word, seconds, where it is set in a connection: else it takes two hours.
NOTICED = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
#: How long `take_alone` stands in line, with others behind it, and how long its transaction may stand still afterwards, milliseconds.
IN_LINE, ALONE = 250, 2000


# The server ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Dialect(PGDialect_psycopg):
    """Takes a descendant of PostgreSQL, which has a name of its own, for the version of PostgreSQL that it says it is like."""

    supports_statement_cache = True

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        try:
            return tuple(super()._get_server_version_info(connection))  # type: ignore[no-untyped-call]
        except AssertionError:
            return version(int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()))


registry.register("postgresql.psycopg", __name__, Dialect.__name__)
_DIALECT = Dialect()  # type: ignore[no-untyped-call]
#: Puts a name in quotes, but only one that the database would misread.
_quote: Callable[[str], str] = _DIALECT.identifier_preparer.quote


def is_behind(place: Session | Connection | Engine) -> bool:
    """Whether a session or a connection leads to PostgreSQL; else it leads to SQLite, which lets one write at a time anyway."""
    return (place.get_bind() if isinstance(place, Session) else place).dialect.name == "postgresql"


def version(number: int) -> tuple[int, ...]:
    """Read a version as a server counts it: 160004 is 16.4, 90204 is 9.2.4."""
    first, rest = divmod(number, 10_000)
    return (first, rest) if first >= 10 else (first, *divmod(rest, 100))  # noqa: PLR2004 - since 10 a version has two parts


def take(connection: Connection, lock: int, *, shared: bool = False) -> None:
    """Take a lock that is not that of a row, until the transaction ends; the numbers are ours alone, and mean nothing."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}(:lock)"), {"lock": lock})


def take_alone(connection: Connection, lock: int) -> bool:
    """Take such a lock once nobody shares it, or give up soon (False): whoever wants to share it meanwhile stands in line behind us.

    Until this transaction ends it waits no longer for anything else, and may not stand still: nobody can share the lock so long.
    """
    try:
        with connection.begin_nested():
            for name, limit in (("lock_timeout", IN_LINE), ("idle_in_transaction_session_timeout", ALONE)):
                connection.execute(text(f"SET LOCAL {name} = '{limit}ms'"))
            take(connection, lock)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        return False
    return True


def collations(connection: Connection) -> tuple[str, str] | None:
    """Give the version of the system's rules for sorting texts when the database was made, and the version now; None: nobody knows.

    Servers before 15, and their descendants, do not note it; and where texts are sorted by bytes there is no version.
    """
    noted = """SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relname = 'pg_database' AND attname = 'datcollversion'"""
    if not connection.scalar(text(noted)):
        return None
    query = "SELECT datcollversion, pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()"
    then, now = connection.execute(text(query)).one()
    return (then, now) if then and now else None


_AT_WORK = text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = to_regclass(:table) AND mode IN ('RowShareLock', 'RowExclusiveLock')"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
)


def at_work(connection: Connection, table: str) -> set[str]:
    """Name the transactions of others that have locked, or written, rows of a table."""
    return set(connection.scalars(_AT_WORK, {"table": table}))


def hold_if_free(connection: Connection, lock: int) -> bool:
    """Hold such a lock for as long as the connection lasts, unless somebody has it; tells whether it was free."""
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": lock}))


def look_after(connection: Connection) -> None:
    """Have the server notice within seconds that we are gone, also when our host went without a word, as far as it knows how."""
    for name, limit in (NOTICED | {"tcp_user_timeout": "10000"}).items():
        known = "SELECT set_config(name, :limit, false) FROM pg_settings WHERE name = :name"
        connection.execute(text(known), {"name": name, "limit": limit})


def try_to_take(lock: ColumnElement[int]) -> ColumnElement[bool]:
    """Condition: nobody else has such a lock.  Whoever asks has it then until the transaction ends."""
    return func.pg_try_advisory_xact_lock(lock)


def hurry(connection: Connection, milliseconds: int = HURRY) -> None:
    """Give up soon when others have locked what this transaction wants."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{milliseconds}ms'"))


def let_idle(connection: Connection, seconds: int = 0) -> None:
    """Let this transaction stand still for so long; 0: for as long as it likes."""
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{seconds}s'"))


# Reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ToRead(UserDefinedType[Any]):
    """JSON that the driver parses (`engine.recordsets`); to the database it is a text, of a type that no column has.

    Its type is not JSON: to make that of what was a text, the database would look through all of it.
    """

    NAME = "bpchar"
    cache_ok = True

    def get_col_spec(self, **_words: Any) -> str:
        """Say how the type is written."""
        return self.NAME


def packed(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """Select columns as one, of JSON: each column that a driver hands out costs as much as this one.  What is JSON already is a part of it.

    Columns that may hold large values follow, null where the value is small: inside the JSON the database would read and copy them again.
    """
    places, inside = large(columns), list(columns)
    for place in places:
        inside[place] = case((func.octet_length(columns[place]) <= _LONG, cast(columns[place], JSON)))
    beside = (case((func.octet_length(columns[place]) > _LONG, cast(columns[place], ToRead))) for place in places)
    return [cast(_row(inside), ToRead), *beside]


def large(columns: Iterable[ColumnElement[Any]]) -> list[int]:
    """Give the places of the columns that may hold large values."""
    return [place for place, column in enumerate(columns) if MAY_BE_LARGE in getattr(column, "info", ())]


def _row(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[Any]:
    return func.json_build_array(*(cast(column, JSON) if isinstance(column.type, Json) else column for column in columns))


def listed(queries: Iterable[tuple[Sequence[Column[Any]], Select[Any]]]) -> Select[Any]:
    """Select the rows of several queries as one value: a list of lists of rows."""
    return select(cast(func.json_build_array(*(_list(columns, query) for columns, query in queries)), ToRead))


def _list(columns: Sequence[Column[Any]], query: Select[Any]) -> ColumnElement[Any]:
    rows = query.with_only_columns(_row(columns).label("row"), maintain_column_froms=True).subquery()
    return select(func.coalesce(func.json_agg(rows.c.row), literal_column("'[]'::json"))).scalar_subquery()


class Materialized(TextClause):
    """The word MATERIALIZED, but for servers before 12: they do not know it, and do so anyway."""

    inherit_cache = True


@compiles(Materialized)
def _materialized(_word: Materialized, compiler: SQLCompiler, **_words: Any) -> str:
    return "MATERIALIZED" if (compiler.dialect.server_version_info or ()) >= (12,) else ""


def by_itself(query: CTE) -> CTE:
    """Have a part of a query carried out once, before anything else, whatever the planner thinks."""
    return query.prefix_with(Materialized("MATERIALIZED"), dialect="postgresql")


@compiles(LocalDay, "postgresql")
def _local_day(day: LocalDay, compiler: SQLCompiler, **words: Any) -> str:
    return f"CAST(timezone(INTERVAL '8 hours', {compiler.process(day.clauses, **words)}) AS DATE)"


def among(column: Any, values: Collection[Any] | None = None, *, named: str = "among") -> TextClause:
    """Condition: a column has one of these values.  They are one parameter: hundreds of parameters cost the driver more than the query.

    `values` None: the statement is given them when it runs, as the parameter `named`.
    """
    kind = f"{column.type.compile(_DIALECT)}[]"
    # In a SELECT, the planner does not count them; else it would read a small table, or one of which it knows little, as a whole.
    found = text(f"{column.expression} = ANY(CAST((SELECT CAST(:{named} AS {kind})) AS {kind}))")
    return found if values is None else found.bindparams(bindparam(named, list(values), unique=True))


def array(ids: Iterable[str]) -> str:
    """Write ids as one parameter: of a list the driver would look at each."""
    return f"{{{','.join(ids)}}}"


# Writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def statement(parts: tuple[Part, ...], most: tuple[int, ...], words: tuple[tuple[str, ...], ...]) -> str:
    """Build the statement that writes several parts at once, as the driver takes it; few different ones are ever needed, and they are kept.

    The database knows each by its text. So does the driver, up to 4,096 letters; longer ones it takes apart each time.

    One of the parts (`counted`) is the statement itself, the others stand before it in a WITH.  It returns no rows, which would cost the
    driver much, only how many this part has changed: none where another part has not found all the rows that must be there.
    """
    steps = [_SQL[part.verb](part, _source(part, place, most[place], words[place])) for place, part in enumerate(parts)]
    last = counted(parts)
    exact = [place for place, part in enumerate(parts) if part.exact and place != last]
    before = [f"part_{place} AS ({step}{' RETURNING 1' if place in exact else ''})" for place, step in enumerate(steps) if place != last]
    found = [f" AND (SELECT count(*) FROM part_{place}) = json_array_length(CAST(%(rows_{place})s AS json))" for place in exact]
    return f"{'WITH ' if before else ''}{', '.join(before)} {steps[last]}{''.join(found)}"


def _source(part: Part, place: int, most: int, words: Collection[str]) -> str:
    # The limit is for the planner: it takes JSON for a hundred rows, and would rather read a whole table than look each of them up.
    alone = [name for name in part.names if beside(name, place) in words]
    columns = ", ".join(f"{_quote(name)} {_type(part.table.c[name.removeprefix(OLD)])}" for name in part.names if name not in alone)
    large = "".join(f", CAST(%({beside(name, place)})s AS text) AS {_quote(name)}" for name in alone)
    return f"(SELECT *{large} FROM json_to_recordset(CAST(%(rows_{place})s AS json)) AS s({columns}) LIMIT {most}) AS s"


def beside(name: str, place: int) -> str:
    """Name the parameter of a large value, which goes beside the rows of its part; `large_`, since a column may be called `rows`."""
    return f"large_{name}_{place}"


def _type(column: Column[Any]) -> str:
    kind = "text" if isinstance(column.type, LargeBinary) else column.type.compile(_DIALECT)
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
    where = " WHERE " + " AND ".join(f"{part.table.name}.{_quote(name)} IS NULL" for name in part.empty) if part.empty else ""
    return f"{_insert(part, source)} ON CONFLICT ({_names(part.by)}) DO UPDATE SET {new}{where}"


def _update(part: Part, source: str) -> str:
    new = ", ".join(f"{_quote(name)} = {_value(part, name)}" for name in part.names if not name.startswith(OLD))
    which = [f"t.{_quote(name)} = {_value(part, OLD + name)}" for name in part.by] + [f"t.{_quote(name)} IS NULL" for name in part.empty]
    return f"UPDATE {part.table.name} AS t SET {new} FROM {source} WHERE {' AND '.join(which)}"


def _delete(part: Part, source: str) -> str:
    which = " AND ".join(f"t.{_quote(name)} = {_value(part, name)}" for name in part.names)
    return f"DELETE FROM {part.table.name} AS t USING {source} WHERE {which}"


_SQL = {Verb.INSERT: _insert, Verb.PUT: _put, Verb.UPDATE: _update, Verb.DELETE: _delete}
