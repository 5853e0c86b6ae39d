"""The worker: does what is due, many pieces in one transaction as long as nothing goes wrong, else each in its own.

That somebody else holds what a piece of work needs, or that the database is away, is no failure of that piece: it stays due.  That
something it refers to is not there is one: the next attempt finds out what has become of it, and the last leaves an incident.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import inf
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from engine import (
    activities,
    attempts,
    continuations,
    database,
    duties,
    execution,
    holdings,
    jobs,
    moments,
    queues,
    recomputing,
    returns,
    start_timers,
    timers,
)
from engine.actors import ENGINE
from engine.batches import Batch
from engine.database import Database
from engine.errors import Busy, InvalidState, Suspended, Unavailable, Vanished
from engine.floors import UNSEEN, Floors
from engine.models import Base, Job, Timer
from engine.pace import FEW, MASS, Pace
from engine.schedule_models import Continuation, StartTimer
from engine.settings import Settings

log = structlog.get_logger()
UNHURRIED = Pace()
#: How many rows are claimed in one go.
BATCH = 200
#: Batches of cases whose clocks are counted anew in one tick, and how many cases are as much work as a piece of anything else.
RECOMPUTED, CASES = 4, 10
#: After so many pieces without a pause it is a circle of jobs or signals, which the scheduler may go round for ever, but nobody waits for.
ENDLESS = 20_000


def run(db: Database, job_id: UUID) -> bool:
    """Perform one job.  A failure is kept on the job, never raised: others go on.  Tells whether it was ours to do."""
    return _try(db, Job, job_id, lambda: duties.perform(db, job_id), jobs.remember_failure)


def resume(db: Database, instance_id: UUID) -> int:
    """Tell an instance of all that it has called and that has ended; how many there were.

    One tells at a time, and looks again when he has done so, also when he found nothing to tell: whoever finishes meanwhile has nothing to
    wait for.  What is still there when he has found nothing twice is in the hands of somebody else.
    """
    total, in_vain = 0, 0
    while in_vain < 2 and (told := _tell(db, instance_id)) is not None:  # noqa: PLR2004
        total, in_vain = total + told, in_vain + (told == 0)
        with db.reading() as session:
            if not jobs.has_resumes(session, instance_id):
                break
    return total


def _tell(db: Database, instance_id: UUID) -> int | None:
    """Tell an instance of all that has come together, in one transaction; how many there were.  None: that is somebody else's.

    The instance is locked first, then what it is owed is claimed.  When one of them fails, each is tried by itself.
    """
    owed: dict[UUID, UUID] = {}
    try:
        with db.transaction() as session:
            row = returns.take(session, instance_id)
            if row is None:
                return None
            if owed := jobs.claim_resumes(session, row):
                with holdings.together(session, {instance_id}):
                    execution.resume(session, instance_id, list(owed.values()), actor=ENGINE)
                    jobs.discard(session, row, owed)
        return len(owed)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - it is met again, and told, by the one that it belongs to
        if _in_the_way(error):
            return None
        log.info("children are told one by one", because=type(error).__name__)
    return sum(run(db, job_id) for job_id in owed)


def fire(db: Database, timer_id: UUID) -> bool:
    """Let one timer go off, if it is still due.  Tells whether it was ours to do."""
    return _attempt(db, Timer, timer_id, lambda session, timer: timers.fire(session, timer, actor=ENGINE))


def together(db: Database, kind: Kind, limit: int, since: datetime) -> int:
    """Do what is due of a kind in one transaction, what was due first `since`; how many pieces were ours to do.

    When one of them fails, each is tried by itself.
    """
    try:
        with db.transaction() as session:
            database.wait_for_nobody(session)
            return kind.together(session, limit, since=since)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - it is met again, and told, by the one piece that it belongs to
        log.info("what is due is tried piece by piece", of=kind.alone.__name__, because=type(error).__name__)
    with db.reading() as session:
        due = kind.batch.due(session, max(limit, FEW), since=since)  # the first may be held, and the one that fails behind it
    return sum(kind.alone(db, one) for one in due)


def carry_on(db: Database, continuation_id: UUID) -> bool:
    """Carry one token on, if it is still time.  Tells whether it was ours to do."""
    return _attempt(db, Continuation, continuation_id, lambda session, row: continuations.execute(session, row, actor=ENGINE))


def _attempt(db: Database, kind: type[attempts.Row], row_id: UUID, do: Callable[[Session, attempts.Row], None]) -> bool:
    def claimed() -> bool:
        with db.transaction() as session:
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
    except Unavailable:
        raise
    except Exception as error:
        remembered = not _in_the_way(error) and _remember(db, row_id, error, remember)
        if remembered:
            log.exception("attempt failed", what=kind.__tablename__, row=str(row_id))
        return remembered


def _remember(db: Database, row_id: UUID, error: Exception, remember: Callable[[Session, UUID, Exception], bool]) -> bool:
    """Keep a failure on its row; tells whether that is still there.  Where it cannot be kept the piece stays due, and others go on."""
    try:
        with db.transaction() as session:
            return remember(session, row_id, error)
    except Unavailable:
        raise
    except Exception:
        log.exception("failed attempt not counted", row=str(row_id))
        return False


def _in_the_way(error: Exception) -> bool:
    """Whether work waits for whoever holds its instance, or until that is activated."""
    return isinstance(error, Busy | Suspended) and not isinstance(error, Vanished)


def forget(db: Database, instance: activities.Outlived) -> bool:
    """Purge the history of one instance."""
    with db.transaction() as session:
        activities.purge(session, instance)
    return True


def begin(db: Database, timer_id: UUID, region: str) -> bool:
    """Start a process whose time has come.  Tells whether it was ours to do."""

    def claimed() -> bool:
        with db.transaction() as session:
            return start_timers.fire(session, timer_id, region=region) is not None

    return _try(db, StartTimer, timer_id, claimed, start_timers.remember_failure)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What comes by the thousand: how it is done together, and alone."""

    batch: Batch
    together: Callable[..., int]
    alone: Callable[[Database, UUID], bool]


