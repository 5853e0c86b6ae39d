"""Bound dates: timers and due dates of diagrams that follow a clock, moved with it in bulk.

Most are written `${deadline('promised')}`: what the clock gives is enough to move them.  Instances with other expressions that count
working days are woken, one after the other, and evaluate them again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Result, false, insert, select, true
from sqlalchemy.orm import Session

from bpmn.definition import Element
from bpmn.expressions import Expression
from engine import definitions, dials, functions, jobs, keys, moments, reads
from engine.clock import Dial
from engine.dials import Counted
from engine.models import Instance, Job, Task, Timer
from engine.states import JobStatus, TaskStatus
from engine.writes import OLD, Writes

#: What an expression follows that is more than a deadline.
_THE_WORLD = "the world"
_DEADLINE = re.compile(r"""\s*(?:[$#]\{\s*|=\s*)deadline\(\s*['"](promised|statutory|warning)['"]\s*\)\s*\}?\s*""")


def follow(session: Session, cases: Collection[UUID], counted: Mapping[UUID, tuple[Counted, Counted]]) -> tuple[int, int]:
    """Move the bound dates of these cases, by what the clock of each item or case gave before and gives now; and the lights of open tasks.

    Tells how many were moved, and how many instances are to be woken.
    """
    moved, waking = 0, dict[UUID, dict[str, Any]]()
    for bound in _BOUND:
        moved += _follow(session, bound, cases, counted, waking)
    _wake(session, waking)
    return moved, len(waking)


@dataclass(frozen=True, kw_only=True)
class _Bound:
    """Rows that may follow a clock."""

    table: type[Timer | Task]
    #: Which of them.
    which: ColumnElement[bool]
    #: Whether a row was put off, since what was due has failed.
    put_off: ColumnElement[bool]
    #: The expression of an element that says when they are due.
    expression: Callable[[Element], Expression | None]
    #: Columns that show the lights of a clock.
    lights: Callable[[Dial | None], dict[str, Any]]


def _follow(
    session: Session,
    bound: _Bound,
    cases: Collection[UUID],
    counted: Mapping[UUID, tuple[Counted, Counted]],
    waking: dict[UUID, dict[str, Any]],
) -> int:
    """Move rows of one table, and note whose instances are to be woken, with the key of their case; how many were moved."""
    moved, changed = 0, list[dict[str, Any]]()
    follows: dict[tuple[UUID, str], str | None] = {}
    for row in _rows(session, bound, cases):
        place = row.definition_id, row.element
        if place not in follows:
            follows[place] = _followed(bound.expression(definitions.get(session, row.definition_id).definition.elements[row.element]))
        kind = follows[place]
        if kind == _THE_WORLD and row.due_at is not None:  # what sleeps waits for something else than a day
            waking[row.instance_id] = {"region": row.region, "case_id": row.case_id}
        before, now = counted.get(row.item_id or row.case_id, _STILL)
        moves, due_at = _moved(kind, row, before, now)
        moved += moves
        lights = bound.lights(now.promise)
        if moves or (lights and now != before):  # all of these rows say the same columns
            changed.append({OLD + "id": row.id, OLD + "case_id": row.case_id, OLD + "region": row.region, "due_at": due_at, **lights})
    writes = Writes()
    writes.update(bound.table.__table__, changed, by=("id", *keys.KEY))
    writes.run(session)
    return moved


def _rows(session: Session, bound: _Bound, cases: Collection[UUID]) -> Result[Any]:
    table = bound.table
    own = (table.id, table.case_id, table.region, table.element, table.due_at, bound.put_off.label("put_off"))
    its = (Instance.id.label("instance_id"), Instance.item_id, Instance.definition_id)
    query = select(*own, *its).join(Instance, keys.its(table.instance_id, Instance))
    return session.execute(query.where(reads.among(session, table.case_id, cases), bound.which))


def _moved(kind: str | None, row: Any, before: Counted, now: Counted) -> tuple[bool, datetime | None]:
    """Whether a row that follows a deadline moves, and when it is due then.

    Its date may be that of a newer calendar already: its instance has looked at the world before this clock was counted.
    """
    if kind is None or kind == _THE_WORLD or now == _NOTHING:
        return False, row.due_at
    was, due = before.moment(kind), now.moment(kind)
    if due == row.due_at or (due == was and (row.due_at is None or row.put_off)):
        return False, row.due_at  # it sleeps, or was put off since it has failed
    if row.put_off and due is not None and due <= moments.now():
        return False, row.due_at  # that is over, too: its next attempt is in its own time
    return (False, row.due_at) if _has_fired(row.due_at, was, due) else (True, due)


_NOTHING = Counted()
_STILL = (_NOTHING, _NOTHING)


def _has_fired(due_at: datetime | None, before: datetime | None, now: datetime | None) -> bool:
    """Whether a timer has fired for the date of its clock already: it has no date, though the clock runs.  Only a later one wakes it."""
    return due_at is None and before is not None and now is not None and now <= before


def _followed(expression: Expression | None) -> str | None:
    """Return which deadline an expression gives, if it gives nothing else; or that it looks at the world otherwise; None: it does not."""
    if expression is None or not expression.calls & functions.LIVE:
        return None
    simple = _DEADLINE.fullmatch(expression.source)
    return simple[1] if simple else _THE_WORLD


def _when(element: Element) -> Expression | None:
    return element.event.when if element.event else None


def _due_date(element: Element) -> Expression | None:
    return element.due_date


_BOUND = (
    _Bound(table=Timer, which=true(), put_off=Timer.error.is_not(None), expression=_when, lights=lambda _dial: {}),
    _Bound(table=Task, which=Task.status == TaskStatus.OPEN, put_off=false(), expression=_due_date, lights=dials.light_columns),
)


def _wake(session: Session, waking: Mapping[UUID, Mapping[str, Any]]) -> None:
    common: dict[str, Any] = {"kind": jobs.REFRESH, "payload": {}, "status": JobStatus.PENDING, "due_at": moments.now(), "attempts": 0}
    if waking:
        session.execute(insert(Job), [{"instance_id": instance, **key, **common} for instance, key in waking.items()])
