"""Callers: what has called an instance, what has called that, and so on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from engine import holdings, instances, keys
from engine.holdings import Held
from engine.models import Instance


def hold(session: Session, instance_id: UUID, *, below: UUID | None = None) -> Held:
    """Lock an instance after all its callers: parent before child, as everywhere.  Returns the instance.

    `below`: a caller that is held already, or the instance itself: only those below it are locked.
    """
    held = holdings.of(session).rows[below] if below else None
    chain = [instance_id]
    while chain[-1] != below and (caller := _read(session, chain[-1], held).parent_id) is not None:
        chain.append(caller)
    for each in reversed(chain):
        held = instances.lock(session, each, held)
    return instances.lock(session, instance_id, held)


def _read(session: Session, instance_id: UUID, of: Held | None) -> Instance:
    return session.get_one(Instance, instance_id) if of is None else keys.get_one(session, Instance, instance_id, of)
