"""Broadcasts: signals that somebody outside throws, and how a signal arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import EventType
from engine import definitions, execution, instances, journal, processes, signals, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.errors import InvalidState
from engine.models import Instance
from engine.states import InstanceStatus
from engine.variables import NOTHING, Given


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """A signal, as somebody outside throws it."""

    name: str
    given: Given = NOTHING
    #: The one instance that it is for; None: everybody.
    instance_id: UUID | None = None


def throw(session: Session, signal: Thrown, *, actor: Actor, region: str) -> None:
    """Tell everybody, or one instance: processes without a matter, as with messages; what moves a case are the verbs of the domain.

    Raises NotPermitted; InvalidState when it is for one instance, and that does not wait for it.
    """
    actor.require(*processes.STARTERS, to="throw a signal")
    if signal.instance_id is not None:
        _give(session, signal, signal.instance_id, actor)
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


def _give(session: Session, signal: Thrown, instance_id: UUID, actor: Actor) -> None:
    processes.require_plain(session, instance_id, actor, to="give a signal to")
    with execution.running(session, instance_id, actor=actor) as run:
        if not run.process.broadcast(signal.name, signal.given.values):
            raise InvalidState(f"Execution '{instance_id}' has not subscribed to a signal event with name '{signal.name}'")
        run.row.types = variables.typed(run.row.types, signal.given)
        variables.forget(run, signal.given)
        journal.record(session, run.row, actor=actor, what="signal received", signal=signal.name)
