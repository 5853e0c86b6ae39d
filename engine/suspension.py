"""Suspension: a process instance stands still until somebody activates it; what is due meanwhile waits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import arrivals, database, instances, journal, keys, models, processes
from engine.actors import Actor
from engine.errors import InvalidState
from engine.holdings import Held
from engine.states import InstanceStatus


def suspend(session: Session, instance_id: UUID, *, actor: Actor) -> Held:
    """Let nothing go on in an instance; those that it has called go on.  Raises NotFound, NotPermitted, InvalidState for a case."""
    return _turn(session, instance_id, actor, suspended=True)


def activate(session: Session, instance_id: UUID, *, actor: Actor) -> Held:
    """Let it go on again."""
    row = _turn(session, instance_id, actor, suspended=False)
    topics = set(session.scalars(select(models.ExternalTask.topic).where(keys.its(models.ExternalTask.instance_id, row))))
    database.after_commit(session, lambda _db: arrivals.announce(topics))
    return row


def _turn(session: Session, instance_id: UUID, actor: Actor, *, suspended: bool) -> Held:
    processes.require_plain(session, instance_id, actor, to="suspend" if suspended else "activate")
    row = instances.lock(session, instance_id)
    if row.status is not InstanceStatus.RUNNING:
        raise InvalidState(f"Expected process instance {row.id} to be running, but it is {row.status}", status=str(row.status))
    if row.suspended is not suspended:
        row.suspended, row.rev = suspended, row.rev + 1
        journal.record(session, row, actor=actor, what="process suspended" if suspended else "process activated")
    return row
