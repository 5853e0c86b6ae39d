"""Connections (连接) to PostgreSQL: how one is made, which settings hold for it, and whether it leads where it should."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import URL, Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import base as pools
from sqlalchemy.util import queue

from engine import moments, outages
from engine.errors import EngineError
from engine.postgresql import IDLE_TIMEOUT, LOCK_TIMEOUT, NOTICED

#: Settings of all our connections, whatever an administrator has set for the server, the database or our role: the engine is written for
#: these, and its answers would be others with others.  Times are milliseconds.
OURS = {
    "lock_timeout": f"{LOCK_TIMEOUT * 1000}",
    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT * 1000}",
    # A limit would also cut off a commit that waits for its standby.
    "statement_timeout": "0",
    # Who has waited for a lock sees what the one before him has written.
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "datestyle": "ISO",
    "timezone": "UTC",
    # Token states stand in rows that are read as JSON (`recordsets`).
    "bytea_output": "hex",
    # A commit that does not wait for its standby any more is told of by a warning.
    "client_min_messages": "notice",
}
#: More of them, which only some servers know; other servers would refuse a connection that asks for them.
OF_SOME = {
    "transaction_timeout": "0",
    "idle_session_timeout": "0",
    # A session ends when nobody takes what it sends: it is at work, as the server sees it, and holds its locks meanwhile.  From 12 on, and
    # by TCP; else that lasts for a quarter of an hour, or for as long as a node is frozen.
    "tcp_user_timeout": f"{IDLE_TIMEOUT * 1000}",
    # Of a host that has gone nothing is left that takes a connection from others.
    **NOTICED,
}
#: What holds where an administrator has said that a commit waits for nothing (`off`); every other value is his to choose.
AWAITED = {"synchronous_commit": "on"}
#: Variables of the environment that PostgreSQL's library hands on, and which count for more than OURS; and what each of them sets.
HANDED_ON = {"PGDATESTYLE": ("DateStyle", OURS["datestyle"]), "PGTZ": ("TimeZone", OURS["timezone"])}
#: Settings that must hold: else what was acknowledged may be lost, or a node that is frozen keeps others waiting for ever.
VITAL = (
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "statement_timeout",
    "transaction_timeout",
    "default_transaction_isolation",
    "client_min_messages",
)
#: Two statements that the server cancels: because somebody asks for it, and because it takes too long.
CANCELLED = ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1)", "SET statement_timeout = 1; SELECT pg_sleep(1)")
#: The first version of PostgreSQL itself that is served, as servers count.
HAS_PROCESSES = 90_600


def keep_time() -> None:
    """Let SQLAlchemy's pools go by the steady clock: they go by that of the host, which may be set, and have no other way to be told.

    What they compare is when a connection was made, and when one has shown that all made before it are dead.  Where the clock was ahead
    at that moment, each later connection would be made anew for each use, until the clock is there again; where it was ahead when they
    were made, the dead ones would be found out one by one.
    """
    vars(pools)["time"] = SimpleNamespace(time=moments.steady)
    vars(queue)["_time"] = moments.steady


keep_time()


def shown(url: str) -> str:
    """A URL as people may read it, without its password; a file is named as it is, also where this locale has no letters for it."""
    parsed = make_url(url)
    return f"sqlite:///{parsed.database}" if parsed.get_backend_name() == "sqlite" else parsed.render_as_string(hide_password=True)


def words(url: URL, name: str) -> dict[str, Any]:
    """Give what a connection is made with, but for what its URL says itself: a host that has gone is noticed within seconds.

    `name`: under which the database shows us to others.  A name in the URL follows it; `options` in the URL follow ours, and so win.
    """
    said = {
        "client_encoding": "utf8",  # also where the database has none
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    limits = [f"-c {option}=" + value.replace(" ", r"\ ") for option, value in OURS.items()]
    both = {"options": " ".join(limits), "application_name": name}
    return {name: value for name, value in said.items() if name not in url.query} | {
        name: " ".join(filter(None, [value, *url.normalized_query.get(name, ())])) for name, value in both.items()
    }


def set_up(connection: Any, _record: Any = None) -> None:
    """Set on a new connection what only some servers know, unless the URL says it, and set right what the environment has changed.

    A pooler may give the next transaction to another session, which knows nothing of what was prepared or set in this one.  Behind one,
    nothing is prepared, and what commits wait for is left as it was, for the doctor to see.
    """
    known = """SELECT pg_backend_pid(), (SELECT count(set_config(known.name, said.value, false)) FROM pg_settings AS known
        JOIN json_each_text(CAST(%s AS json)) AS said ON said.key = known.name
        WHERE (known.source <> 'client' OR known.name IN ('DateStyle', 'TimeZone'))
        AND (known.name <> 'synchronous_commit' OR known.setting = 'off' AND pg_backend_pid() = %s))"""
    wanted = OF_SOME | AWAITED | dict(said for variable, said in HANDED_ON.items() if variable in os.environ)
    connection.autocommit = True
    session, _ = connection.execute(known, [json.dumps(wanted), connection.info.backend_pid]).fetchone()
    connection.autocommit = False
    if is_pooled(connection.info, session):
        connection.prepare_threshold = None


def is_pooled(info: Any, session: int) -> bool:
    """Whether a pooler stands between: the process that took the connection is not that of the session in which statements run.

    Of a server with threads for sessions (openGauss, whose version is 9.2) this is never said: it may number a session anew each time.
    """
    return bool(info.server_version >= HAS_PROCESSES and info.backend_pid != session)


def only_reads(connection: Connection) -> bool:
    """Whether the server takes no writes from us: it is a standby, or somebody has said so."""
    return bool(connection.scalar(text("SHOW transaction_read_only")) == "on")


def said_of(cancelled: str, bind: Engine) -> str:
    """How the server says, in its own language, that such a statement (`CANCELLED`) was cancelled; empty: it is away."""
    with suppress(EngineError), outages.told(), bind.connect() as connection:
        try:
            connection.exec_driver_sql(cancelled)
        except DBAPIError as error:
            return outages.said(error)
    return ""


def withheld(connection: Connection, wanted: Mapping[str, Iterable[str]]) -> list[str]:
    """Name tables that do not exist, or on which our role lacks a right.  `wanted`: tables by right (SELECT, INSERT …)."""
    query = """SELECT DISTINCT name FROM json_to_recordset(CAST(:wanted AS json)) AS said(name text, may text)
        WHERE to_regclass(name) IS NULL OR NOT has_table_privilege(to_regclass(name), may)"""
    rows = [{"name": name, "may": may} for may, names in wanted.items() for name in names]
    return sorted(connection.scalars(text(query), {"wanted": json.dumps(rows)}))


@dataclass(frozen=True, kw_only=True)
class Way:
    """Where a connection leads, and what holds for it."""

    #: How the database keeps texts.
    encoding: str
    #: Vital settings that are not as they should be: by name what they are.
    otherwise: dict[str, str]
    #: Whether a pooler stands between, with connections of its own to the server.
    pooled: bool


def look(connection: Connection) -> Way:
    """Look where a connection leads."""
    query = text("""SELECT name, setting FROM pg_settings WHERE name = 'server_encoding' OR name = ANY(:vital)""")
    there: dict[str, str] = {row.name: row.setting for row in connection.execute(query, {"vital": list(VITAL)})}
    said: Any = connection.connection.driver_connection
    return Way(
        encoding=there["server_encoding"],
        otherwise={name: there[name] for name in VITAL if name in there and there[name] != (OURS | OF_SOME)[name]},
        pooled=is_pooled(said.info, connection.scalar(text("SELECT pg_backend_pid()"))),
    )
