"""Pre-images: what stood for the waits of an instance before it was moved to another version, and how that is put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from bpmn.definition import Element
from engine import models
from engine.columns import Json, Moment
from engine.states import TaskStatus

#: Rows by table, as JSON.
PreImage = dict[str, Any]


def _table(model: type[models.Base]) -> Table:
    return cast("Table", model.__table__)


_TASKS, _TIMERS, _SUBSCRIPTIONS, _EXTERNAL, _INCIDENTS, _ACTIVITIES = (
    _table(model) for model in (models.Task, models.Timer, models.Subscription, models.ExternalTask, models.Incident, models.Activity)
)
#: The tables whose rows stand for waits, each with what a move may change in them; what others change meanwhile is theirs.
_CHANGED: dict[Table, tuple[str, ...]] = {
    _TASKS: ("element", "name", "due_at"),
    _TIMERS: ("element", "due_at"),
    _SUBSCRIPTIONS: ("element", "message"),
    _EXTERNAL: ("element",),
    _INCIDENTS: ("element", "resolved_at"),
    _ACTIVITIES: ("element", "name"),
}
#: Of some tables, only the rows that are not yet history.
_NOT_HISTORY: dict[Table, ColumnElement[bool]] = {
    _TASKS: _TASKS.c.status == TaskStatus.OPEN,
    _INCIDENTS: _INCIDENTS.c.resolved_at.is_(None),
    _ACTIVITIES: _ACTIVITIES.c.ended_at.is_(None),
}


def take(session: Session, row: models.Instance) -> PreImage:
    """Return the rows that stand for what an instance waits for."""
    found: PreImage = {}
    for table in _CHANGED:
        query = select(table).where(*_standing(table, row))
        found[str(table.name)] = [{str(name): value for name, value in each.items()} for each in session.execute(query).mappings()]
    return found


def rename(session: Session, row: models.Instance, called: Mapping[int, Element], messages: Mapping[int, str]) -> None:
    """Let rows follow their tokens, by number: what the elements are called now, and which messages they wait for."""
    for number, element in called.items():
        for table in _CHANGED:
            name = element.name or element.id if table is _TASKS else element.name
            values = {key: value for key, value in {"element": element.id, "name": name}.items() if key in table.c}
            session.execute(update(table).where(_number(table) == number, *_standing(table, row)).values(values))
    for number, message in messages.items():
        mine = (_SUBSCRIPTIONS.c.instance_id == row.id, _SUBSCRIPTIONS.c.wait == number)
        session.execute(update(_SUBSCRIPTIONS).where(*mine).values(message=message))


def put_back(session: Session, row: models.Instance, image: PreImage) -> None:
    """Undo what a move did to the rows; what others did to them since stays."""
    for table, changed in _CHANGED.items():
        key = list(table.primary_key)
        there = {tuple(found) for found in session.execute(select(*key).where(table.c.instance_id == row.id))}
        for written in image[table.name]:
            values = {column.name: _read(column, written[column.name]) for column in table.c}
            if tuple(values[column.name] for column in key) in there:
                mine = [column == values[column.name] for column in key]
                session.execute(update(table).where(*mine).values({name: values[name] for name in changed}))
            else:
                session.execute(insert(table).values(values))
    for table in (_TIMERS, _SUBSCRIPTIONS):  # what has begun to watch
        waits = [written["wait"] for written in image[table.name]]
        session.execute(delete(table).where(table.c.instance_id == row.id, table.c.wait.not_in(waits)))


def _standing(table: Table, row: models.Instance) -> list[ColumnElement[bool]]:
    return [table.c.instance_id == row.id, *([_NOT_HISTORY[table]] if table in _NOT_HISTORY else [])]


def _number(table: Table) -> Column[Any]:
    return table.c.number if table is _ACTIVITIES else table.c.wait


def _read(column: Column[Any], value: Any) -> Any:
    """Read a value that was kept as JSON."""
    if value is None or isinstance(column.type, Json):
        return value
    return datetime.fromisoformat(value) if isinstance(column.type, Moment) else column.type.python_type(value)
