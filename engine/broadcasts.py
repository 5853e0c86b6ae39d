"""Broadcasts: signals that somebody outside throws, and how a signal arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import EventType
from bpmn.waits import WaitKind
from engine import definitions, execution, execution_lists, instances, journal, processes, signals, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.errors import NotFound
from engine.models import Instance, Job
from engine.pieces import Piece
from engine.places import Place
from engine.runs import Origin
from engine.states import InstanceStatus
from engine.variables import NOTHING, Given


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """A signal, as somebody outside throws it."""

    name: str
    given: Given = NOTHING
    #: The one execution that it is for; None: everybody.
    place: Place | None = None


def throw(session: Session, signal: Thrown, *, actor: Actor) -> Iterator[Piece[object]]:
    """Throw a signal from outside, to one execution or to all processes without a matter; a case is moved by the verbs of the domain only.

    Yields what is to be done, piece by piece (`pieces.do`).  Raises NotPermitted; a piece raises InvalidState when the signal
    is for one execution, and that does not wait for it.
    """
    actor.require(*processes.STARTERS, to="throw a signal")
    if signal.place is not None:
        yield partial(_give, signal=signal, place=signal.place, actor=actor)
        return
    plain = Instance.case_id.in_(select(Case.id).where(Case.entry == processes.ENTRY))
    for hearer in signals.hearers(session, signal.name, plain):
        yield partial(signals.owe, hearer=hearer, name=signal.name, values=signal.given.values)
    for loaded, at in definitions.starting(session, EventType.SIGNAL, signal.name):
        yield partial(processes.open_plain, loaded=loaded, actor=actor, given=signal.given, origin=Origin(at=at))


def deliver(session: Session, instance_id: UUID, name: str, values: Mapping[str, Any], *, actor: Actor) -> bool:
    """Give a signal to whatever waits for it in an instance; tells whether anything did, for that is no error."""
    run = instances.wake(session, instance_id, actor=actor)
    heard = run.row.status is InstanceStatus.RUNNING and run.process.broadcast(name, values)
    if heard:
        execution.settle(run)
    return bool(heard)


def deliver_once(session: Session, job: Job, *, actor: Actor) -> None:
    """Give a signal to an instance of another case than that of the job.  The hearer's journal names the job, so that none is heard twice.

    For an instance that is suspended a job is written in its own case, which waits until it is activated; this one is done.
    """
    name, values, of = job.payload["name"], job.payload["variables"], str(job.id)
    try:
        row = instances.lock(session, UUID(job.payload["hearer"]))
    except NotFound:  # its case has been put away, or was deleted
        return
    if row.status is not InstanceStatus.RUNNING or journal.has(session, row, "signal received", job=of):
        return
    if row.suspended:
        signals.owe(session, row, name, values)
    elif not deliver(session, row.id, name, values, actor=actor):
        return
    journal.record(session, row, actor=actor, what="signal received", signal=name, job=of)


def _give(session: Session, signal: Thrown, place: Place, actor: Actor) -> None:
    processes.require_plain(session, place.instance_id, actor, to="give a signal to")
    with execution.running(session, place.instance_id, actor=actor) as run:
        for waiting in execution_lists.subscriptions(session, run.row, place.number, signal.name, kind=WaitKind.SIGNAL):
            if run.process.kind_of(waiting.wait) is not None:  # an earlier one may have swept it away
                run.process.deliver(waiting.wait, signal.given.values)
        variables.remember(run, signal.given)
        journal.record(session, run.row, actor=actor, what="signal received", signal=signal.name)
