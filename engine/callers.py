"""Callers: what has called an instance, what has called that, and so on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from engine import instances
from engine.holdings import Held
from engine.models import Instance


def hold(session: Session, instance_id: UUID, *, below: UUID | None = None) -> Held:
    """Take an instance after those through which it was called: parent before child, as everywhere.

    All of them, or only those `below` one that is held already; that one is given anew when it is meant itself.  Gives the instance.
    """
    chain = [instance_id]
    while chain[-1] != below and (caller := session.get_one(Instance, chain[-1]).parent_id) is not None:
        chain.append(caller)
    for each in reversed(chain):
        held = instances.lock(session, each)
    return held
