"""Administration (系统管理): who has changed what of accounts, keys, departments and halls.

It is kept as the journal is: append-only, chained by hash, in the transaction of the change; and told to the log when that is durable.
Until there is a place for it (migration 0031), and at nodes of the release before, the log is where it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import orjson
import structlog
from sqlalchemy import ColumnElement, Text, func, insert, select, type_coerce
from sqlalchemy.orm import Session

from engine import calendars, database, journal, moments, numbers, reads, schema
from engine.account_models import Administered
from engine.actors import Actor, Role
from engine.models import Counter

log = structlog.get_logger()
#: The revision since which there is a place for it.
KNOWN_SINCE = "0031"
#: The counter of its entries: whoever appends one has it until the commit, so the chain cannot fork.
COUNTER = "administration"
_ENTRIES = Administered.__table__
#: How many entries are read in one go.
_SOME = 500


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Which entries are asked for; None: all of them."""

    #: Name of who did it.
    actor: str | None = None
    #: Name of the account that it was done to.
    account: str | None = None
    #: E.g. `role granted`.
    what: str | None = None
    #: From one day to another in Beijing, both included.
    since: date | None = None
    until: date | None = None


def record(session: Session, what: str, *, actor: Actor, **about: str | None) -> None:
    """Record what was done, by whom, and what it is about, which is never a secret; the last thing that its transaction does.

    Whoever comes second waits here, for a commit: what is to be written has been by then, so that nobody waits for him in turn.
    """
    session.flush()
    if schema.is_there(session.connection(), KNOWN_SINCE):
        _append(session, what, actor, about)
    database.after_commit(session, lambda _db: log.info("administered", what=what, actor=actor.name, **about))


def listing(
    session: Session, *, actor: Actor, wanted: EntryFilter | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Administered]:
    """List what was done, the newest first, from the one before `before`; for administrators, and for who supervises all halls."""
    if not any(grant.role is Role.SUPERVISOR and grant.hall is None for grant in actor.grants):
        actor.require(Role.ADMIN, to="read who has changed what")
    if not schema.is_there(session.connection(), KNOWN_SINCE):
        return []
    query = select(Administered).where(*_conditions(wanted or EntryFilter())).order_by(Administered.seq.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(Administered.seq < before)).all()


def _conditions(wanted: EntryFilter) -> Iterator[ColumnElement[bool]]:
    yield from reads.equal({Administered.actor: wanted.actor, Administered.what: wanted.what})
    if wanted.account is not None:  # which is told before all else
        said = orjson.dumps({"account": wanted.account}).decode().removesuffix("}")
        yield func.substr(type_coerce(Administered.about, Text), 1, len(said)) == said
    if wanted.since is not None:
        yield Administered.at >= calendars.start_of(wanted.since)
    if wanted.until is not None:
        yield Administered.at < calendars.end_of(wanted.until)


def check(session: Session) -> str | None:
    """Recompute the chain; None when it holds, else what is wrong with it."""
    if not schema.is_there(session.connection(), KNOWN_SINCE):
        return None
    previous, place = "", 0
    for entry in _entries(session):
        place += 1
        if entry.seq != place:
            return f"Expected entry {place} of administration, but found {entry.seq}"
        previous = journal.digest(previous, entry.seq, entry.at, entry.actor, entry.what, entry.about)
        if previous != entry.hash:
            return f"Expected entry {place} of administration to be as it was written, but its hash differs"
    counted = session.scalar(select(Counter.value).where(Counter.name == COUNTER)) or 0
    return None if counted == place else f"Expected {counted} entries of administration, but found {place}"


def _entries(session: Session) -> Iterator[Administered]:
    query, after = select(Administered).order_by(Administered.seq).limit(_SOME), 0
    while some := session.scalars(query.where(Administered.seq > after)).all():
        yield from some
        after = some[-1].seq


def _append(session: Session, what: str, actor: Actor, about: dict[str, str | None]) -> None:
    connection = session.connection()
    seq = numbers.count(connection, COUNTER)
    previous = connection.scalar(select(_ENTRIES.c.hash).where(_ENTRIES.c.seq == seq - 1)) or ""
    at, said = moments.now(), {name: value for name, value in about.items() if value is not None}
    digest = journal.digest(previous, seq, at, actor.name, what, said)
    connection.execute(insert(_ENTRIES).values(seq=seq, at=at, actor=actor.name, what=what, about=said, hash=digest))
