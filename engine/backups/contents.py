"""Contents (转储内容): which parts of a dump an account may restore.

Some things only the administrator of a server may make: an extension that counts statements, a publication of tables.  Our tables need none
of them.  But a dump has all that is in its database, and with these parts an account that is no administrator would be refused the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text

from engine import outages
from engine.database import Database

log = structlog.get_logger()
#: Kinds of things that an administrator makes, as `pg_restore --list` names them: a comment on one, or the thing itself.
_KINDS = "EXTENSION|EVENT TRIGGER|PUBLICATION|SUBSCRIPTION"
_LINE = re.compile(rf"\d+; \d+ \d+ (?:COMMENT - (?:{_KINDS}) \"?(?P<remarked>[^\s\"]+)|(?P<kind>{_KINDS})[A-Z ]* \S+ (?P<name>\S+))")
#: The first version of PostgreSQL with extensions that whoever may create in a database may make there.
_TRUSTS = 130_000
_THERE = "SELECT extname FROM pg_extension"
_TRUSTED = """SELECT name FROM pg_available_extension_versions
    WHERE trusted AND has_database_privilege(current_database(), 'CREATE')"""
_MAKES_ALL = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What an account may make in a database."""

    #: Everything.
    all: bool
    #: Extensions that are there already.  They need not be made, and a comment on them belongs to somebody else.
    there: frozenset[str]
    #: Extensions that it may make.
    trusted: frozenset[str]


def choose(db: Database, listed: bytes) -> bytes:
    """Keep the lines of `pg_restore --list` that are to be restored; what is left out is logged."""
    with outages.told(), db.bind.connect() as connection:
        rights = _rights(connection)
    return b"".join(line for line in listed.splitlines(keepends=True) if not _leave_out(rights, line))


def _leave_out(rights: Rights, line: bytes) -> bool:
    """Whether a line of the list is left out; that is logged, unless the database has already what it names."""
    found = _LINE.match(line.decode(errors="replace"))
    if found is None or rights.all:
        return False
    name = found["remarked"] or found["name"]
    if found["name"] and name not in rights.there | rights.trusted:
        log.warning("what only an administrator makes is left out", kind=found["kind"], name=name)
    return name in rights.there or name not in rights.trusted


def _rights(connection: Connection) -> Rights:
    version = int(connection.scalar(text("SHOW server_version_num")) or 0)
    return Rights(
        all=bool(connection.scalar(text(_MAKES_ALL))),
        there=frozenset(connection.scalars(text(_THERE))),
        trusted=frozenset(connection.scalars(text(_TRUSTED)) if version >= _TRUSTS else ()),
    )
