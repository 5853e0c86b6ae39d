"""Followers: what shows the clock of an item, or waits by it, follows when its ledger has changed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import dials, holdings, jobs, keys
from engine.case_models import Item
from engine.models import Instance, Job
from engine.states import InstanceStatus


def tell(session: Session, item: Item) -> None:
    """Let open tasks show its light, and its process, with what that has called, look at it.

    Whoever holds the item's own process runs it, or wakes it, himself.
    """
    dials.show_on_tasks(session, item)
    running = select(Instance.id).where(keys.its(Instance.item_id, item), Instance.status == InstanceStatus.RUNNING)
    for instance_id in session.scalars(running):
        if instance_id != item.instance_id or instance_id not in holdings.of(session).rows:
            jobs.put(session, Job(**item.key, instance_id=instance_id, kind=jobs.REFRESH, payload={}))
