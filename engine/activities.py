"""Activities: what an instance went through, written as it happens, one row for each activation of an element."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bpmn import timers
from bpmn.definition import Element, ElementType
from bpmn.errors import ExpressionError
from bpmn.instance import Instance as Process
from bpmn.waits import Activity
from engine import models
from engine.case_models import LocalVariables
from engine.definitions import Loaded


def is_told(element: Element) -> bool:
    """What the compiler put in is nobody's history; only the body around an activity that runs several times is, as in Camunda 7."""
    return element.drawn or element.type is ElementType.MULTI_INSTANCE_BODY


def record(session: Session, row: models.Instance, loaded: Loaded, process: Process) -> None:
    """Write what has begun since the instance was woken, and how ended what had begun before; one statement for all."""
    told = [activity for activity in process.history() if is_told(loaded.process.elements[activity.element])]
    if told:
        rows = [_row(row, loaded, activity, place) for place, activity in enumerate(told)]
        session.execute(_UPSERTS[session.get_bind().dialect.name], rows)


def purge_date(loaded: Loaded, ended_at: datetime) -> datetime | None:
    """When what an instance went through is purged: `camunda:historyTimeToLive` (days, or ISO 8601) after its end; None: never."""
    written = (loaded.process.history_time_to_live or "").strip()
    try:
        return timers.read_duration(f"P{written}D" if written.isdecimal() else written).after(ended_at)
    except ExpressionError:
        return None


def outlived(session: Session, limit: int) -> list[UUID]:
    """Ids of ended instances whose history has been kept long enough."""
    return list(session.scalars(select(models.Instance.id).where(models.Instance.purge_at <= datetime.now(UTC)).limit(limit)))


def purge(session: Session, instance_id: UUID) -> None:
    """Forget what an instance went through.  Its case and its journal stay for ever."""
    for table in (models.Activity, LocalVariables):
        session.execute(delete(table).where(table.instance_id == instance_id))
    session.execute(update(models.Instance).where(models.Instance.id == instance_id).values(purge_at=None))


def _row(row: models.Instance, loaded: Loaded, activity: Activity, place: int) -> dict[str, Any]:
    element = loaded.process.elements[activity.element]
    return {
        "instance_id": row.id,
        "number": activity.id,
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
    }


def _upsert(dialect: Any) -> Any:
    """Insert what has begun; of what is there already, only the end is new."""
    new = dialect.insert(models.Activity.__table__)
    return new.on_conflict_do_update(
        index_elements=["instance_id", "number"], set_={"ended_at": new.excluded.ended_at, "outcome": new.excluded.outcome}
    )


_UPSERTS = {"postgresql": _upsert(postgresql), "sqlite": _upsert(sqlite)}
