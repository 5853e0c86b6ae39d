"""Duties: what is done for each kind of job (`jobs` says what each is).  One table; repeating what is done already does nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import (
    broadcasts,
    bundles,
    commitments,
    database,
    definitions,
    escalations,
    execution,
    holdings,
    holidays,
    imports,
    instances,
    jobs,
    keys,
    long_pauses,
    processes,
)
from engine.actors import ENGINE
from engine.archive_models import ArchivedCase
from engine.batches import Batch
from engine.case_models import Case, Item
from engine.database import Database
from engine.errors import InvalidState
from engine.models import Definition, Job
from engine.runs import Origin
from engine.states import JobStatus
from engine.variables import Given


def _resume(session: Session, job: Job) -> None:
    execution.resume(session, job.instance_id, [UUID(job.payload["child"])], actor=ENGINE)


def _message(session: Session, job: Job) -> None:
    taken = execution.throw(session, job, job.payload["message"], actor=ENGINE, variables=job.payload.get("variables"))
    if not taken:  # what happened may move timers though nobody waited for the message: an item was withdrawn at the window
        execution.refresh(session, job.instance_id, actor=ENGINE)


def _step(session: Session, job: Job) -> None:
    execution.perform_step(session, job.instance_id, job.payload["wait"], actor=ENGINE)


def _refresh(session: Session, job: Job) -> None:
    if "pause" in job.payload:
        long_pauses.look(session, instances.lock(session, job.instance_id, job), job.payload["pause"], actor=ENGINE)
    else:
        execution.refresh(session, job.instance_id, actor=ENGINE)


def _start(session: Session, job: Job) -> None:
    item = session.get_one(Item, UUID(job.payload["item"]))
    case = keys.get_one(session, Case, item.case_id, item)
    bundles.hold(session, case)  # nobody takes back meanwhile what is to be checked
    if not commitments.is_due(session, item):
        return
    # Until this process is committed, nobody may publish a calendar, for a recount would not see its timers where the case has ended
    # already; nor delete a department that the newest version names.
    holidays.keep(session)
    loaded, message = definitions.latest(session, job.payload["process"]), job.payload.get("message")
    at = loaded.start_by(message) if message else None
    if message and at is None:
        raise InvalidState(f"Expected {loaded.key} to have a start for {message}, but it has none; deploy its newest version")
    given, origin = job.payload["variables"], Origin(at=at)
    run = instances.begin(session, loaded, actor=ENGINE, case=case, item=item, variables=given, origin=origin)
    execution.settle(run)


def _signal(session: Session, job: Job) -> None:
    broadcasts.deliver(session, job.instance_id, job.payload["name"], job.payload["variables"], actor=ENGINE)


def _begin(session: Session, job: Job) -> None:
    which = UUID(job.payload["definition"])
    begun = (select(kind.id).where(kind.id == job.id, kind.region == job.region) for kind in (Case, ArchivedCase))
    if any(session.scalar(query) is not None for query in begun) or session.get(Definition, which) is None:
        return  # it has begun, and perhaps ended long ago, and the job remained; or it was deleted meanwhile
    loaded, given = definitions.get(session, which), Given(values=job.payload["variables"])
    processes.begin(session, loaded, actor=ENGINE, region=job.region, given=given, origin=Origin(at=job.payload["at"]), case_id=job.id)


def _tell(session: Session, job: Job) -> None:
    broadcasts.deliver_once(session, job, actor=ENGINE)


def _escalate(session: Session, job: Job) -> None:
    child, code, wait = UUID(job.payload["child"]), job.payload["code"], job.payload["wait"]
    escalations.answer(session, job.instance_id, child, code, wait=wait, actor=ENGINE)


def _error(session: Session, job: Job) -> None:
    child, thrower = UUID(job.payload["child"]), UUID(job.payload["thrower"])
    escalations.answer_error(session, job.instance_id, child, thrower, job.payload["wait"], actor=ENGINE)


def _lose(session: Session, job: Job) -> None:
    imports.lose(session, job, actor=ENGINE)


PERFORM: dict[str, Callable[[Session, Job], None]] = {
    jobs.RESUME: _resume,
    jobs.REFRESH: _refresh,
    jobs.STEP: _step,
    jobs.MESSAGE: _message,
    jobs.SIGNAL: _signal,
    jobs.TELL: _tell,
    jobs.BEGIN: _begin,
    jobs.START: _start,
    jobs.ESCALATE: _escalate,
    jobs.ERROR: _error,
    jobs.LOSE: _lose,
}
#: Kinds that write to another case than that of the job.  When such a job is done a second time, it sees that, and does nothing.
ELSEWHERE = (jobs.TELL, jobs.BEGIN, jobs.LOSE)
#: Kinds that do nothing to the instance of the job; for all others it is locked first.
BESIDE = (jobs.START, *ELSEWHERE)
#: What is due.
DUE = Batch(
    Job,
    "id",
    "kind",
    "payload",
    pending=(Job.status == JobStatus.PENDING) & jobs.ITS_TURN,
    untried=(Job.attempts == 0) & Job.kind.not_in(ELSEWHERE),  # those are done one by one
)


def perform(db: Database, job_id: UUID, *, patient: bool = True) -> bool:
    """Perform a job, unless somebody else does.  Tells whether it was ours to do; raises whatever goes wrong.

    It waits for whoever holds what it needs, or, unless `patient`, raises Busy.

    The job is deleted in the transaction that does it.  Only where no transaction may write to two cases (`ONETHING_BATCH` is 1), a job
    that writes to another case is deleted in a second transaction: if the process dies between the two, the job is done once more.
    """
    with db.transaction() as session:
        if not patient:
            database.wait_for_nobody(session)
        # What another scheduler holds is skipped.  It holds the job until it is done: if it dies before, the job is free again.
        query = select(Job).where(Job.id == job_id, Job.status == JobStatus.PENDING)
        job = session.scalar(query.with_for_update(skip_locked=True, key_share=True))
        if job is None:
            return False
        if job.kind not in BESIDE:
            instances.lock(session, job.instance_id, job)
        if db.batch > 1 or job.kind not in ELSEWHERE:
            PERFORM[job.kind](session, job)
            session.delete(job)
            return True
    with db.transaction() as session:
        if not patient:
            database.wait_for_nobody(session)
        PERFORM[job.kind](session, job)
    with db.transaction() as session:
        session.execute(delete(Job).where(Job.id == job_id, keys.same_case(Job, job)))
    return True


def perform_together(session: Session, limit: int, *, since: datetime) -> int:
    """Perform up to `limit` jobs that are due, one of each case, from those on that were due at `since`; returns how many.

    Raises whatever goes wrong with any of them: then none of them has been done.
    """
    with DUE.taken(session, limit, since=since) as due:
        for row, (job_id, kind, payload) in due:
            PERFORM[kind](session, Job(**row.key, id=job_id, instance_id=row.id, kind=kind, payload=payload))
        holdings.of(session).writes.delete(Job.__table__, [{"id": job_id, **row.key} for row, (job_id, *_) in due])
    return len(due)
