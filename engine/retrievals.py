"""Retrievals (调卷): a case comes back out of the archive, as a whole, for what the law lets be done to it years later.

It is done as to any other case then, by the same code, and the case goes into the archive again when it is at rest.  So nothing is ever
written into a document of the archive (docs/decisions/0028).
"""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine import archive_documents, bundles, journal
from engine.actors import Actor
from engine.archive_models import ArchivedCase
from engine.case_models import Case
from engine.errors import InvalidState
from engine.tables import METADATA


def retrieve(session: Session, number: str, *, actor: Actor) -> Case | None:
    """Put every row of an archived case back among what goes on, and return it; None: it is not in the archive, or has just come back.

    Its row in the archive is locked first, as whoever adopts out of it does.  Raises InvalidState when its document is damaged.
    """
    wanted = select(ArchivedCase).where(ArchivedCase.number == number, ArchivedCase.hall.is_not(None))
    row = session.scalar(wanted.with_for_update())
    if row is None:
        return None
    if hashlib.sha256(row.content).hexdigest() != row.sha256:
        raise InvalidState(f"Expected the document of case {number} to be what was archived, but its hash differs: put its row back first")
    rows = archive_documents.unpack(row.content)
    for instance in rows["instances"]:
        instance["purge_at"] = None  # what was archived is not deleted any more
    for table in METADATA.sorted_tables:
        if found := rows.get(table.name):
            session.execute(insert(table), found)
    session.expunge(row)
    session.execute(delete(ArchivedCase).where(ArchivedCase.id == row.id, ArchivedCase.region == row.region))
    case = session.scalars(select(Case).where(Case.id == row.id, Case.region == row.region)).one()
    journal.record(session, bundles.hold(session, case), actor=actor, what="case retrieved", archived_at=row.archived_at.isoformat())
    return case
