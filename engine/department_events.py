"""Department events (部门事件): what a department's own system has reported of items, by its own numbers; each counts once in a case.

Two may report under one number at the same moment, of two items, and hold nothing in common: the key of the table decides who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import keys, writes
from engine.case_models import DepartmentEvent, Item

_EVENTS = DepartmentEvent.__table__
#: Number of an event, and when it was received.
Event = tuple[str, datetime]


def note(session: Session, item: Item, events: Sequence[Event]) -> int:
    """Note what was reported of an item, but for what the case knows already, of whichever item; how much was new."""
    said = {"department": item.department, **item.key, "item_id": item.id}
    return writes.insert_unknown(session, _EVENTS, [{**said, "event_id": number, "received_at": at} for number, at in events])


def take(session: Session, item: Item) -> Sequence[Event]:
    """Take what was reported of an item out of its case."""
    its = keys.its(DepartmentEvent.item_id, item)
    events = [(number, at) for number, at in session.execute(select(DepartmentEvent.event_id, DepartmentEvent.received_at).where(its))]
    session.execute(delete(DepartmentEvent).where(its))
    return events
