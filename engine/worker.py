"""The worker: runs jobs and timers that are due, each in a transaction of its own.

That somebody else holds what a piece of work needs, or that the database is away, is no failure of that piece: it stays due.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import activities, continuations, duties, execution, instances, jobs, start_timers
from engine.actors import ENGINE
from engine.database import Database
from engine.errors import Busy, InvalidState, Suspended, Unavailable
from engine.models import Incident, Instance, Job, Timer
from engine.settings import Settings
from engine.states import JobStatus

log = structlog.get_logger()
#: How many rows are claimed in one go.
BATCH = 200
#: After so many pieces without a pause it is a circle of jobs or signals, which the scheduler may go round for ever, but nobody waits for.
ENDLESS = 20_000
#: How long a timer that could not be fired is put off.
PUT_OFF = timedelta(minutes=1)


def run(db: Database, job_id: UUID) -> bool:
    """Perform one job.  A failure is kept on the job, never raised: others go on.  Tells whether it was ours to do."""
    try:
        with db.transaction() as session:
            # Skip what another worker holds: the claim and the effect are one transaction, so a dead worker gives it back.
            query = select(Job).where(Job.id == job_id, Job.status == JobStatus.PENDING)
            job = session.scalar(query.with_for_update(skip_locked=True, key_share=True))
            if job is None:
                return False
            duties.PERFORM[job.kind](session, job)
            session.delete(job)
    except (Busy, Suspended):
        return False  # it waits for whoever holds its instance, or until that is activated
    except Unavailable:
        raise
    except Exception as error:
        log.exception("job failed", job=str(job_id))
        with db.transaction() as session:
            jobs.remember_failure(session, job_id, error)
    return True


def fire(db: Database, timer_id: UUID) -> bool:
    """Fire one timer, if it is still due.  Tells whether it was ours to do."""
    now = datetime.now(UTC)
    try:
        with db.transaction() as session:
            timer = session.get(Timer, timer_id)
            if timer is None or timer.due_at is None or timer.due_at > now:
                return False
            # Whoever locks the instance owns its timers: of two workers the second finds the timer gone, or moved.
            instances.lock(session, timer.instance_id)
            timer = session.get(Timer, timer_id, populate_existing=True)
            if timer is None or timer.due_at is None or timer.due_at > now:
                return False
            _fire(session, timer)
    except (Busy, Suspended):
        return False
    except Unavailable:
        raise
    except Exception as error:
        log.exception("timer failed", timer=str(timer_id))
        _put_off(db, timer_id, error)
    return True


def carry_on(db: Database, continuation_id: UUID) -> bool:
    """Carry one token on, if it is still time.  Tells whether it was ours to do."""
    try:
        with db.transaction() as session:
            row = continuations.claim(session, continuation_id)
            if row is None:
                return False
            continuations.execute(session, row, actor=ENGINE)
    except (Busy, Suspended):
        return False
    except Unavailable:
        raise
    except Exception as error:
        log.exception("continuation failed", continuation=str(continuation_id))
        with db.transaction() as session:
            continuations.remember_failure(session, continuation_id, error)
    return True


def forget(db: Database, instance_id: UUID) -> bool:
    """Purge the history of one instance."""
    with db.transaction() as session:
        activities.purge(session, instance_id)
    return True


def begin(db: Database, timer_id: UUID, region: str) -> bool:
    """Start a process whose time has come.  Tells whether it was ours to do."""
    try:
        with db.transaction() as session:
            return start_timers.fire(session, timer_id, region=region) is not None
    except Busy:
        return False
    except Unavailable:
        raise
    except Exception:
        log.exception("start timer failed", timer=str(timer_id))
        with db.transaction() as session:
            start_timers.put_off(session, timer_id, datetime.now(UTC) + PUT_OFF)
        return True


def tick(db: Database, limit: int = BATCH, *, region: str = Settings.region) -> int:
    """Run everything that is due now, a batch of each kind; how many pieces were done.

    `region` is where processes belong that begin by themselves.
    """
    with db.reading() as session:
        owed = jobs.due(session, limit)
        query = select(Timer.id).join(Instance, Instance.id == Timer.instance_id).where(~Instance.suspended)
        due = list(session.scalars(query.where(Timer.due_at <= datetime.now(UTC)).order_by(Timer.due_at).limit(limit)))
        timed, old = start_timers.due(session, limit), activities.outlived(session, limit)
    pieces = ((run, owed), (fire, due), (partial(begin, region=region), timed), (forget, old))
    return sum(do(db, one) for do, ids in pieces for one in ids) + _carry_on_all(db, limit)


def drain(db: Database) -> int:
    """Tick until nothing is due; how many pieces were done.  Raises InvalidState when there is no end to it."""
    total = 0
    while done := tick(db):
        total += done
        if total > ENDLESS:
            raise InvalidState(f"Expected nothing to be due after {ENDLESS} pieces of work, but a diagram goes in circles")
    return total


def _carry_on_all(db: Database, limit: int) -> int:
    """Carry tokens on, and those that come up by it: a chain of continuations is not to wait for as many ticks."""
    done = looked_at = 0
    while looked_at < limit:
        with db.reading() as session:
            ids = continuations.due(session, limit - looked_at)
        if not ids:
            break
        looked_at += len(ids)
        done += sum(carry_on(db, one) for one in ids)
    return done


def _fire(session: Session, timer: Timer) -> None:
    with execution.running(session, timer.instance_id, actor=ENGINE) as run:
        wait = next((w for w in run.process.waits(WaitKind.TIMER) if w.id == timer.wait), None)
        if wait is not None and wait.due_at is not None and wait.due_at <= datetime.now(UTC):
            run.process.fire(timer.wait)
            for incident in session.scalars(_put_off_before(timer)):
                incident.resolved_at = datetime.now(UTC)


def _put_off_before(timer: Timer) -> Select[Incident]:
    """Select the incident that stands since the timer could not be fired."""
    return select(Incident).where(
        Incident.instance_id == timer.instance_id,
        Incident.element == timer.element,
        Incident.wait.is_(None),
        Incident.job_id.is_(None),
        Incident.resolved_at.is_(None),
    )


def _put_off(db: Database, timer_id: UUID, error: Exception) -> None:
    with db.transaction() as session:
        timer = session.get(Timer, timer_id, with_for_update={"key_share": True})
        if timer is None:
            return
        timer.due_at = datetime.now(UTC) + PUT_OFF
        message = f"{type(error).__name__}: {error}"
        if session.scalar(_put_off_before(timer)) is None:
            session.add(
                Incident(
                    case_id=timer.case_id,
                    instance_id=timer.instance_id,
                    element=timer.element,
                    message=message,
                    raised_at=datetime.now(UTC),
                )
            )
