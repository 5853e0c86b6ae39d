"""The schema (库表): how far the database has been brought, whether this release may serve on it, and who stands in the way of more.

Releases are told apart by the newest revision that they know.  Most revisions only add, so that older nodes serve on; one that takes away
says the `oldest` release that can serve afterwards, and waits until no older node is connected (docs/decisions/0020).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, String, column, inspect, select, table
from sqlalchemy.orm import Mapped, mapped_column

from engine import clients, postgresql
from engine.clients import Client
from engine.errors import InvalidState
from engine.models import Base

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

MIGRATIONS = Path(__file__).parent / "migrations"
#: The newest revision.  It is written down since each connection tells it, and to look for it takes as long as to connect.
NEWEST = "0035"
#: What a program calls itself in its connections; a node that answers people, and one that does what is due; and how all that answer are
#: known, of whatever release.
NAME = f"onething {NEWEST}"
SERVER, WORKER = f"{NAME} serve", f"{NAME} work"
SERVERS = "onething % serve%"
#: Nodes of whatever release.  One that does what is due was called as a command is, before 0035.
_IS_NODE = re.compile(rf"onething (\w+ (serve|work)\b|(?!{NEWEST}\b)\w+)")
#: Where Alembic writes down how far it has come.
_VERSION = table("alembic_version", column("version_num"))
#: What its comment begins with while a restoration is under way, or was interrupted: the rows are there, and something is still to be done.
RESTORING = "loaded by onething from"
#: How a migration says what it is, and which one it follows.
_FOLLOWS = re.compile(r"""^revision = ["'](\w+)["']\ndown_revision = (?:None|["'](\w+)["'])""", re.MULTILINE)
#: What was seen in which database.
_seen: WeakKeyDictionary[Engine, set[str]] = WeakKeyDictionary()
_MIGRATE = "Run onething migrate."
_ELSEWHERE = "Let search_path begin with it again, for the role and the database; for another installation beside it: onething migrate."
_RESTORE_AGAIN = "Let it end; or, where it was interrupted, give the same onething restore again, which goes on."
_SERVE_NEWER = "Serve with the version that migrated it, or a newer one."


class Compatibility(Base):
    """Which releases may serve on the schema that is there: one row, which migrations write."""

    __tablename__ = "compatibility"
    #: The revision that a release must know.
    oldest: Mapped[str] = mapped_column(String(32), primary_key=True)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How the schema suits this release."""

    #: Whether this release may serve on it.
    fit: bool = True
    found: str
    #: What is to be done; empty when nothing is.
    advice: str = ""


def config() -> Config:
    """Where the migrations are, as Alembic wants to be told."""
    from alembic.config import Config  # noqa: PLC0415 - only who migrates needs it, and to import it takes a twentieth of a command's start

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@functools.cache
def scripts() -> tuple[Script, ...]:
    """Migrations that this release knows, the oldest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    return tuple(reversed(tuple(ScriptDirectory.from_config(config()).walk_revisions())))


@functools.cache
def revisions() -> tuple[str, ...]:
    """Revisions that this release knows, the oldest first."""
    versions = (MIGRATIONS / "versions").glob("*.py")
    after = {before: revision for path in versions for revision, before in _FOLLOWS.findall(path.read_text(encoding="utf-8"))}
    known = [after[""]]
    while known[-1] in after:
        known.append(after[known[-1]])
    return tuple(known)


def oldest(script: Script) -> str | None:
    """The revision that nodes must know which are to serve after a migration; None: it only adds."""
    found: str | None = getattr(script.module, "oldest", None)
    return found


@functools.cache
def needed() -> str:
    """The revision without which this release cannot serve: what comes after it takes away, or can be done without."""
    return next(script.revision for script in reversed(scripts()) if is_needed(script))


def is_needed(script: Script) -> bool:
    """Whether its release cannot serve without a migration: it adds something, and does not say that it is not `needed`."""
    return oldest(script) is None and getattr(script.module, "needed", True)


def has(connection: Connection, revision: str) -> bool:
    """Whether the database has been brought to a revision, which this release knows but does not need."""
    return current(connection) not in revisions()[: revisions().index(revision)]


def is_there(connection: Connection, revision: str) -> bool:
    """As `has`, for what is asked often: where it was seen it is not looked for again, for what a release can do without stays."""
    seen = _seen.setdefault(connection.engine, set())
    if revision not in seen and has(connection, revision):
        seen.add(revision)
    return revision in seen


