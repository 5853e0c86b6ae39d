"""Jobs: work the engine owes itself.  Written with its cause, run right after that commit, or by the scheduler if the process died."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, bindparam, exists, literal_column, select
from sqlalchemy.orm import Session

from engine import database, errors, holdings, keys, moments, reads
from engine.columns import new_id
from engine.database import Database
from engine.errors import Busy
from engine.holdings import Held
from engine.models import Incident, Instance, Job
from engine.reads import Read
from engine.states import JobStatus, move
from engine.writes import Writes

# Kinds of jobs, each with what its payload says; `duties.PERFORM` does them.  "Its instance" is the one that the job belongs to.
RESUME = "resume"  #: tell its instance that one that it has called (`child`) has ended
REFRESH = "refresh"  #: let the timers of its instance look at the world again: a clock was paused, a calendar was corrected; or see whether
#: a `pause` of an `item` lasts too long (`long_pauses`), which nodes of before take for the same: it does no harm, and tells nobody
STEP = "step"  #: try a step of the engine's own again that has failed (`wait`)
MESSAGE = "message"  #: give a `message` to whatever waits for it in the case (`variables`)
SIGNAL = "signal"  #: give a signal (`name`, `variables`) to whatever waits for it in its instance
TELL = "tell"  #: give a signal that its instance has thrown to an instance of another case (`hearer`, `name`, `variables`)
BEGIN = "begin"  #: start a process (`definition`, `at`, `variables`) that begins with a signal which its instance has thrown
START = "start"  #: start a `process` beside its instance, about an `item` (`variables`; at the start for a `message`, if it says one)
ESCALATE = "escalate"  #: raise an escalation (`code`) of a called instance (`child`) at its call; the token that rests there is `wait`
ERROR = "error"  #: offer an error that a called instance has thrown (`thrower`, `wait`) to the call through which it comes (`child`)
LOSE = "lose"  #: end an `item` that another bundle has imported from here, since its result does not count any more (`status`)

#: Waits between attempts; after the last one the job fails and an incident says so.
BACKOFF = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))
#: So many jobs are claimed in one go.
TOGETHER = 50
#: What runs a job by its id, and what resumes an instance by its id.  A job may call any verb, and any verb may owe a job: so that imports
#: do not go round in a circle, `deeds`, which stands above all verbs, puts its functions here when it is imported.
RUNNERS: dict[str, Callable[[Database, UUID], object]] = {}
_JOBS = Job.__table__
_FIRST = _JOBS.alias("first")
#: Condition: it is the turn of a job.  A called instance may have thrown a signal, an escalation or an error before it ended, and its
#: caller must hear of that first: once it is told of the end (`RESUME`), the call is over and hears nothing more.  The order is told by
#: what is still owed, not by a clock.  A job that has failed once holds nothing up: it comes later (decision 0022).
ITS_TURN = (_JOBS.c.kind != literal_column(f"'{RESUME}'")) | ~exists().where(
    _FIRST.c.instance_id == _JOBS.c.instance_id,
    *(_FIRST.c[name] == _JOBS.c[name] for name in keys.KEY),
    _FIRST.c.kind.in_([literal_column(f"'{kind}'") for kind in (SIGNAL, ESCALATE, ERROR)]),
    _FIRST.c.status == literal_column(f"'{JobStatus.PENDING}'"),
    _FIRST.c.attempts == literal_column("0"),
)
_DUE = (
    select(_JOBS)
    .where(_JOBS.c.instance_id == bindparam("instance"), _JOBS.c.kind == RESUME, _JOBS.c.status == JobStatus.PENDING, ITS_TURN)
    # What was never tried is due at once, also when the clock of the node that owes it is a little ahead of ours.
    .where((_JOBS.c.attempts == 0) | (_JOBS.c.due_at <= bindparam("now")))
)
_ANY = Read((_JOBS.c.id,), _DUE.limit(1))
_FREE = Read(
    (_JOBS.c.id, _JOBS.c.payload),
    _DUE.where(*keys.asked(Job)).order_by(_JOBS.c.due_at, _JOBS.c.id).limit(TOGETHER).with_for_update(skip_locked=True, key_share=True),
)


def owe(session: Session, kind: str, instance: Instance | Held, *, after: timedelta = timedelta(0), **payload: Any) -> Job:
    """Write a job of a kind for an instance: it runs as soon as this transaction is committed, or when `after` is over.

    `payload` is what the kind needs (see above), as JSON.
    """
    return add(session, Job(**instance.key, instance_id=instance.id, kind=kind, payload=payload), after)


def owe_parent(session: Session, child: Instance | Held, kind: str = RESUME, **payload: Any) -> Job:
    """Write a job for the instance that has called this one: its child has ended, or has something to say to it."""
    return add(session, Job(**child.key, instance_id=child.parent_id, kind=kind, payload={"child": str(child.id), **payload}))


def add(session: Session, job: Job, after: timedelta = timedelta(0)) -> Job:
    """Give a new job its id and its date, and write it; one that is due at once runs as soon as this transaction is committed."""
    job.id, job.due_at = new_id(), moments.now() + after
    session.add(job)
    if not after:
        run_after_commit(session, job)
    return job


def run_after_commit(session: Session, job: Job) -> None:
    """Have a job run as soon as this transaction is committed."""
    job_id, instance_id = job.id, job.instance_id
    if job.kind == RESUME:
        database.after_commit(session, lambda db: RUNNERS["resume"](db, instance_id))
    else:
        database.after_commit(session, lambda db: RUNNERS["run"](db, job_id))


def claim_resumes(session: Session, instance: Held) -> dict[UUID, UUID]:
    """Lock the jobs that tell an instance of the called ones that have ended: at most `TOGETHER`, the oldest first.

    Gives {id of the job: id of the instance that has ended}.  Jobs that somebody else performs just now are left out.  All are, while the
    instance still has to hear what the called ones had thrown before (`ITS_TURN`).
    """
    found = _FREE.all(session.connection(), {"instance": instance.id, **instance.key, "now": moments.now()})
    return {job_id: UUID(payload["child"]) for job_id, payload in found}


def has_resumes(session: Session, instance_id: UUID) -> bool:
    """Whether an instance is still to be told of a called one that has ended."""
    return _ANY.first(session.connection(), {"instance": instance_id, "now": moments.now()}) is not None


def lock(session: Session, *which: ColumnElement[bool]) -> None:
    """Lock the jobs that fulfil some conditions, of instances that are held; raises Busy when somebody performs one of them just now.

    To wait for him would be a deadlock: whoever performs a job locks first the job and then its instance, which we hold.
    """
    owed = select(Job.id).where(*which)
    taken = session.scalars(owed.with_for_update(skip_locked=True, key_share=True)).all()
    if len(taken) < len(session.scalars(owed).all()):
        raise Busy("Expected to take what is owed to a process, but some of it is just being done; try again")


def drop(session: Session, which: Collection[UUID], *here: ColumnElement[bool] | TextClause) -> list[UUID]:
    """Delete jobs that are not owed any more, of cases that are held (`here`); returns their ids.

    Nobody is waited for: what somebody performs just now is left to him, and he finds out that there is nothing to be done.
    """
    if not which:
        return []
    owed = select(Job.id, *(getattr(Job, name) for name in keys.KEY)).where(reads.among(session, Job.id, which), *here)
    taken = session.execute(owed.with_for_update(skip_locked=True, key_share=True)).all()
    writes = Writes()
    writes.delete(_JOBS, [row._asdict() for row in taken])
    writes.run(session)
    return [row.id for row in taken]


def discard(session: Session, instance: Held, done: Iterable[UUID]) -> None:
    """Delete jobs of an instance that were claimed, and are done."""
    holdings.of(session).writes.delete(_JOBS, [{"id": job_id, **instance.key} for job_id in done])


def remember_failure(session: Session, job_id: UUID, error: Exception) -> bool:
    """Count a failed attempt; plan the next one, or give up and raise an incident.  False: the job is done or deleted meanwhile."""
    job = session.get(Job, job_id, with_for_update={"key_share": True})
    if job is None:
        return False
    job.attempts += 1
    job.error = errors.described(error)
    if job.attempts <= len(BACKOFF):
        job.due_at = moments.now() + BACKOFF[job.attempts - 1]
        return True
    job.status = move(job.status, JobStatus.FAILED, f"job {job.id}")
    incident = _standing(session, job) or Incident(**job.key, instance_id=job.instance_id, element="", raised_at=moments.now())
    incident.job_id, incident.message = job.id, job.error
    session.add(incident)
    return True


def _standing(session: Session, job: Job) -> Incident | None:
    """The incident of a failed step, which stands from its first failure on."""
    query = select(Incident).where(
        Incident.instance_id == job.instance_id,
        keys.same_case(Incident, job),
        Incident.wait == job.payload.get("wait"),
        Incident.resolved_at.is_(None),
    )
    return session.scalar(query) if "wait" in job.payload else None


def retry(session: Session, job: Job) -> None:
    """Let a failed job be tried again, as often as a new one."""
    job.status, job.attempts, job.due_at = move(job.status, JobStatus.PENDING, f"job {job.id}"), 0, moments.now()
    run_after_commit(session, job)
