"""The archive (归档): finished cases leave the tables of running work after their time, as a whole; nothing of them is deleted.

Their time is the matter's own (`onething.archive_days`), else `camunda:historyTimeToLive`, counted from the end of the case; without either
they stay.  Each goes in a transaction of its own, so whatever dies in between, a case is in one place, and whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bpmn.errors import DocumentError
from engine import activities, archive_documents, archived_versions, case_items, definitions, keys, moments
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Commitment, Item, Material, Tolerance
from engine.database import Database
from engine.definitions import Loaded
from engine.errors import Busy, Vanished
from engine.models import Base, Incident, Instance, Job, Outbox, Task
from engine.states import OWED, UNKEPT, InstanceStatus

#: Cases that are looked for in one go.
BATCH = 200
#: The first day of the calendar.
FIRST = datetime(1, 1, 1, tzinfo=UTC)
_ARCHIVED = ArchivedCase.__table__
log = structlog.get_logger()


def sweep(db: Database, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Put away all cases whose time is over, until told to stop; how many.  Any number of nodes may do so at the same time."""
    count = sum(put_away(db, case_id) for case_id in takewhile(lambda _: not stopping(), due(db, moments.now())))
    archived_versions.catch_up(db, stopping=stopping)
    return count


def put_away(db: Database, case_id: UUID) -> bool:
    """Move one case into the archive.  Tells whether it was ours to do; a row that refers to it unexpectedly keeps it where it is."""
    try:
        with db.transaction() as session:
            case = session.scalar(select(Case).where(Case.id == case_id, *_at_rest()).with_for_update(skip_locked=True))
            if case is None or not _held(session, case) or not _still_rests(session, case):
                return False  # it is another's; or something came up before its instances were ours
            key = case.key
            session.execute(insert(_ARCHIVED).values(_archived(session, case)))
            session.expunge_all()
            for table in reversed(Base.metadata.sorted_tables):
                belongs = archive_documents.belonging(table, key)
                if belongs is not None:
                    session.execute(delete(table).where(belongs))
    except (IntegrityError, Vanished):
        log.exception("case not archived", case=str(case_id))
        return False
    except Busy:
        return False  # somebody has something of it just now; the next sweep meets it again
    return True


def _held(session: Session, case: Case) -> bool:
    """Lock its instances, and its tasks (a comment that is just being written would be lost); tells whether we have all of them.

    It waits for nobody: whoever has one of them may want the case, which we have locked already.
    """
    all_ours = True
    for kind in (Instance, Task):
        its = select(kind.id).where(keys.same_case(kind, case))
        held = session.scalars(its.with_for_update(skip_locked=True)).all()
        all_ours = all_ours and len(held) == len(session.scalars(its).all())
    return all_ours


def _still_rests(session: Session, case: Case) -> bool:
    return session.scalar(select(Case.id).where(keys.same_case(Case, case), *_at_rest())) is not None


def archive_date(loaded: Loaded, ended_at: datetime) -> datetime | None:
    """When a case that ended then is put away; None: never."""
    days = loaded.property("archive_days")
    return ended_at + timedelta(days=int(days)) if days.isdecimal() else activities.purge_date(loaded, ended_at)


def due(db: Database, at: datetime) -> Iterator[UUID]:
    """Yield cases whose time was over at a moment, and that nothing keeps where they are."""
    with db.reading() as session:
        versions = session.scalars(select(Case.definition_id).where(Case.ended_at.is_not(None)).distinct()).all()
    for version in versions:
        after = None
        while found := _of_version(db, version, after, at):
            yield from found
            after = found[-1]


def _of_version(db: Database, version: UUID, after: UUID | None, now: datetime) -> list[UUID]:
    """Cases of one version of a matter, the newest first: what refers to another goes before it."""
    with db.reading() as session:
        try:
            kept = archive_date(definitions.get(session, version), now)
        except DocumentError as error:  # an older version took it; how long its cases are kept nobody knows, and others are to go
            log.warning("cases of a refused diagram are not archived", definition=str(version), reason=str(error))
            return []
        if kept is None or kept - now > now - FIRST:  # no case is so old
            return []
        # Not before: it takes fifteen times as long to build as all else that is done here.
        query = select(Case.id).where(Case.definition_id == version, *_at_rest(), Case.ended_at <= now - (kept - now))
        query = query if after is None else query.where(Case.id < after)
        return list(session.scalars(query.order_by(Case.id.desc()).limit(BATCH)))


def _at_rest() -> tuple[ColumnElement[bool], ...]:
    """Nothing goes on in the case, nobody waits for anything of it, and no other case that is still here refers to it."""
    later, of_other = aliased(Case), aliased(Material)
    return (
        Case.ended_at.is_not(None),
        ~exists().where(keys.same_case(Instance, Case), Instance.status == InstanceStatus.RUNNING),
        ~exists().where(keys.same_case(Job, Case)),
        ~exists().where(keys.same_case(Incident, Case), Incident.resolved_at.is_(None)),
        ~exists().where(keys.same_case(Outbox, Case), Outbox.sent_at.is_(None)),
        ~exists().where(keys.same_case(Tolerance, Case), Tolerance.status.in_(OWED)),
        ~exists().where(keys.same_case(Commitment, Case), Commitment.status.in_(UNKEPT)),
        ~exists().where(later.previous_id == Case.id),
        ~exists().where(Item.adopted_from_id == Case.id),
        ~exists().where(keys.same_case(Material, Case), of_other.copied_from_id == Material.id, of_other.case_id != Case.id),
    )


def _archived(session: Session, case: Case) -> dict[str, Any]:
    """Give the columns of its row in the archive, without one that may not be there yet."""
    rows = archive_documents.gather(session, case.key)
    content = archive_documents.pack(rows)
    versions_kept = archived_versions.keep(session, rows, case.number)
    departments = sorted({item["department"] for item in rows.get("items", [])})
    return {
        "id": case.id,
        "number": case.number,
        "region": case.region,
        "matter": case.matter,
        "hall": case.hall,
        "applicant_number": case.applicant_number,
        "submitted_by": case.submitted_by,
        "departments": f"|{'|'.join(departments)}|" if departments else "",
        "brief": _brief(case, case_items.live(case)),
        "files": archive_documents.files(rows),
        "ended_at": case.ended_at or moments.now(),
        "archived_at": moments.now(),
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest(),
        **({} if versions_kept is None else {"versions_kept": versions_kept}),
    }


def _brief(case: Case, items: Sequence[Item]) -> dict[str, Any]:
    """Show a case as lists do."""
    return {
        "number": case.number,
        "matter": case.matter,
        "hall": case.hall,
        "applicant": case.applicant.get("name", ""),
        "entry": case.entry,
        "submitted_at": case.submitted_at,
        "ended_at": case.ended_at,
        "outcome": case_items.outcome(items),
        "light": None,
        "items": {item.code: item.status for item in items},
    }
