"""Pre-images: what stood for the waits of an instance before it was moved to another version, and how that is put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from bpmn.definition import Definition, Element
from engine import keys, models
from engine.columns import Json, Moment
from engine.holdings import Held
from engine.states import TaskStatus

#: Rows by table, as JSON.
PreImage = dict[str, Any]


_TASKS, _TIMERS, _SUBSCRIPTIONS, _INCIDENTS, _ACTIVITIES = (
    model.__table__ for model in (models.Task, models.Timer, models.Subscription, models.Incident, models.Activity)
)
#: What a move may change in a row besides its element; what others change meanwhile (who holds it …) is theirs.
_CHANGED: dict[Table, tuple[str, ...]] = {
    _TASKS: ("name", "due_at"),
    _TIMERS: ("due_at",),
    _SUBSCRIPTIONS: tuple(column.name for column in _SUBSCRIPTIONS.c if not column.primary_key),
    _INCIDENTS: ("resolved_at",),
    _ACTIVITIES: ("name", "type"),
}
#: Of some tables, only the rows that are not yet history.
_NOT_HISTORY: dict[Table, ColumnElement[bool]] = {
    _TASKS: _TASKS.c.status == TaskStatus.OPEN,
    _INCIDENTS: _INCIDENTS.c.resolved_at.is_(None),
    _ACTIVITIES: _ACTIVITIES.c.ended_at.is_(None),
}


def take(session: Session, row: Held) -> PreImage:
    """Return the rows that stand for what an instance waits for."""
    found: PreImage = {}
    for table in _tables():
        query = select(table).where(*_standing(table, row))
        found[str(table.name)] = [{str(name): value for name, value in each.items()} for each in session.execute(query).mappings()]
    return found


def rename(session: Session, row: Held, called: Mapping[int, Element]) -> None:
    """Write into the rows what the elements of their tokens (by number) are called now."""
    for number, element in called.items():
        told = {_ACTIVITIES: {"name": element.name, "type": str(element.type)}}
        if element.title is None:  # what was computed is not computed anew
            told[_TASKS] = {"name": element.name or element.id}
        for table in _tables():
            session.execute(
                update(table).where(_number(table) == number, *_standing(table, row)).values(element=element.id, **told.get(table, {}))
            )


def put_back(session: Session, row: Held, image: PreImage, left: Definition) -> None:
    """Undo what a move to a version (`left`) did to the rows; what others did to them since stays."""
    tried, stays = _tried(session, row), {*_named(session, row, left), *_put_off(session, row)}
    for table in _tables():
        changed = ("element", *_CHANGED.get(table, ()))
        key = list(table.primary_key)
        there = {tuple(found) for found in session.execute(select(*key).where(keys.its(table.c.instance_id, row)))}
        for written in image.get(table.name, ()):  # what was kept may be older than a table, or a column
            values = {column.name: _read(column, written[column.name]) for column in table.c if column.name in written} | row.key
            if table is _INCIDENTS and (values["wait"] is None or values["wait"] in tried):
                values.pop("resolved_at")  # a move resolves none of these: somebody has allowed another attempt since
            if tuple(values[column.name] for column in key) in there:
                mine = [column == values[column.name] for column in key]
                new = {name: values[name] for name in changed if name in values and (values.get("id"), name) not in stays}
                session.execute(update(table).where(*mine).values(new))
            else:
                session.execute(insert(table).values(values))
    _rename_raised(session, row, image)
    for table in (_TIMERS, _SUBSCRIPTIONS):  # what has begun to watch
        waits = [written["wait"] for written in image[table.name]]
        session.execute(delete(table).where(keys.its(table.c.instance_id, row), table.c.wait.not_in(waits)))


def _rename_raised(session: Session, row: Held, image: PreImage) -> None:
    """Let what has failed since the move, and stands, follow what it stands on."""
    called = {each[_number(table).name]: each["element"] for table in _tables() for each in image.get(table.name, ())}
    kept = [UUID(each["id"]) for each in image.get(_INCIDENTS.name, ())]
    raised = select(_INCIDENTS.c.id, _INCIDENTS.c.wait).where(*_standing(_INCIDENTS, row), _INCIDENTS.c.id.not_in(kept))
    for incident, wait in session.execute(raised).all():
        if wait in called:
            mine = _INCIDENTS.c.id == incident, keys.its(_INCIDENTS.c.instance_id, row)
            session.execute(update(_INCIDENTS).where(*mine).values(element=called[wait]))


def _named(session: Session, row: Held, left: Definition) -> Iterator[tuple[UUID, str]]:
    """Yield the names of tasks that are called otherwise than in the version to which they were moved: by somebody, or by a value."""
    columns = _TASKS.c.id, _TASKS.c.element, _TASKS.c.name
    for task, element, name in session.execute(select(*columns).where(*_standing(_TASKS, row))):
        if name != (left.elements[element].name or element):
            yield task, "name"


def _put_off(session: Session, row: Held) -> Iterator[tuple[UUID, str]]:
    """Yield when timers are due that have failed: the next attempt waits."""
    failed = select(_TIMERS.c.id).where(*_standing(_TIMERS, row), _TIMERS.c.error.is_not(None))
    for timer in session.scalars(failed):
        yield timer, "due_at"


def _tried(session: Session, row: Held) -> set[int]:
    """Waits of an instance on which something is tried, and may fail."""
    tables = [table for table in _tables() if "retries" in table.c]
    return {wait for table in tables for wait in session.scalars(select(table.c.wait).where(keys.its(table.c.instance_id, row)))}


def _tables() -> list[Table]:
    """All tables whose rows stand for the waits of instances; found by their columns, so that a new one is not forgotten."""
    return [table for table in models.Base.metadata.sorted_tables if "instance_id" in table.c and "element" in table.c]


def _standing(table: Table, row: Held) -> list[ColumnElement[bool]]:
    return [keys.its(table.c.instance_id, row), *([_NOT_HISTORY[table]] if table in _NOT_HISTORY else [])]


def _number(table: Table) -> Column[Any]:
    return table.c.number if table is _ACTIVITIES else table.c.wait


def _read(column: Column[Any], value: Any) -> Any:
    """Read a value that was kept as JSON."""
    if value is None or isinstance(column.type, Json):
        return value
    kind: type[Any] = datetime if isinstance(column.type, Moment) else column.type.python_type
    return kind.fromisoformat(value) if issubclass(kind, date) else kind(value)
