"""Publications (发布): a calendar year, after which every timer that counts working days looks again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine import holidays
from engine.actors import Actor
from engine.case_models import CalendarYear
from engine.models import Instance, Job, Timer
from engine.states import JobStatus


def publish_year(session: Session, document: Mapping[str, Any], *, actor: Actor) -> CalendarYear:
    """Publish a year, or its amendment; due dates are new at once, timers are moved by the scheduler.

    Raises NotPermitted; InvalidInput naming field and date.
    """
    row = holidays.publish(session, document, actor=actor)
    now = datetime.now(UTC)
    waiting = session.execute(select(Instance.id, Instance.case_id).where(Instance.id.in_(select(Timer.instance_id)))).all()
    owed = [
        {
            "instance_id": instance,
            "case_id": case,
            "kind": "refresh",
            "payload": {},
            "status": JobStatus.PENDING,
            "due_at": now,
            "attempts": 0,
        }
        for instance, case in waiting
    ]
    if owed:
        session.execute(insert(Job), owed)
    return row


def years(session: Session) -> Sequence[CalendarYear]:
    """List the published years."""
    return session.scalars(select(CalendarYear).order_by(CalendarYear.year)).all()