JOBS = Kind(batch=duties.DUE, together=duties.perform_together, alone=run)
TIMERS = Kind(batch=timers.DUE, together=partial(timers.fire_together, actor=ENGINE), alone=fire)
CONTINUATIONS = Kind(batch=continuations.DUE, together=partial(continuations.execute_together, actor=ENGINE), alone=carry_on)


def tick(db: Database, limit: int = BATCH, *, region: str = Settings.region, pace: Pace = UNHURRIED, floors: Floors | None = None) -> int:
    """Run everything that is due now, a batch of each kind; how many pieces were done.

    `region` is where processes belong that begin by themselves.  Once the `pace` says to stop, the piece at hand is the last: one may wait
    for the lock of a node that hangs, and a batch has hundreds.  `floors`: from where on it looks; without, from the very beginning.
    """
    pace = pace.at_most(db.batch)
    with db.reading() as session:
        heads = (floors or Floors()).heads(session, now=moments.now())
        timed = start_timers.due(session, limit) if heads["start_timers"] else []
        old = activities.outlived(session, limit, since=since) if (since := heads["histories"]) else []
    done = _each(db, JOBS, limit, heads["jobs"], pace)
    pieces = [*(partial(begin, db, one, region) for one in timed), *(partial(forget, db, one) for one in old)]
    done += sum(pace.do(piece) for piece in pieces if not pace.stopping())
    done += _each(db, TIMERS, limit, heads["timers"], pace)
    return done if pace.stopping() else done + _carry_on_all(db, limit, heads["continuations"], pace) + recompute(db, pace)


def pulse(db: Database, floors: Floors, *, region: str, pace: Pace = UNHURRIED, within: float = Settings.tick) -> float:
    """Run what is due now, and say in how many seconds something else will be, `within` so many: 0 when there may be more already."""
    if tick(db, region=region, pace=pace, floors=floors):
        return 0.0
    with db.reading() as session:
        moment = queues.next_due(session, now=moments.now(), until=moments.now() + timedelta(seconds=within))
    return (moment - moments.now()).total_seconds() if moment else inf


def drain(db: Database) -> int:
    """Tick until nothing is due; how many pieces were done.  Raises InvalidState when there is no end to it."""
    total = 0
    while done := tick(db):
        total += done
        if total > ENDLESS:
            raise InvalidState(f"Expected nothing to be due after {ENDLESS} pieces of work, but a diagram goes in circles")
    return total


def recompute(db: Database, pace: Pace = UNHURRIED) -> int:
    """Count clocks anew, when that is owed, some batches of cases; what is left is for the next ticks, of any node."""
    with db.reading() as session:
        if recomputing.owed(session) is None:
            return 0
    pace = pace.before(MASS)
    return pace.share(partial(_recompute, db, pace), RECOMPUTED * CASES * pace.together)


def _recompute(db: Database, pace: Pace, cases: int) -> int:
    """Go on with so many cases, a batch after the other; how many batches there were."""
    done, most = 0, min(CASES * pace.together, db.batch)
    while done * most < cases and not pace.stopping() and pace.do(lambda: recomputing.go_on(db, most) is not None):
        done += 1
    return done


def _each(db: Database, kind: Kind, limit: int, since: datetime | None, pace: Pace) -> int:
    """Do what is due of a kind; the first that was not tried yet was due `since` (None: nothing is due)."""
    if since is None:
        return 0
    with db.reading() as session:
        due = kind.batch.count(session, MASS, since=since)
    pace = pace.before(due)
    return _again(db, kind, limit, since, pace) + pace.share(partial(_all, db, kind, since, pace), min(due, pace.hands * limit))


def _again(db: Database, kind: Kind, limit: int, since: datetime, pace: Pace) -> int:
    """Try alone what was tried in vain."""
    with db.reading() as session:
        tried = kind.batch.tried(session, limit, since=since)
    return sum(pace.do(partial(kind.alone, db, one)) for one in tried if not pace.stopping())


def _all(db: Database, kind: Kind, since: datetime, pace: Pace, limit: int) -> int:
    """Do so many pieces together, or all that are not held by others."""
    done = 0
    while done < limit and not pace.stopping():
        some = pace.do(partial(together, db, kind, min(limit - done, pace.together), since))
        if not some:
            break
        done += some
    return done


def _carry_on_all(db: Database, limit: int, since: datetime | None, pace: Pace) -> int:
    """Carry tokens on, the most urgent first, and those that come up by it: a chain of them is not to wait for as many ticks."""
    done = 0 if since is None else _again(db, CONTINUATIONS, limit, since, pace)
    since = since or moments.now() - UNSEEN
    while done < limit and not pace.stopping():
        with db.reading() as session:
            found = continuations.most_urgent(session, since=since)
        if found is None:
            break
        priority, due = found
        pace = pace.before(due)
        kind = replace(CONTINUATIONS, together=partial(CONTINUATIONS.together, priority=priority))
        some = pace.share(partial(_all, db, kind, since, pace), min(due, limit - done))
        if not some:
            break
        done += some
    return done
