"""Verification (核验): whether everything that is kept is whole: `onething verify`, and the end of every trial of strength.

It may run while others work: a batch at a time, each as it stood at one moment.  Nothing is loaded that is not looked at,
so it takes as much memory for ten cases as for ten million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from sqlalchemy import func, select

from engine import archives, moments, outages, reads
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Material
from engine.database import Database, Session
from engine.errors import Unavailable
from engine.files import FileStore
from engine.models import Instance, Outbox
from engine.verification import archive_faults, instance_faults, scans, stored_faults
from engine.verification.faults import Fault, FaultKind

#: Instances that are looked at in one go.
BATCH = 100
#: How late what is due may be before it counts as stuck.
PATIENCE = timedelta(minutes=10)
#: The same of what goes into the archive, which is looked for each hour, a mass of it for longer.
SWEPT = timedelta(days=1)
#: Of cases that should be there, so many are counted, and named.
MANY, NAMED = 1000, 5


class Part(StrEnum):
    """What is looked at, in this order."""

    DATABASE = "database"  #: references, deployed files, what administrators have done, locks
    INSTANCES = "instances"  #: journal, token state, rows; counted one by one
    ARCHIVE = "archive"  #: cases that were put away, with their journals; counted one by one
    MATERIALS = "materials"  #: uploaded files; counted one by one


#: Told after every step: which part, how many more are done, and what was looked at last.
Watcher = Callable[[Part, int, object], object]


def amounts(db: Database) -> dict[Part, int]:
    """How much there is to look at."""
    with db.reading() as session:
        instances = session.scalar(select(func.count()).select_from(Instance)) or 0
        archived = session.scalar(select(func.count()).select_from(ArchivedCase)) or 0
        contents = session.scalar(_CONTENTS) or 0
        return {Part.DATABASE: 1, Part.INSTANCES: instances, Part.ARCHIVE: archived, Part.MATERIALS: contents}


_CONTENTS = select(func.count(Material.sha256.distinct()))


def verify(
    db: Database,
    *,
    files: FileStore | None = None,
    patience: timedelta = PATIENCE,
    after: UUID | None = None,
    watch: Watcher = lambda *_: None,
) -> Iterator[Fault]:
    """Look at everything, and yield what is not as it should be.

    `files`: where uploads are; None: they are left out.  `after`: the instance that an earlier look had come to.
    """
    with db.snapshot() as session:
        yield from stored_faults.of_references(session)
        yield from stored_faults.of_resources(session)
        yield from stored_faults.of_administration(session)
        yield from stored_faults.of_locks(session, overdue=moments.now() - patience)
    watch(Part.DATABASE, 1, None)
    yield from _of_instances(db, patience, after, watch)
    yield from _of_archive(db, files, watch)
    yield from _unarchived(db, patience)
    if files is not None:
        yield from _of_materials(db, files, watch)


def _of_instances(db: Database, patience: timedelta, after: UUID | None, watch: Watcher) -> Iterator[Fault]:
    while True:
        query = select(Instance.id).order_by(Instance.id).limit(BATCH)
        with db.snapshot() as session:
            ids = session.scalars(query.where(Instance.id > after) if after else query).all()
            found = list(_look(session, ids, moments.now() - patience))
        if not ids:
            return
        yield from found
        after = ids[-1]
        watch(Part.INSTANCES, len(ids), after)


def _look(session: Session, ids: Sequence[UUID], overdue: datetime) -> Iterator[Fault]:
    """Look at a batch; when a row in it cannot be read at all, at each by itself."""
    try:
        with outages.told():
            found = list(instance_faults.of(session, ids, overdue=overdue))
        yield from found
    except Unavailable:
        raise  # that is no fault of theirs
    except Exception as error:  # noqa: BLE001 - one damaged row is not to hide the others
        session.expunge_all()
        if len(ids) == 1:
            message = f"Expected to read its rows, but {type(error).__name__}: {error}"
            yield Fault(kind=FaultKind.STATE, about=f"instance {ids[0]}", message=message)
            return
        for one in ids:
            yield from _look(session, [one], overdue)


def _of_archive(db: Database, files: FileStore | None, watch: Watcher) -> Iterator[Fault]:
    """Look at archived cases one by one; their files are looked at with them."""
    for (case_id,) in scans.rows(db, select(ArchivedCase.id), ArchivedCase.id):
        yield from _look_at_archived(db, case_id, files)
        watch(Part.ARCHIVE, 1, case_id)


def _unarchived(db: Database, patience: timedelta) -> Iterator[Fault]:
    """Find cases that should be in the archive by now: no scheduler runs, or one fails at them again and again."""
    at = moments.now() - max(patience, SWEPT)
    found = list(islice(archives.due(db, at), MANY))
    if not found:
        return
    with db.reading() as session:
        # A case that came back years later rests only since its last message was carried.
        lately = set(session.scalars(select(Outbox.case_id).where(reads.among(session, Outbox.case_id, found), Outbox.sent_at > at)))
        found = [case_id for case_id in found if case_id not in lately]
        if not found:
            return
        numbers = session.scalars(select(Case.number).where(Case.id.in_(found[:NAMED])).order_by(Case.id.desc())).all()
    many = f"{len(found)} cases" if len(found) < MANY else f"{MANY} cases or more"
    message = f"Expected {many} to be archived by {at:%Y-%m-%d %H:%M UTC}, but they are not: {', '.join(numbers)}"
    yield Fault(kind=FaultKind.STUCK, about="archive", message=f"{message} …" if len(found) > NAMED else message)


def _look_at_archived(db: Database, case_id: UUID, files: FileStore | None) -> Iterator[Fault]:
    try:
        with db.reading() as session:
            row = session.scalar(select(ArchivedCase).where(ArchivedCase.id == case_id))
        if row is None:  # it has come back since its id was read
            return
        with outages.told():
            faults, kept = archive_faults.of(row)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one damaged row is not to hide the others
        message = f"Expected to read it, but {type(error).__name__}: {error}"
        yield Fault(kind=FaultKind.ARCHIVE, about=f"archived case {case_id}", message=message)
        return
    yield from faults
    if files is not None:
        for sha256, size in kept.items():
            yield from stored_faults.of_material(files, sha256, size)


def _of_materials(db: Database, files: FileStore, watch: Watcher) -> Iterator[Fault]:
    for sha256, size in stored_faults.contents(db):
        yield from stored_faults.of_material(files, sha256, size)
        watch(Part.MATERIALS, 1, sha256)
