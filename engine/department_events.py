"""Department events (部门事件): what a department's own system has reported of items, by its own numbers; each counts once in a case.

Two may report under one number at the same moment, of two items, and hold nothing in common: the key of the table decides who was first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import keys
from engine.case_models import DepartmentEvent, Item

_INSERT: dict[str, Callable[[type[DepartmentEvent]], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}
#: Number of an event, and when it was received.
Event = tuple[str, datetime]


def note(session: Session, item: Item, events: Sequence[Event]) -> int:
    """Note what was reported of an item, but for what the case knows already, of whichever item; how much was new."""
    said = {"department": item.department, **item.key, "item_id": item.id}
    rows = [{**said, "event_id": event_id, "received_at": received_at} for event_id, received_at in events]
    if not rows:
        return 0
    new = _INSERT[session.get_bind().dialect.name](DepartmentEvent).values(rows).on_conflict_do_nothing()
    return len(session.scalars(new.returning(DepartmentEvent.event_id)).all())


def take(session: Session, item: Item) -> Sequence[Event]:
    """Take what was reported of an item out of its case."""
    gone = delete(DepartmentEvent).where(keys.its(DepartmentEvent.item_id, item))
    events = session.execute(gone.returning(DepartmentEvent.event_id, DepartmentEvent.received_at))
    return [(event_id, received_at) for event_id, received_at in events]
