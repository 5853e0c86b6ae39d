"""Standstills (停滞): what should go on by itself, and does not; nobody would ever be told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import Wait, WaitKind
from engine import jobs, keys, steps
from engine.case_models import Item
from engine.models import Instance, Job
from engine.states import UNSETTLED, InstanceStatus, JobStatus
from engine.verification.instance_rows import InstanceRows

#: What is tried so many times.
_TRIED = (WaitKind.JOB, WaitKind.EXTERNAL_TASK, WaitKind.TIMER)


def find(session: Session, about: InstanceRows, waits: Mapping[WaitKind, Mapping[int, Wait]], *, overdue: datetime) -> Iterator[str]:
    """Say what stands still in an instance; what was due before `overdue` should have happened."""
    yield from _late(about, overdue)
    yield from _untold(about)
    yield from _calls(session, about, waits[WaitKind.CALL])
    yield from _escalations(session, about, waits[WaitKind.ESCALATION])
    yield from _errors(session, about, waits[WaitKind.ERROR])
    tried = {job.payload["wait"] for job in about.jobs if job.kind == jobs.STEP}
    for number, wait in waits[WaitKind.EXTERNAL_TASK].items():
        if steps.is_ours(wait.name) and number not in tried:
            yield f"Expected the step {wait.name} at {wait.element} to be tried again, but no job does"


def locks_of_nobody(about: InstanceRows) -> Iterator[str]:
    """Say which external tasks are locked although no worker has them."""
    for task in about.projected[WaitKind.EXTERNAL_TASK]:
        if task.lock_expires_at is not None and task.worker is None:
            yield f"Expected a worker to hold the external task at {task.element}, but nobody does until {task.lock_expires_at}"


def _late(about: InstanceRows, overdue: datetime) -> Iterator[str]:
    """What was due long ago; in a suspended instance nothing is."""
    if about.row.suspended:
        return
    for timer in about.projected[WaitKind.TIMER]:
        if timer.retries and timer.due_at is not None and timer.due_at < overdue:
            yield f"Expected the timer at {timer.element} to fire at {timer.due_at}, but it has not"
    for job in about.jobs:
        if job.status is JobStatus.PENDING and job.due_at < overdue:
            yield f"Expected job {job.id} ({job.kind}) to be done at {job.due_at}, but it was not"
    for row in about.projected[WaitKind.JOB]:
        if row.retries and row.due_at < overdue:
            yield f"Expected the token at {row.element} to be carried on at {row.due_at}, but it was not"


def _untold(about: InstanceRows) -> Iterator[str]:
    """What has failed for good has an incident, else nobody would know."""
    known = {incident.job_id for incident in about.incidents}
    for job in about.jobs:
        if job.status is JobStatus.FAILED and job.id not in known:
            yield f"Expected an incident to say that job {job.id} ({job.kind}) has failed, but there is none"
    told = {incident.wait for incident in about.incidents}
    for row in (row for kind in _TRIED for row in about.projected[kind]):
        if row.retries == 0 and row.wait not in told:
            yield f"Expected an incident to say that {row.element} has failed, but there is none"


def _calls(session: Session, about: InstanceRows, waits: Mapping[int, Wait]) -> Iterator[str]:
    """A call waits for an instance that runs, or that owes its end; whoever runs was called, or has something left for a decided item."""
    for number, wait in waits.items():
        called = [child for child in about.children if child.parent_wait == number]
        if not called:
            yield f"Expected the call at {wait.element} to wait for an instance, but there is none"
        elif not any(child.status is InstanceStatus.RUNNING or _owed(about.jobs, jobs.RESUME, child) for child in called):
            yield f"Expected instance {called[-1].id} to tell the call at {wait.element} that it has ended, but no job does"
    for child in about.children:
        if child.status is InstanceStatus.RUNNING and child.parent_wait not in waits:
            item = keys.get(session, Item, child.item_id, child) if child.item_id else None
            if item is None or item.status in UNSETTLED:
                yield f"Expected a call to wait for instance {child.id}, which runs, but none does"


def _escalations(session: Session, about: InstanceRows, waits: Mapping[int, Wait]) -> Iterator[str]:
    """An escalation waits for the answer of whoever has called."""
    if not waits:
        return
    owed = session.scalars(select(Job).where(keys.same_case(Job, about.row), Job.instance_id == about.row.parent_id)).all()
    asked = {job.payload["wait"] for job in _owed(owed, jobs.ESCALATE, about.row)}
    for number, wait in waits.items():
        if number not in asked:
            yield f"Expected the escalation at {wait.element} to be answered, but no job does"


def _errors(session: Session, about: InstanceRows, waits: Mapping[int, Wait]) -> Iterator[str]:
    """An error waits for the answer of one of those that have called."""
    if not waits:
        return
    owed = session.scalars(select(Job).where(keys.same_case(Job, about.row), Job.kind == jobs.ERROR)).all()
    asked = {job.payload["wait"] for job in owed if job.payload["thrower"] == str(about.row.id)}
    for number, wait in waits.items():
        if number not in asked:
            yield f"Expected the error at {wait.element} to be answered, but no job does"


def _owed(about: Sequence[Job], kind: str, child: Instance) -> list[Job]:
    return [job for job in about if job.kind == kind and job.payload["child"] == str(child.id)]
