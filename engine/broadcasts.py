"""Broadcasts: signals that somebody outside throws, and how a signal arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import EventType
from bpmn.waits import WaitKind
from engine import definitions, execution, executions, instances, journal, processes, signals, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.models import Instance
from engine.places import Place
from engine.states import InstanceStatus
from engine.variables import NOTHING, Given


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """A signal, as somebody outside throws it."""

    name: str
    given: Given = NOTHING
    #: The one execution that it is for; None: everybody.
    place: Place | None = None


def throw(session: Session, signal: Thrown, *, actor: Actor, region: str) -> None:
    """Tell everybody, or one execution: processes without a matter, as with messages; what moves a case are the verbs of the domain.

    Raises NotPermitted; InvalidState when it is for one execution, and that does not wait for it.
    """
    actor.require(*processes.STARTERS, to="throw a signal")
    if signal.place is not None:
        _give(session, signal, signal.place, actor)
        return
    plain = Instance.case_id.in_(select(Case.id).where(Case.entry == processes.ENTRY))
    signals.owe(session, signal.name, signal.given.values, plain)
    for loaded, at in definitions.starting(session, EventType.SIGNAL, signal.name):
        processes.open_plain(session, loaded, actor=actor, region=region, given=signal.given, at=at)


def deliver(session: Session, instance_id: UUID, name: str, values: Mapping[str, Any], *, actor: Actor) -> None:
    """Give a signal to whatever waits for it in an instance; when nothing does any more, that is no error."""
    run = instances.wake(session, instance_id, actor=actor)
    if run.row.status is InstanceStatus.RUNNING and run.process.broadcast(name, values):
        execution.settle(run)


def _give(session: Session, signal: Thrown, place: Place, actor: Actor) -> None:
    processes.require_plain(session, place.instance_id, actor, to="give a signal to")
    with execution.running(session, place.instance_id, actor=actor) as run:
        for waiting in executions.subscriptions(session, place, signal.name, kind=WaitKind.SIGNAL):
            if run.process.kind_of(waiting.wait) is not None:  # an earlier one may have swept it away
                run.process.deliver(waiting.wait, signal.given.values)
        run.row.types = variables.typed(run.row.types, signal.given)
        variables.forget(run, signal.given)
        journal.record(session, run.row, actor=actor, what="signal received", signal=signal.name)
