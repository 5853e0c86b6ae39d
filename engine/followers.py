"""Followers: what shows the clock of an item (open tasks), or waits by it (timers), and must follow when its ledger has changed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import dials, holdings, jobs, keys
from engine.case_models import Item
from engine.models import Instance, Job
from engine.states import InstanceStatus


def tell(session: Session, item: Item) -> None:
    """Write the light of an item to its open tasks; and owe a job to each instance that runs for it, to look at its timers again.

    The item's own process needs no job if this transaction holds it: it looks at its timers when it is put back.
    """
    dials.show_on_tasks(session, item)
    running = select(Instance.id).where(keys.its(Instance.item_id, item), Instance.status == InstanceStatus.RUNNING)
    for instance_id in session.scalars(running):
        if instance_id != item.instance_id or instance_id not in holdings.of(session).rows:
            jobs.add(session, Job(**item.key, instance_id=instance_id, kind=jobs.REFRESH, payload={}))
