"""Activities: what an instance went through, written as it happens, one row for each activation of an element."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session

from bpmn import timers
from bpmn.definition import Element, ElementType
from bpmn.errors import ExpressionError
from bpmn.waits import Activity
from engine import keys, models, moments
from engine.case_models import LocalVariables
from engine.definitions import Loaded
from engine.holdings import Held
from engine.runs import Run
from engine.writes import Writes

_ACTIVITIES = models.Activity.__table__
#: Id and key of an instance whose history has been kept long enough.
Outlived = Row[UUID, UUID, str]
#: How a row is found.
_KEY = ("instance_id", "number", *keys.KEY)


def is_told(element: Element) -> bool:
    """Whether the history shows an element: those that are drawn, and the body around a multi-instance activity, as in Camunda 7."""
    return element.drawn or element.type is ElementType.MULTI_INSTANCE_BODY


def record(run: Run, history: Iterable[Activity], writes: Writes) -> None:
    """Write the activities that have begun since the instance was taken up, and how those have ended that had begun before."""
    elements = run.loaded.definition.elements
    told = [(activity, element) for activity in history if is_told(element := elements[activity.element])]
    rows = [_row(run.row, element, activity, place) for place, (activity, element) in enumerate(told)]
    writes.put(_ACTIVITIES, rows, by=_KEY, new=("ended_at", "outcome", "error"))


def purge_date(loaded: Loaded, ended_at: datetime) -> datetime | None:
    """Return when the history of an instance is purged: `camunda:historyTimeToLive` (days, or ISO 8601) after its end; None: never."""
    written = (loaded.definition.history_time_to_live or "").strip()
    try:
        return timers.read_duration(f"P{written}D" if written.isdecimal() else written).after(ended_at)
    except ExpressionError:
        return None


def outlived(session: Session, limit: int, *, since: datetime) -> Sequence[Outlived]:
    """Return ended instances whose history is to be purged: at most `limit`, the earliest first, without those due before `since`."""
    over = models.Instance.purge_at.between(since, moments.now())
    found = select(models.Instance.id, models.Instance.case_id, models.Instance.region).where(over)
    return session.execute(found.order_by(models.Instance.purge_at).limit(limit)).all()


def purge(session: Session, instance: Outlived) -> None:
    """Forget what an instance went through.  Its case and its journal stay for ever."""
    # The instance first: whoever writes what it goes through holds it.
    session.execute(update(models.Instance).where(keys.its(models.Instance.id, instance)).values(purge_at=None))
    for table in (models.Activity, LocalVariables):
        session.execute(delete(table).where(keys.its(table.instance_id, instance)))


def _row(row: Held, element: Element, activity: Activity, place: int) -> dict[str, Any]:
    return {
        "instance_id": row.id,
        "number": activity.id,
        "region": row.region,
        "case_id": row.case_id,
        "scope": activity.scope,
        "element": element.id,
        "name": element.name,
        "type": str(element.type),
        "rev": row.rev,
        "place": place,
        "started_at": activity.started_at,
        "ended_at": activity.ended_at,
        "outcome": activity.outcome,
        "error": activity.error,
    }
