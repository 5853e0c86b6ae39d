"""Recomputing (重算): after a calendar was published, or a schema has grown, every clock that runs is counted anew.

The walk is a row with a cursor.  It goes over all cases in which anything goes on: those that are open, and those that have ended while
something is still to be done (a promise is checked after the certificate was handed out).  Whoever takes a step writes down in that row
which cases come next (`busy`), counts them in a second transaction, and strikes them out in the same.  So any number of nodes may do so at
a time; cases that are still `busy` at the end, since a node has died or somebody at work held them, are then taken again.  A case is
counted in one transaction: a reader sees all of it as it was, or all of it as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, Subquery, func, select, union
from sqlalchemy.orm import Session

from engine import database, moments, moved_dates, reads
from engine.actors import Actor, Role
from engine.case_models import Case, Recomputation
from engine.database import Database
from engine.errors import Busy, Vanished
from engine.models import Instance
from engine.moved_dates import Moves
from engine.postgresql import HURRY
from engine.states import InstanceStatus

log = structlog.get_logger()
#: Cases of one transaction.
BATCH = 500
#: Up to so many numbers of what is late because of it are written down; all are counted.
NAMED = 1000
#: So many walks are listed at most.
OF_LATE = 20

_IS_OWED = reads.marked(select(Recomputation.id).where(Recomputation.ended_at.is_(None)).limit(1))


def owe(session: Session, *, by: str) -> Recomputation:
    """Ask for all clocks to be counted anew; a walk that is under way begins again."""
    row = session.scalar(_unfinished().with_for_update()) or Recomputation()
    row.cursor, row.busy, row.report = None, [], {"late": []}
    row.requested_at, row.requested_by = moments.now(), by
    session.add(row)
    return row


def owed(session: Session) -> Recomputation | None:
    """Return the walk that is under way; None: there is none."""
    return session.scalar(_unfinished())


def is_owed(session: Session) -> bool:
    """Whether a walk is under way; asked at each look of the scheduler."""
    return session.connection().execute(_IS_OWED).first() is not None


def of_late(session: Session, *, actor: Actor) -> Sequence[Recomputation]:
    """List the walks, the newest first."""
    actor.require(Role.ADMIN, Role.SUPERVISOR, to="see what a calendar has moved")
    return session.scalars(select(Recomputation).order_by(Recomputation.id.desc()).limit(OF_LATE)).all()


def ahead(session: Session) -> int:
    """How many cases are still to be looked at; it counts them."""
    row = owed(session)
    if row is None:
        return 0
    return session.scalars(select(func.count()).select_from(_going_on(row.cursor))).one() + len(row.busy)


def done(row: Recomputation) -> int:
    """How many cases a walk has looked at."""
    return int(row.report.get("cases", 0))


def go_on(db: Database, limit: int = BATCH) -> Recomputation | None:
    """Recompute the next cases of the walk, at most `limit`, and return it; after the last one it has `ended_at`.

    None: no walk is under way, or others are counting all that is left.  It waits for no lock for long: the timers have to wait meanwhile.
    """
    try:
        walk, cases = _take(db, min(limit, db.batch))
        return _count_together(db, walk, cases, database.GLANCE) if walk and cases else walk
    except Vanished:
        log.exception("cases not counted anew", cases=len(cases))
        return None
    except Busy:
        return None


def _count_together(db: Database, walk: Recomputation, cases: Sequence[UUID], but_for: int) -> Recomputation | None:
    """Count cases together, or else each half: a row that somebody holds keeps its own case waiting.  Raises Busy; None: none was free."""
    try:
        with db.transaction() as session:
            database.wait_for_nobody(session, but_for=but_for)
            held = _hold(session, cases)
            return _strike_out(session, walk, held, moved_dates.recompute(session, held)) if held else None
    except Busy as busy:
        if busy.__cause__ is None or isinstance(busy, Vanished) or len(cases) == 1:  # without a cause others have counted them
            raise
    done, half = None, len(cases) // 2
    for some in (cases[:half], cases[half:]):
        with suppress(Busy):
            done = _count_together(db, walk, some, HURRY) or done  # it was waited for once
    return done


def _take(db: Database, limit: int) -> tuple[Recomputation | None, list[UUID]]:
    """Take the next cases of the walk that is under way; when none is left, end it."""
    with db.transaction() as session:
        database.wait_for_nobody(session, but_for=database.GLANCE)
        walk = session.scalar(_unfinished().with_for_update())
        cases = _next(session, walk, limit) if walk else []
        if walk and not cases:
            walk.ended_at = moments.now()
            log.info("due dates recomputed", **{name: value for name, value in walk.report.items() if name != "late"})
    return walk, cases


def _next(session: Session, walk: Recomputation, limit: int) -> list[UUID]:
    """Note down the next cases as `busy`; behind the last one, take again those that are still busy, in turn: some may be held for long."""
    ahead = _going_on(walk.cursor, limit)
    cases = list(session.scalars(select(ahead.c.id).order_by(ahead.c.id).limit(limit)))
    if not cases:
        again, others = walk.busy[:limit], walk.busy[limit:]
        if others:
            walk.busy = [*others, *again]
        return [UUID(case) for case in again]
    walk.busy, walk.cursor = [*walk.busy, *map(str, cases)], cases[-1]
    return cases


def _going_on(cursor: UUID | None, limit: int | None = None) -> Subquery:
    """The ids of cases in which anything goes on, after a cursor; each half looks no further than it must."""
    after = UUID(int=0) if cursor is None else cursor
    unended = select(Case.id).where(Case.ended_at.is_(None), Case.id > after).order_by(Case.id).limit(limit)
    running = select(Instance.case_id.label("id")).where(Instance.status == InstanceStatus.RUNNING, Instance.case_id > after)
    running = running.distinct().order_by(Instance.case_id).limit(limit)
    return union(select(unended.subquery()), select(running.subquery())).subquery()


def _strike_out(session: Session, walk: Recomputation, cases: Collection[UUID], moves: Moves) -> Recomputation:
    """Add what was counted to the report, and note that its cases are done; raises Busy when that was done, or the walk began again."""
    mine, same = {str(case) for case in cases}, (Recomputation.id == walk.id, Recomputation.requested_at == walk.requested_at)
    row = session.scalar(select(Recomputation).where(*same, Recomputation.ended_at.is_(None)).with_for_update())
    if row is None or not mine <= set(row.busy):
        raise Busy("Expected to strike out what was counted, but somebody else has counted it, or it is to be counted anew")
    row.busy = [case for case in row.busy if case not in mine]
    row.report = _added(row.report, moves, len(cases))
    return row


def _unfinished() -> Select[Recomputation]:
    return select(Recomputation).where(Recomputation.ended_at.is_(None)).order_by(Recomputation.id).limit(1)


def _hold(session: Session, cases: Collection[UUID]) -> set[UUID]:
    """Lock those of the cases of which nobody holds an instance: whoever changes a clock holds one (`lifecycle`)."""
    running = select(Instance.id, Instance.case_id).where(
        reads.among(session, Instance.case_id, cases), Instance.status == InstanceStatus.RUNNING
    )
    taken = {row.id for row in session.execute(running.order_by(Instance.id).with_for_update(skip_locked=True, key_share=True))}
    return set(cases) - {row.case_id for row in session.execute(running) if row.id not in taken}


def _added(report: Mapping[str, Any], moves: Moves, cases: int) -> dict[str, Any]:
    """Add a batch to the report."""
    counted = Counter({name: value for name, value in report.items() if name != "late"}) + moves.report + Counter(cases=cases)
    return {**counted, "late": [*report["late"], *moves.late][:NAMED]}
