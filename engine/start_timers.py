"""Start timers: processes without a matter that begin by themselves, on a date, after a time, or again and again.

Only the newest version of a process starts, as in Camunda 7; a new one counts from its own deployment.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bpmn import timers
from bpmn.definition import Definition as Process
from bpmn.definition import Element, EventDefinition, EventType, TimerType
from bpmn.errors import ExpressionError
from bpmn.timers import Cycle
from engine import definitions, processes
from engine.actors import ENGINE
from engine.errors import InvalidInput, NotFound
from engine.models import Definition, Instance
from engine.schedule_models import StartTimer
from engine.variables import NOTHING


def replace(session: Session, row: Definition, process: Process) -> None:
    """Set the start timers of a new version, in place of those of the versions before; raises InvalidInput when a time cannot be told."""
    forget(session, row.key)
    for start in process.starts():
        if start.event is not None and start.event.type is EventType.TIMER:
            session.add(_timer(row, start, start.event, datetime.now(UTC)))


def forget(session: Session, key: str) -> None:
    """Let no version of a process start by itself any more."""
    versions = select(Definition.id).where(Definition.key == key)
    session.execute(delete(StartTimer).where(StartTimer.definition_id.in_(versions)))


def restore(session: Session, key: str) -> None:
    """Let the version that is the newest now start by itself, as if it were deployed anew; the one after it was deleted."""
    try:
        loaded = definitions.latest(session, key)
    except NotFound:
        return
    replace(session, session.get_one(Definition, loaded.id), loaded.process)


def due(session: Session, limit: int) -> list[UUID]:
    """Ids of start timers that are due, oldest first."""
    query = select(StartTimer.id).where(StartTimer.due_at <= datetime.now(UTC)).order_by(StartTimer.due_at, StartTimer.id)
    return list(session.scalars(query.limit(limit)))


def fire(session: Session, timer_id: UUID, *, region: str) -> Instance | None:
    """Start the process, and set the timer for its next time; None when another node has done so, or a newer version took its place."""
    now = datetime.now(UTC)
    mine = select(StartTimer).where(StartTimer.id == timer_id, StartTimer.due_at <= now)
    timer = session.scalar(mine.with_for_update(skip_locked=True))
    if timer is None:
        return None
    loaded, at = definitions.get(session, timer.definition_id), timer.element
    series = _read(timer.cycle).following(now) if timer.cycle else None
    if series is None:
        session.delete(timer)
    else:
        timer.due_at, timer.cycle = series.due_at, _written(series)
    return processes.begin(session, loaded, actor=ENGINE, region=region, given=NOTHING, at=at)


def put_off(session: Session, timer_id: UUID, until: datetime) -> None:
    """Try again later what could not be started."""
    timer = session.get(StartTimer, timer_id, with_for_update=True)
    if timer is not None:
        timer.due_at = until


def _timer(row: Definition, element: Element, event: EventDefinition, now: datetime) -> StartTimer:
    try:
        value = event.when.evaluate({}, definitions.MOMENTS) if event.when else None
        if event.timer is TimerType.CYCLE and not isinstance(value, datetime):
            series = timers.cycle(value, now)
            return StartTimer(definition_id=row.id, element=element.id, due_at=series.due_at, cycle=_written(series))
        return StartTimer(definition_id=row.id, element=element.id, due_at=timers.due(value, now), cycle=None)
    except ExpressionError as error:
        raise InvalidInput(f"Expected {element.label} to say when it starts, but: {error}") from error


def _written(series: Cycle) -> dict[str, Any]:
    return {**asdict(series), "anchor": series.anchor.isoformat()}


def _read(written: dict[str, Any]) -> Cycle:
    return Cycle(**{**written, "anchor": datetime.fromisoformat(written["anchor"])})
