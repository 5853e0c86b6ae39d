"""Retries: how often and when something that failed is tried again, and the incident that stands when nothing is left to try."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from bpmn import timers
from bpmn.errors import ExpressionError
from bpmn.timers import Duration
from engine import keys, moments
from engine.errors import InvalidInput
from engine.models import ExternalTask, Incident, Timer
from engine.schedule_models import Continuation, StartTimer

#: As many attempts as a column counts.
MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often something is tried, and how long to wait in between."""

    times: int
    intervals: tuple[Duration, ...]

    def next(self, now: datetime, left: int) -> datetime:
        """When the next of the attempts that are left is due; the last interval serves for all that follow."""
        place = len(self.intervals) - left
        return self.intervals[min(max(place, 0), len(self.intervals) - 1)].after(now)


def read(cycle: str | None) -> Plan:
    """Read `camunda:failedJobRetryTimeCycle` as Camunda 7 does: `R3/PT10M` is three attempts, `PT10M,PT1H` one more than intervals."""
    parts, now = [part.strip() for part in (cycle or "").split(",")], moments.now()
    try:
        if len(parts) == 1 and parts[0].startswith("R"):
            series = timers.cycle(parts[0], now)
            times = sys.maxsize if series.left is None else series.left
            return Plan(times=min(times, MOST), intervals=(timers.read_duration(series.period),))
        plan = Plan(times=len(parts) + 1, intervals=tuple(map(timers.read_duration, parts)))
        for interval in plan.intervals:
            interval.after(now)
    except ExpressionError:  # nothing is written there, something that is no cycle, or one that leads beyond the calendar
        return STANDARD
    return plan


#: Three attempts, as in Camunda 7.
STANDARD = Plan(times=3, intervals=(timers.read_duration("PT5S"), timers.read_duration("PT1M")))


def leave(session: Session, row: ExternalTask | Continuation | Timer | StartTimer, retries: int, message: str) -> None:
    """Set how many attempts are left; with 0 an incident with the message stands, with more it is resolved.  InvalidInput beyond `MOST`."""
    if not 0 <= retries <= MOST:
        raise InvalidInput(f"Expected retries of 0 to {MOST}, but got {retries}")
    row.retries = retries
    standing, now = session.scalars(standing_on(row)).first(), moments.now()
    if retries and standing is not None:  # by its id: while older nodes serve, one of no case has no key
        mine = Incident.id == standing.id, *(() if isinstance(row, StartTimer) else (keys.same_case(Incident, row),))
        session.execute(update(Incident).where(*mine).values(resolved_at=now))
    if not retries and standing is None:
        session.add(Incident(**_place(row), element=row.element, message=message, raised_at=now))


def standing_on(row: ExternalTask | Continuation | Timer | StartTimer) -> Select[Incident]:
    """Select the incident that stands on something that is tried."""
    query = select(Incident).where(Incident.resolved_at.is_(None))
    if isinstance(row, StartTimer):
        return query.where(Incident.definition_id == row.definition_id, Incident.element == row.element)
    return query.where(Incident.instance_id == row.instance_id, keys.same_case(Incident, row), Incident.wait == row.wait)


def _place(row: ExternalTask | Continuation | Timer | StartTimer) -> dict[str, Any]:
    """Where its incident stands: on a wait of its instance, or on the definition that is to start."""
    if isinstance(row, StartTimer):
        return {**keys.NOBODY, "definition_id": row.definition_id}
    return {**row.key, "instance_id": row.instance_id, "wait": row.wait}
