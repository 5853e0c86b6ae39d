"""The worker: runs jobs and timers that are due, each in a transaction of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import activities, definitions, execution, instances, jobs
from engine.actors import ENGINE
from engine.case_models import Case, Item
from engine.database import Database
from engine.errors import InvalidState, Suspended
from engine.models import Incident, Instance, Job, Timer
from engine.states import JobStatus

log = structlog.get_logger()
#: How many rows are claimed in one go.
BATCH = 200
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
            _PERFORM[job.kind](session, job)
            session.delete(job)
    except Suspended:
        return False  # it waits until its instance is activated
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
    except Suspended:
        return False
    except Exception as error:
        log.exception("timer failed", timer=str(timer_id))
        _put_off(db, timer_id, error)
    return True


def forget(db: Database, instance_id: UUID) -> bool:
    """Purge the history of one instance."""
    with db.transaction() as session:
        activities.purge(session, instance_id)
    return True


def tick(db: Database, limit: int = BATCH) -> int:
    """Run everything that is due now, a batch of each kind; how many pieces were done."""
    with db.reading() as session:
        owed = jobs.due(session, limit)
        query = select(Timer.id).join(Instance, Instance.id == Timer.instance_id).where(~Instance.suspended)
        due = list(session.scalars(query.where(Timer.due_at <= datetime.now(UTC)).order_by(Timer.due_at).limit(limit)))
        old = activities.outlived(session, limit)
    return sum(run(db, job_id) for job_id in owed) + sum(fire(db, timer_id) for timer_id in due) + sum(forget(db, one) for one in old)


def drain(db: Database) -> int:
    """Tick until nothing is due; how many pieces were done."""
    total = 0
    while done := tick(db):
        total += done
    return total


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


def _perform_resume(session: Session, job: Job) -> None:
    execution.resume(session, job.instance_id, UUID(job.payload["child"]), actor=ENGINE)


def _perform_message(session: Session, job: Job) -> None:
    execution.throw(session, job.case_id, job.payload["message"], actor=ENGINE, variables=job.payload.get("variables"))


def _perform_refresh(session: Session, job: Job) -> None:
    execution.refresh(session, job.instance_id, actor=ENGINE)


def _perform_start(session: Session, job: Job) -> None:
    """Start a process beside the one that asked for it, e.g. the check of a commitment; at the start of a message, when one is named."""
    item = session.get_one(Item, UUID(job.payload["item"]))
    case = session.get_one(Case, item.case_id)
    loaded, message = definitions.latest(session, job.payload["process"]), job.payload.get("message")
    at = loaded.start_by(message) if message else None
    if message and at is None:
        raise InvalidState(f"Expected {loaded.key} to have a start for {message}, but it has none; deploy its newest version")
    run = instances.begin(session, loaded, actor=ENGINE, case=case, item=item, variables=job.payload["variables"], at=at)
    execution.settle(run)


def _perform_step(session: Session, job: Job) -> None:
    execution.perform_step(session, job.instance_id, job.payload["wait"], actor=ENGINE)


_PERFORM = {
    "resume": _perform_resume,
    "message": _perform_message,
    "step": _perform_step,
    "refresh": _perform_refresh,
    "start": _perform_start,
}
