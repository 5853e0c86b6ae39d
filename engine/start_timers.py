"""Start timers: processes without a matter that begin by themselves, on a date, after a time, or again and again.

Only the newest version of a process starts, as in Camunda 7; a new one counts from its own deployment.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bpmn import timers
from bpmn.definition import Definition as Compiled
from bpmn.definition import Element, EventDefinition, EventType, TimerType
from bpmn.errors import ExpressionError
from bpmn.timers import Cycle
from bpmn.waits import WaitKind
from engine import attempts, definitions, errors, instances, moments, processes, retries
from engine.actors import ENGINE, Actor
from engine.errors import InvalidInput, NotFound
from engine.holdings import Held
from engine.models import Definition, Incident
from engine.runs import Origin
from engine.schedule_models import StartTimer
from engine.variables import NOTHING


def replace(session: Session, row: Definition, process: Compiled) -> None:
    """Set the start timers of a new version, in place of those of the versions before; raises InvalidInput when a time cannot be told."""
    forget(session, row.key)
    for start in process.starts():
        if start.event is not None and start.event.type is EventType.TIMER:
            session.add(_timer(row, start, start.event, moments.now()))


def forget(session: Session, key: str) -> None:
    """Let no version of a process start by itself any more."""
    versions = select(Definition.id).where(Definition.key == key)
    session.execute(delete(StartTimer).where(StartTimer.definition_id.in_(versions)))
    standing = update(Incident).where(Incident.definition_id.in_(versions), Incident.resolved_at.is_(None))
    session.execute(standing.values(resolved_at=moments.now()))


def restore(session: Session, key: str) -> None:
    """Let the version that is the newest now start by itself, as if it were deployed anew; the one after it was deleted."""
    try:
        loaded = definitions.latest(session, key)
    except NotFound:
        return
    replace(session, session.get_one(Definition, loaded.id), loaded.definition)


def due(session: Session, limit: int) -> list[UUID]:
    """Ids of start timers that are due, oldest first."""
    query = (
        select(StartTimer.id).where(StartTimer.due_at <= moments.now(), StartTimer.retries > 0).order_by(StartTimer.due_at, StartTimer.id)
    )
    return list(session.scalars(query.limit(limit)))


def fire(session: Session, timer_id: UUID) -> Held | None:
    """Start the process, if it is time; None when another node has done so, or a newer version took its place."""
    mine = select(StartTimer).where(StartTimer.id == timer_id, StartTimer.due_at <= moments.now(), StartTimer.retries > 0)
    timer = session.scalar(mine.with_for_update(skip_locked=True))
    return None if timer is None else start(session, timer, actor=ENGINE)


def start(session: Session, timer: StartTimer, *, actor: Actor) -> Held:
    """Start the process now, and set the timer for its next time.  Raises whatever goes wrong on the way of its first token."""
    loaded, at = definitions.get(session, timer.definition_id), timer.element
    retries.leave(session, timer, retries.STANDARD.times, "")
    series = _read(timer.cycle).following(moments.now()) if timer.cycle else None
    if series is None:
        session.delete(timer)
    else:
        timer.due_at, timer.cycle, timer.error = series.due_at, _written(series), None
    row = processes.begin(session, loaded, actor=actor, given=NOTHING, origin=Origin(at=at))
    attempts.require_moving(instances.look(session, row).waits(WaitKind.INCIDENT))
    return row


def remember_failure(session: Session, timer_id: UUID, error: BaseException) -> bool:
    """Count a failed attempt: plan the next one, or let an incident say that none is left.  False: there is no such timer any more."""
    timer = session.get(StartTimer, timer_id, with_for_update=True)
    if timer is None or not timer.retries:
        return timer is not None
    timer.error = errors.described(error)
    retries.leave(session, timer, timer.retries - 1, timer.error)
    if timer.retries:
        timer.due_at = retries.STANDARD.next(moments.now(), timer.retries)
    return True


def hold(session: Session, definition_id: UUID, element: str) -> StartTimer | None:
    """Lock the timer of a start event; None: there is none any more, it has begun for the last time or a newer version took its place."""
    mine = select(StartTimer).where(StartTimer.definition_id == definition_id, StartTimer.element == element)
    return session.scalar(mine.with_for_update())


def set_retries(session: Session, timer: StartTimer, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the timer."""
    retries.leave(session, timer, left, timer.error or "")
    if timer.error is not None and left:
        timer.due_at = moments.now()


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
