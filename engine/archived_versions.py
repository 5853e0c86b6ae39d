"""Versions of processes that archived cases ran on: who deletes a deployment looks whether there is one, and reads no document.

One row for each version is enough, for nothing is ever deleted of the archive.  What older nodes put away, or what was put away before
there was a place for it (migration 0035), is read once, by the sweep that puts cases away; until then it is read by who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

import structlog
import zstandard
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import archive_documents, reads, schema
from engine.archive_documents import Rows
from engine.archive_models import ArchivedCase, ArchivedVersion
from engine.database import Database
from engine.models import Definition
from engine.tables import METADATA

#: The revision since which there is a place for it.
KNOWN_SINCE = "0035"
#: How far apart clocks may have been when something was deployed, and when a case ended.
_APART = timedelta(days=1)
#: Cases that are looked for in one go.
_BATCH = 200
log = structlog.get_logger()


def keep(session: Session, rows: Rows, number: str) -> bool | None:
    """Write down the versions that the rows of a case name, which goes into the archive; None: there is no place for it yet.

    Whoever puts away another case that ran on the same version for the first time is waited for.
    """
    if not schema.is_there(session.connection(), KNOWN_SINCE):
        return None
    named = _named(rows)
    known = session.scalars(select(ArchivedVersion.definition_id).where(reads.among(session, ArchivedVersion.definition_id, named)))
    for version in sorted(named - set(known)):
        try:
            with session.begin_nested():
                session.execute(insert(ArchivedVersion).values(definition_id=version, number=number))
        except IntegrityError:  # it has been written meanwhile
            continue
    return True


def ran_on(session: Session, definitions: Collection[UUID], *, since: datetime) -> str | None:
    """Return the number of an archived case that ran on one of these versions, which were deployed then; None: there is none."""
    unread = ArchivedCase.ended_at >= since - _APART
    if schema.is_there(session.connection(), KNOWN_SINCE):
        kept = select(ArchivedVersion.number).where(reads.among(session, ArchivedVersion.definition_id, definitions))
        if number := session.scalar(kept.limit(1)):
            return number
        unread = unread & ArchivedCase.versions_kept.is_(None)
    ids = [str(definition).encode() for definition in definitions]
    query = select(ArchivedCase.number, ArchivedCase.content).where(unread).order_by(ArchivedCase.ended_at.desc())
    for number, content in session.execute(query.execution_options(yield_per=50)):
        written = zstandard.decompress(content)
        if any(one in written for one in ids):
            return number
    return None


def catch_up(db: Database, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Read what nobody has written the versions down of, until told to stop; how many.  Any number of nodes may do so at the same time."""
    with db.reading() as session:
        if not schema.is_there(session.connection(), KNOWN_SINCE):
            return 0
    return sum(_read(db, case_id) for case_id in takewhile(lambda _: not stopping(), _unread(db)))


def _unread(db: Database) -> Iterator[UUID]:
    after = None
    while True:
        query = select(ArchivedCase.ended_at, ArchivedCase.id).where(ArchivedCase.versions_kept.is_(None))
        query = query if after is None else query.where(ArchivedCase.ended_at >= after)
        with db.reading() as session:
            found = session.execute(query.order_by(ArchivedCase.ended_at, ArchivedCase.id).limit(_BATCH)).all()
        yield from (row.id for row in found)
        if len(found) < _BATCH or found[-1].ended_at == after:
            return
        after = found[-1].ended_at


def _read(db: Database, case_id: UUID) -> bool:
    with db.transaction() as session:
        row = session.scalar(select(ArchivedCase).where(ArchivedCase.id == case_id).with_for_update())
        if row is None:  # it has come back
            return False
        try:
            rows = archive_documents.unpack(row.content)
        except Exception:
            log.exception("archived case not read", case=row.number)  # what is wrong with it, `onething verify` says
            return False
        kept = keep(session, rows, row.number)
        here = ArchivedCase.id == row.id, ArchivedCase.region == row.region
        session.execute(update(ArchivedCase).where(*here).values(versions_kept=kept).execution_options(synchronize_session=False))
    return True


def _named(rows: Rows) -> set[UUID]:
    """Versions that the rows of a case refer to."""
    return {
        row[key.parent.name]
        for table, found in rows.items()
        for key in METADATA.tables[table].foreign_keys
        if key.column is Definition.__table__.c.id
        for row in found
        if row.get(key.parent.name) is not None
    }
