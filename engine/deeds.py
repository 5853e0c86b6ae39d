"""Deeds: pieces of work that are due, each done in a transaction of its own; or many of a kind in one, as long as nothing goes wrong.

A piece has not failed, and stays due, when somebody else holds what it needs (Busy), when its instance is suspended, or when the database
is away or refuses us something (Unavailable, Unfit).  Every other error is a failed attempt, and is counted; also when a row that it
refers to is gone (Vanished), or when this node lacks the memory for just this piece (Exhausted).  Further attempts follow; the last one
leaves an incident.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from engine import activities, attempts, continuations, database, duties, execution, holdings, jobs, returns, start_timers, timers
from engine.actors import ENGINE
from engine.batches import Batch
from engine.database import Database
from engine.errors import Busy, Exhausted, Suspended, Unavailable, Unfit, Vanished
from engine.models import Base, Job, Timer
from engine.pace import FEW
from engine.schedule_models import Continuation, StartTimer

log = structlog.get_logger()


def run(db: Database, job_id: UUID, *, patient: bool = True) -> bool:
    """Perform one job.  A failure is kept on the job, never raised: others go on.  Tells whether it was ours to do.

    When somebody else holds what the job needs, it waits (`patient`), or else leaves the job due.
    """
    return _try(db, Job, job_id, lambda: duties.perform(db, job_id, patient=patient), jobs.remember_failure)


def run_if_free(db: Database, job_id: UUID) -> bool:
    """Perform one job, as `run` does, without waiting for anybody."""
    return run(db, job_id, patient=False)


def resume(db: Database, instance_id: UUID) -> int:
    """Tell an instance of all the called ones that have ended; returns how many.

    Only one transaction at a time tells an instance.  Others do not wait for it, they leave their jobs to it.  So whoever tells looks again
    after each commit, even if the last look found nothing.  Jobs that are still there after two looks in vain are being done by others.
    """
    total, in_vain = 0, 0
    while in_vain < 2 and (told := _tell(db, instance_id)) is not None:  # noqa: PLR2004
        total, in_vain = total + told, in_vain + (told == 0)
        with db.reading() as session:
            if not jobs.has_resumes(session, instance_id):
                break
    return total


def _tell(db: Database, instance_id: UUID) -> int | None:
    """Tell an instance of those that have ended by now, in one transaction; returns how many.  None: somebody else is telling it.

    The instance is locked first, then the jobs are claimed.  When anything fails, each job is tried by itself.
    """
    owed: dict[UUID, UUID] = {}
    try:
        with db.transaction() as session:
            row = returns.lock_parent(session, instance_id)
            if row is None:
                return None
            if owed := jobs.claim_resumes(session, row):
                with holdings.written_together(session, {instance_id}):
                    execution.resume(session, instance_id, list(owed.values()), actor=ENGINE)
                    jobs.discard(session, row, owed)
        return len(owed)
    except Exception as error:
        if _is_away(error):
            raise
        if _in_the_way(error):
            return None
        log.info("children are told one by one", because=type(error).__name__)
    return sum(run(db, job_id) for job_id in owed)


def fire(db: Database, timer_id: UUID) -> bool:
    """Let one timer go off, if it is still due.  Tells whether it was ours to do."""
    return _attempt(db, Timer, timer_id, lambda session, timer: timers.fire(session, timer, actor=ENGINE))


def do_together(db: Database, kind: Kind, limit: int, since: datetime) -> int:
    """Do what is due of a kind in one transaction, beginning with what was due at `since`; returns how many pieces were ours to do.

    When one of them fails, each is tried by itself.  `limit`: pieces at most.
    """
    try:
        with db.transaction() as session:
            database.wait_for_nobody(session)
            return kind.together(session, limit, since=since)
    except Exception as error:
        if _is_away(error):
            raise
        log.info("what is due is tried piece by piece", of=kind.alone.__name__, because=type(error).__name__)
    with db.snapshot(glance=True) as session:  # somebody may have just taken the table for himself
        due = kind.batch.due(session, max(limit, FEW), since=since)  # others may hold the first ones, and the one that fails comes later
    return sum(kind.alone(db, one) for one in due)


def carry_on(db: Database, continuation_id: UUID) -> bool:
    """Carry one token on that waits for a job, if it still does.  Tells whether it was ours to do."""
    return _attempt(db, Continuation, continuation_id, lambda session, row: continuations.execute(session, row, actor=ENGINE))


def _attempt(db: Database, kind: type[attempts.Row], row_id: UUID, do: Callable[[Session, attempts.Row], None]) -> bool:
    def claimed() -> bool:
        with db.transaction() as session:
            database.wait_for_nobody(session)
            row = attempts.claim(session, kind, row_id)
            if row is not None:
                do(session, row)
            return row is not None

    return _try(db, kind, row_id, claimed, lambda session, _id, error: attempts.remember_failure(session, kind, row_id, error))


def _try(
    db: Database, kind: type[Base], row_id: UUID, do: Callable[[], bool], remember: Callable[[Session, UUID, Exception], bool]
) -> bool:
    """Do one piece of work; a failure is kept on its row, never raised.  Tells whether it was ours to do."""
    try:
        return do()
    except Exception as error:
        if _is_away(error):
            raise
        remembered = not _in_the_way(error) and _remember(db, row_id, error, remember)
        if remembered:
            log.exception("attempt failed", what=kind.__tablename__, row=str(row_id))
        return remembered


def _remember(db: Database, row_id: UUID, error: Exception, remember: Callable[[Session, UUID, Exception], bool]) -> bool:
    """Count a failure on the row of the piece; tells whether there still is one.  If that fails, too, the piece stays due."""
    try:
        with db.transaction() as session:
            return remember(session, row_id, error)
    except Exception as fault:
        if _is_away(fault):
            raise
        log.exception("failed attempt not counted", row=str(row_id))
        return False


def _is_away(error: Exception) -> bool:
    """Whether the database is away: then no other piece can be done either.  Who has no memory for one may have it for others."""
    return isinstance(error, Unavailable) and not isinstance(error, Unfit | Exhausted)


def _in_the_way(error: Exception) -> bool:
    """Whether the piece has not failed, but must wait: until nobody else holds its instance, that is activated, or the database lets us."""
    return isinstance(error, Busy | Suspended | Unfit) and not isinstance(error, Vanished)


def forget(db: Database, instance: activities.Outlived) -> bool:
    """Purge the history of one instance."""
    with db.transaction() as session:
        activities.purge(session, instance)
    return True


def begin(db: Database, timer_id: UUID) -> bool:
    """Start a process whose time has come.  Tells whether it was ours to do."""

    def claimed() -> bool:
        with db.transaction() as session:
            database.wait_for_nobody(session)
            return start_timers.fire(session, timer_id) is not None

    return _try(db, StartTimer, timer_id, claimed, start_timers.remember_failure)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of work that comes by the thousand.

    Neither `together` nor `alone` waits for somebody who holds an instance, for then all others would wait, too: that piece stays due.
    """

    #: Which rows are due.
    batch: Batch
    #: Does many in one transaction: (session, limit, since=) → how many.
    together: Callable[..., int]
    #: Does one by its id, in a transaction of its own; tells whether it was ours to do.
    alone: Callable[[Database, UUID], bool]


JOBS = Kind(batch=duties.DUE, together=duties.perform_together, alone=run_if_free)
TIMERS = Kind(batch=timers.DUE, together=partial(timers.fire_together, actor=ENGINE), alone=fire)
CONTINUATIONS = Kind(batch=continuations.DUE, together=partial(continuations.execute_together, actor=ENGINE), alone=carry_on)

# `jobs` cannot import this module, which stands far above it.
jobs.RUNNERS.update(run=run, resume=resume)