def current(connection: Connection) -> str | None:
    """The revision that the database has; None: it has no schema."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def look(connection: Connection) -> Finding:
    """Compare the schema with what this release needs, and this release with what the schema needs."""
    there, known = current(connection), revisions()
    if hindrance := _hindrance(connection, there):
        return hindrance
    if there == NEWEST:
        return Finding(found=f"current ({there})")
    if there is None or there in known[: known.index(needed())]:
        return missing(f"schema {there or 'none'}, newest {known[-1]}")
    if there in known:
        found = f"schema {there}, newest {known[-1]}; what only older versions use is there still, or something new is not"
        return Finding(found=found, advice="When none of their nodes is left, run onething migrate again.")
    newer = f"schema {there} is newer than this version"
    if connection.scalar(select(Compatibility.oldest)) in known:
        return Finding(found=f"{newer}, which may serve on it for the time being", advice=_SERVE_NEWER)
    return Finding(fit=False, found=newer, advice=_SERVE_NEWER)


def _hindrance(connection: Connection, there: str | None) -> Finding | None:
    """Say what no release can serve on."""
    if there is None and (others := _elsewhere(connection)):
        return Finding(fit=False, found=f"schema none, but there is one in {', '.join(others)}", advice=_ELSEWHERE)
    if there is not None and _is_being_restored(connection):  # numbers that are on paper might be given again
        return Finding(fit=False, found=f"schema {there}, and a restoration that has not ended", advice=_RESTORE_AGAIN)
    return None


def _is_being_restored(connection: Connection) -> bool:
    if not postgresql.is_behind(connection):  # SQLite has all of it, or nothing
        return False
    return (inspect(connection).get_table_comment(_VERSION.name)["text"] or "").startswith(RESTORING)


def _elsewhere(connection: Connection) -> list[str]:
    """Name what else in the database holds an installation: somebody may have had us look in another place."""
    there = inspect(connection)
    return [name for name in there.get_schema_names() if name != there.default_schema_name and there.has_table("alembic_version", name)]


def is_known_to_all(connection: Connection, revision: str) -> bool:
    """Whether every node that may serve knows a revision."""
    return connection.scalar(select(Compatibility.oldest)) not in revisions()[: revisions().index(revision)]


def missing(found: str) -> Finding:
    """Say that there is no such schema yet."""
    return Finding(fit=False, found=found, advice=_MIGRATE)


def contractions(connection: Connection) -> list[Script]:
    """Migrations to come that take away what nodes of older releases may be using; nobody can have used an empty database."""
    there = current(connection)
    to_come = scripts()[revisions().index(there) + 1 :] if there in revisions() else ()
    return [script for script in to_come if oldest(script) is not None]


def hindrances(contraction: Script, connection: Connection) -> list[Client]:
    """Who is connected and may be a node that the contraction would break: its name tells an older release, or none at all.

    On SQLite nobody can be seen; there is one server, which is stopped before (docs/operating.md).
    """
    if not postgresql.is_behind(connection):
        return []
    return [client for client in clients.connected(connection) if not _is_young_enough(client, oldest(contraction) or "")]


def nodes(connection: Connection) -> list[Client]:
    """Nodes that are connected, of whatever release.  On SQLite nobody can be seen; they notice there that their file is another one."""
    if not postgresql.is_behind(connection):
        return []
    return [client for client in clients.connected(connection) if _IS_NODE.match(client.name)]


def _is_young_enough(client: Client, needed: str) -> bool:
    told = re.match(r"onething (\w+)", client.name)
    known = revisions()
    return told is not None and told[1] not in known[: known.index(needed)]  # a revision that we do not know is newer than ours


def is_older(client: Client) -> bool:
    """Whether somebody who is connected tells an older release than this one."""
    told = re.match(r"onething (\w+)", client.name)
    return told is not None and told[1] in revisions()[:-1]


def remainder(contraction: Script, clients: Sequence[Client]) -> str:
    """Say what is left to do while somebody is connected who may be an older node.

    Raises InvalidState when this release cannot serve beside them, since what it needs comes after what is to be taken away.
    """
    seen = ", ".join(map(str, clients[:5])) + (f" and {len(clients) - 5} more" if len(clients) > 5 else "")  # noqa: PLR2004
    told = f"Expected no node of an older version to be connected, but these may be some: {seen}."
    again = "then run onething migrate again (with --force if none of these is a node)."
    if revisions().index(contraction.revision) < revisions().index(needed()):
        raise InvalidState(
            f"{told} They are older than the version before this one, which cannot serve beside them."
            f" Replace them with a version that knows schema {contraction.revision}, or stop them, {again}"
        )
    return f"{told} What only they use is left where it is, and this version serves beside them. Replace them, {again}"
