"""Publications (发布): a calendar year, after which every clock that runs is counted anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import holidays, recomputing
from engine.actors import Actor
from engine.case_models import CalendarYear


def publish_year(session: Session, document: Mapping[str, Any], *, actor: Actor) -> CalendarYear:
    """Publish a year, or its amendment; due dates and timers follow, batch by batch (`recomputing`).

    Raises NotPermitted; InvalidInput naming field and date.
    """
    row = holidays.publish(session, document, actor=actor)
    recomputing.owe(session, by=actor.name)
    return row


def publish_shipped(session: Session, folder: Path) -> None:
    """Publish the years of a folder that the database does not have; dates that were provisional follow."""
    before = {row.year for row in years(session)}
    holidays.publish_shipped(session, folder)
    if before and before != {row.year for row in years(session)}:
        recomputing.owe(session, by="shipped")


def years(session: Session) -> Sequence[CalendarYear]:
    """List the published years."""
    return session.scalars(select(CalendarYear).order_by(CalendarYear.year)).all()
