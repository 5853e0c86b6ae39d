"""Readiness (就绪): whether a node may be given requests."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from engine import connections, postgresql, schema
from engine.database import Database
from engine.errors import Busy, EngineError, said_below
from engine.schema import Compatibility, Finding
from engine.tables import METADATA

#: Tables of which work changes rows, and from which it takes some away, day by day.  Elsewhere an administrator may have kept these rights
#: from us for good (who has done what is not to be changed), and what he keeps there is told to who wants it.
CHANGED = (
    "activities",
    "cases",
    "clock_entries",
    "counters",
    "external_tasks",
    "incidents",
    "instances",
    "items",
    "jobs",
    "materials",
    "outbox",
    "subscriptions",
    "tasks",
    "timers",
)
TAKEN_AWAY = (
    "continuations",
    "external_tasks",
    "idempotent_answers",
    "jobs",
    "large_values",
    "log_ins",
    "outbox",
    "subscriptions",
    "task_drafts",
    "timers",
)
#: What to do about one that does not answer: why, which may name hosts and roles, is for who looks after this node.
ASK = "onething doctor, on this node, says why."
#: What to do about a database that takes no writes.
ONLY_READS = "Name the server that writes, or let this one (default_transaction_read_only, promote)."


def look(db: Database) -> Finding:
    """Say whether requests should come here: the database answers, and its schema is one that this version may serve on.

    That may be a newer one: older nodes serve until they are replaced (docs/operating.md).
    """
    try:
        with db.snapshot(glance=True) as session:
            return _inside(session.connection())
    except Busy:
        return Finding(fit=False, found="Expected to look at the schema, but somebody holds a table of it", advice="See who holds locks.")
    except EngineError as error:
        return Finding(fit=False, found=str(error), advice=ASK if said_below(error) else "")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return Finding(fit=False, found=f"Expected the database to answer, but {reason}")


def _inside(connection: Connection) -> Finding:
    found = schema.look(connection)
    if not found.fit:
        return replace(found, found=f"Expected a schema that this version can serve on, but {found.found}")
    if kept := kept_from_writing(connection):
        return replace(kept, found=f"Expected a database that can be written to, but {kept.found}")
    if not found.advice and (missing := withheld(connection)):  # it is the newest
        return replace(missing, found=f"Expected to read and write every table, but {missing.found}")
    return found


def kept_from_writing(connection: Connection) -> Finding | None:
    """Say why nothing can be written to a database; None: it can.  SQLite writes beside its file, too."""
    if postgresql.is_behind(connection):
        return Finding(fit=False, found="it only reads", advice=ONLY_READS) if connections.only_reads(connection) else None
    place = Path(connection.engine.url.database or "")
    if not place.is_file() or (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK | os.X_OK)):
        return None
    found = "its file, or the folder of that, is not this account's to write, or the disk is read-only"
    return Finding(fit=False, found=found, advice="Give both to the account that serves.")


def withheld(connection: Connection) -> Finding | None:
    """Say which tables of the newest schema are kept from this node, as after a restoration by hand; None: none is."""
    if not postgresql.is_behind(connection):
        return None
    every = METADATA.tables.keys() - {Compatibility.__tablename__}  # who migrates writes that one
    rights = {"SELECT": every, "INSERT": every, "UPDATE": CHANGED, "DELETE": TAKEN_AWAY}
    tables = connections.withheld(connection, rights)
    if not tables:
        return None
    found = f"these are missing, or our role may not: {', '.join(tables)}"
    return Finding(fit=False, found=found, advice="GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES, or put back what is missing.")
