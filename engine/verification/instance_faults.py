"""Faults of instances: the journal's chain, and rows that do not say what the token state says; a batch at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Awake
from bpmn.waits import Wait, WaitKind
from engine import instances, journal, outages
from engine.errors import Unavailable
from engine.models import Instance
from engine.states import InstanceStatus
from engine.subjects import Subject
from engine.verification import instance_rows, standstills
from engine.verification.faults import Fault, FaultKind
from engine.verification.instance_rows import InstanceRows

#: What people call a row that stands for a wait.
_NAMES: Mapping[WaitKind, str] = {
    WaitKind.USER_TASK: "open task",
    WaitKind.EXTERNAL_TASK: "external task",
    WaitKind.TIMER: "timer",
    WaitKind.MESSAGE: "subscription to a message",
    WaitKind.SIGNAL: "subscription to a signal",
    WaitKind.JOB: "continuation",
}
#: What waits within an element: its activation lasts.
_ENTERED = (WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
#: Waits on which an incident may stand.
_FAILING = (WaitKind.INCIDENT, WaitKind.EXTERNAL_TASK, WaitKind.JOB, WaitKind.TIMER)

#: What an instance waits for, by kind and id.
Waits = Mapping[WaitKind, Mapping[int, Wait]]


def of(session: Session, ids: Collection[UUID], *, overdue: datetime) -> Iterator[Fault]:
    """Yield the faults of these instances; what was due before `overdue` should have happened.

    The session must see one moment (`Database.snapshot`).  Raises whatever a row raises that cannot even be read, and Unavailable.
    """
    for about in instance_rows.read(session, ids):
        yield from found(session, about, overdue=overdue)


def found(session: Session, about: InstanceRows, *, overdue: datetime) -> Iterator[Fault]:
    """Yield the faults of one whose rows are at hand."""
    for kind, message in _faults(session, about, overdue):
        yield Fault(kind=kind, about=about.about, message=message)


def _faults(session: Session, about: InstanceRows, overdue: datetime) -> Iterator[tuple[FaultKind, str]]:
    """Look at one instance; what cannot be read is compared with nothing."""
    if broken := journal.check(about.row, about.entries):
        yield FaultKind.JOURNAL, broken
    if broken_values := list(_large_values(about.row)):
        yield from ((FaultKind.STATE, message) for message in broken_values)
        return
    try:
        with outages.told():
            process = instances.look(session, about.row, Subject.of(session, about.case, about.item) if about.case else None)
            waits = {kind: {wait.id: wait for wait in process.waits(kind)} for kind in WaitKind}
    except Unavailable:
        raise  # that is no fault of theirs
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the others are to be looked at
        yield FaultKind.STATE, f"Expected to read its token state, but {type(error).__name__}: {error}"
        return
    yield from ((FaultKind.PROJECTION, message) for message in _unlike(about, process, waits))
    yield from ((FaultKind.STUCK, message) for message in standstills.find(session, about, waits, overdue=overdue))
    yield from ((FaultKind.LOCK, message) for message in standstills.locks_of_nobody(about))


def _large_values(row: Instance) -> Iterator[str]:
    """Say which large value is missing, or is not what was written."""
    found = {value.sha256: value for value in row.apart} if row.large else {}
    for name, sha256 in (row.large or {}).items():
        if sha256 not in found:
            yield f"Expected the value of variable {name} to be there, but it is not"
        elif hashlib.sha256(orjson.dumps(found[sha256].content)).hexdigest() != sha256:
            yield f"Expected the value of variable {name} to be as it was written, but its hash differs"


def _unlike(about: InstanceRows, process: Awake, waits: Waits) -> Iterator[str]:
    """Compare what is written with the token state."""
    if process.ended != (about.row.status is not InstanceStatus.RUNNING):
        yield f"Expected it to {'have ended' if process.ended else 'run'}, but it is {about.row.status}"
    for kind, called in _NAMES.items():
        rows = {row.wait: row for row in about.projected[kind]}
        for number in sorted(waits[kind].keys() - rows.keys()):
            yield f"Expected the {called} at {waits[kind][number].element} (wait {number}), but there is none"
        for number in sorted(rows.keys() - waits[kind].keys()):
            yield f"Expected no {called} at {rows[number].element} (wait {number}), but there is one"
        for number in sorted(rows.keys() & waits[kind].keys()):
            row, wait = rows[number], waits[kind][number]
            expected, found = f"{wait.element} of case {about.row.case_id}", f"{row.element} of case {row.case_id}"
            if expected != found:
                yield f"Expected the {called} of wait {number} to be at {expected}, but it is at {found}"
    yield from _timers(about, waits[WaitKind.TIMER])
    yield from _incidents(about, waits)
    yield from _activities(about, waits, {token.id for token in process.tokens()})


def _timers(about: InstanceRows, waits: Mapping[int, Wait]) -> Iterator[str]:
    """A timer is due when its wait is; unless it is owed to look again, or was put off because it could not go off.

    One that looks too early is no fault: it goes off for nothing, and is given the day of its wait.  An older release leaves such.
    """
    if any("pause" not in job.payload for job in about.jobs):
        return
    for timer in about.projected[WaitKind.TIMER]:
        wait = waits.get(timer.wait)
        if wait is not None and timer.error is None and _is_late(timer.due_at, wait.due_at):
            yield f"Expected the timer at {timer.element} (wait {timer.wait}) to be due {wait.due_at}, but it is due {timer.due_at}"


def _is_late(due_at: datetime | None, its: datetime | None) -> bool:
    return its is not None and (due_at is None or due_at > its)


def _incidents(about: InstanceRows, waits: Waits) -> Iterator[str]:
    standing = {incident.wait: incident.element for incident in about.incidents if incident.wait is not None}
    failing = waits[WaitKind.INCIDENT]
    for number in sorted(failing.keys() - standing.keys()):
        yield f"Expected an incident to stand at {failing[number].element} (wait {number}), but there is none"
    for number in sorted(standing.keys() - {number for kind in _FAILING for number in waits[kind]}):
        yield f"Expected the incident at {standing[number]} (wait {number}) to be resolved, but it stands"


def _activities(about: InstanceRows, waits: Waits, tokens: set[int]) -> Iterator[str]:
    """Compare what lasts by the history; a token at a join, or that waits for a job, has not entered its element yet, or has left it."""
    lasting = {activity.number: activity.element for activity in about.activities}
    entered = {number: wait.element for kind in _ENTERED for number, wait in waits[kind].items()}
    for number in sorted(entered.keys() - lasting.keys()):
        yield f"Expected activity {number} at {entered[number]} to last, but the history knows of none"
    for number in sorted(lasting.keys() - tokens):
        yield f"Expected activity {number} at {lasting[number]} to be over, but by the history it lasts"
