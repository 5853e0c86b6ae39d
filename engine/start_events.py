"""Start events: which processes begin with a message or a signal of a name; nothing is loaded for it, however many are deployed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from bpmn.definition import Definition as Compiled
from bpmn.definition import EventDefinition, EventType
from bpmn.errors import ExpressionError
from engine.compiled_models import StartEvent
from engine.models import Definition

_KINDS = {EventType.MESSAGE, EventType.SIGNAL}


def record(session: Session, row: Definition, process: Compiled) -> None:
    """Write down with what a version begins."""
    for start in process.starts():
        if start.event is not None and start.event.type in _KINDS and (name := _name(start.event)) is not None:
            session.add(StartEvent(definition_id=row.id, element=start.id, kind=str(start.event.type), name=name))
    row.starts_known = True


def find(session: Session, event: EventType, name: str, *which: ColumnElement[bool]) -> Sequence[Row[UUID, str]]:
    """Versions, of those that are meant, that begin so: id and start event, by key."""
    query = select(StartEvent.definition_id, StartEvent.element).join(Definition, Definition.id == StartEvent.definition_id)
    query = query.where(StartEvent.kind == str(event), StartEvent.name == name, *which)
    return session.execute(query.order_by(Definition.key, StartEvent.element)).all()


def _name(event: EventDefinition) -> str | None:
    """What a start event waits for; a signal's name may be an expression, which knows no variables yet."""
    if event.signal is None:
        return event.name
    try:
        found = event.signal.evaluate({})
    except ExpressionError:
        return None
    return found if isinstance(found, str) else None
