"""Dials (表盘): what a clock gives, kept on the rows that have a light, so that lists compare and sort by columns.

What is kept follows from the ledger and the calendar, and is written in the transaction that changes either.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, or_, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import calendars, moments
from engine.case_models import Case, Item
from engine.clock import Clock, Dial, DueDate, Light
from engine.columns import Lit, LocalDay, Promised
from engine.keys import KEY
from engine.models import Task
from engine.parts import OLD
from engine.states import TaskStatus

#: Columns of a light.
LIGHTS = ("green_from", "yellow_from", "red_from")
#: Colours that only few rows may have at a time, each with the column of the day since when they have it.
_RARE = {Light.YELLOW: "yellow_from", Light.RED: "red_from"}
#: Condition: a task with a light is due before its clock turns red, for the diagram gives it a date of its own; or that will not turn red.
APART = and_(Task.green_from.is_not(None), or_(Task.red_from.is_(None), LocalDay(Task.due_at) < Task.red_from))
_TASKS = Task.__table__
_SHOWN = (
    update(_TASKS)
    .where(*(_TASKS.c[name] == bindparam(OLD + name) for name in KEY), _TASKS.c.status == TaskStatus.OPEN)
    .values({name: bindparam(name) for name in LIGHTS})
)
_SHOW = {Item: _SHOWN.where(_TASKS.c.item_id == bindparam(OLD + "item_id")), Case: _SHOWN.where(_TASKS.c.item_id.is_(None))}


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the clock of an item or of a bundle gives."""

    #: None: it has no promise, or has not started.
    promise: Dial | None = None
    #: The last day of the statutory limit; None: it has none (as no bundle has), has not started, or a pause is open.
    statute: DueDate | None = None

    def moment(self, kind: str) -> datetime | None:
        """Say when (UTC): the end of its last `promised` or `statutory` day, the beginning of its first yellow one (`warning`)."""
        if kind == "warning":
            return calendars.start_of(self.promise.yellow_from) if self.promise and self.promise.yellow_from else None
        due = self.statute if kind == "statutory" else self.promise.due if self.promise else None
        return calendars.end_of(due.date) if due else None


@functools.lru_cache(maxsize=50_000)
def count(promise: Clock | None, statute: Clock | None) -> Counted:
    """Count a clock; thousands have started on one day with one limit, and are counted once."""
    return Counted(promise=promise.dial() if promise else None, statute=statute.due() if statute else None)


def today() -> date:
    """The day that lights are compared with, in Beijing."""
    return calendars.local_date(moments.now())


def light(row: Lit | Dial | Row[Any] | SimpleNamespace, day: date) -> Light | None:
    """Give the colour on a day; None when the clock has not started, or has no promise."""
    if row.green_from is None:
        return None
    if row.red_from is not None and row.red_from <= day:
        return Light.RED
    return Light.YELLOW if row.yellow_from is not None and row.yellow_from <= day else Light.GREEN


def showing(table: type[Lit], colour: Light | None, day: date) -> list[ColumnElement[bool]]:
    """Return conditions for the rows that have a colour on a day (None: any, or no light).  Of these one holds, never two.

    They are not joined by `or`, so that an index can answer each.  No light turns red that has not turned yellow before.
    """
    if colour is None:
        return [true()]
    if colour is Light.RED:
        return [table.red_from <= day]
    if colour is Light.YELLOW:
        # Few are paused while they are yellow.  The range has two ends so that PostgreSQL, when it plans for any day, expects few rows.
        return [
            and_(table.yellow_from <= day, table.red_from > day),
            and_(table.yellow_from.between(date.min, day), table.red_from.is_(None)),
        ]
    return [table.yellow_from > day, and_(table.yellow_from.is_(None), table.green_from.is_not(None))]


def in_order(colour: Light | None, day: date, place: ColumnElement[bool], *, past: bool) -> list[ColumnElement[bool]]:
    """Like `showing`, for a list of tasks that is read in the order of their due dates, from a place on.

    `past`: whether the place is after the day, or among the tasks without a due date.  If it is not, much that is overdue may stand between
    the place and the tasks that are green or yellow; it need not be read.  For a task is due when its clock turns red, or later, so that
    one which is not red yet is due after the day.  The few that are due earlier (`APART`) are found by an index of their own.
    """
    lights = showing(Task, colour, day)
    if past or colour in {None, Light.RED}:
        return [and_(place, light) for light in lights]
    will_turn_red, will_not = lights
    night = calendars.end_of(day)
    apart = and_(place, Task.due_at < night, will_turn_red, APART)
    return [and_(Task.due_at >= night, will_turn_red), apart, and_(place, will_not, Task.green_from.is_not(None), Task.red_from.is_(None))]


def since(table: type[Lit], colour: Light | None) -> InstrumentedAttribute[date | None] | None:
    """Return the column of the day from which a row has this colour, if only few rows have it at a time; None: many do."""
    return getattr(table, _RARE[colour]) if colour in _RARE else None


def promised(row: Promised | Row[Any]) -> DueDate | None:
    """The last day of the promise."""
    return None if row.promised_on is None else DueDate(date=row.promised_on, provisional=row.promised_provisional)


def statutory(row: Item | Row[Any]) -> DueDate | None:
    """The last day of the statutory limit."""
    return None if row.statutory_on is None else DueDate(date=row.statutory_on, provisional=row.statutory_provisional)


def kept(row: Item | Case | Row[Any]) -> Counted:
    """Read back what is kept of a clock: of an item's, or of a bundle's, which is a `Case`."""
    return Counted(promise=_kept(row), statute=None if isinstance(row, Case) else statutory(row))


def _kept(row: Promised | Row[Any]) -> Dial | None:
    if row.green_from is None:
        return None
    return Dial(due=promised(row), green_from=row.green_from, yellow_from=row.yellow_from, red_from=row.red_from)


def columns(dial: Dial | None) -> dict[str, Any]:
    """The columns in which a dial is kept, with their values; None: the clock has no promise, or has not started."""
    due = dial.due if dial else None
    return light_columns(dial) | {"promised_on": due.date if due else None, "promised_provisional": bool(due and due.provisional)}


def light_columns(dial: Dial | None) -> dict[str, Any]:
    """Those of them that a task has, too: its light."""
    return {name: getattr(dial, name, None) for name in LIGHTS}


def keep(row: Promised, dial: Dial | None) -> None:
    """Write into the row what its clock gives; None: it has no promise, or has not started.  `kept` reads it."""
    for name, value in columns(dial).items():
        setattr(row, name, value)


def stop(row: Promised, on: date) -> None:
    """Keep that a clock that ran has stopped; its dates stay what they were."""
    dial = _kept(row)
    keep(row, dial.stopped(on) if dial else None)


def lights(row: Lit) -> dict[str, Any]:
    """The columns of its light, with their values: a task has those of its item, or of its case."""
    return {"green_from": row.green_from, "yellow_from": row.yellow_from, "red_from": row.red_from}


def show_on_tasks(session: Session, row: Item | Case) -> None:
    """Give the open tasks of an item, or those of a bundle that belong to no item, its light."""
    found = {OLD + name: value for name, value in row.key.items()} | {OLD + "item_id": row.id}
    # Of the connection, not of the session: nothing that is still to be written is about tasks.
    session.connection().execute(_SHOW[type(row)], found | lights(row))
    for known in session.identity_map.values():
        if isinstance(known, Task):
            session.expire(known, LIGHTS)
