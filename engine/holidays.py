"""Holidays (节假日安排): the published years as rows, and the working calendar that is made of them."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import Text, select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import calendar_years, calendars, moments, postgresql
from engine.actors import ENGINE, Actor, Role
from engine.calendars import WorkingCalendar
from engine.case_models import CalendarYear
from engine.database import Database
from engine.errors import Busy, InvalidState

log = structlog.get_logger()
_KEY = "working_calendar"
#: Whoever begins a case shares this lock; whoever publishes, or deletes a department, has it alone.
_PUBLICATION = 0x6F6E657468696E69
#: How often whoever publishes asks for it, and how long others may begin in between, seconds: longer than anybody keeps it by waiting.
ATTEMPTS, REST = 30, 0.75
_YEARS = CalendarYear.__table__
_CONTENTS = select(type_coerce(_YEARS.c.content, Text)).order_by(_YEARS.c.year)


def calendar(session: Session) -> WorkingCalendar:
    """Return the working calendar as it is published; it is read once in a transaction (`forget`).  Raises InvalidState without any."""
    found: WorkingCalendar | None = session.info.get(_KEY)
    if found is None:
        # Of the connection, not of the session: whoever publishes flushes, and half of a change need not be written for this question.
        contents = session.connection().execute(_CONTENTS).scalars().all()
        if not contents:
            raise InvalidState("Expected to count working days, but no calendar is published")
        found = session.info[_KEY] = _build(tuple(contents))
    return found


def watch(db: Database) -> int | None:
    """Warn once the holidays of a year are near whose calendar is missing, for its due dates are guessed.  Returns the year, or None."""
    with db.reading() as session:
        year = calendar(session).missing(calendars.local_date(moments.now()))
    if year is not None:
        log.warning("the calendar of a year is missing", year=year)
    return year


def keep(session: Session) -> None:
    """Let nobody publish a calendar until this transaction ends, which begins a case.

    After a calendar is published, all clocks that run are counted anew (`recomputing`); one that has begun by the old calendar, and is only
    committed afterwards, would be missed.  Who changes an existing case need not do this: that case is counted when its lock is released.
    But who goes on to another case must read the calendar again once that is held (`forget`).
    """
    if postgresql.is_behind(session):
        postgresql.take(session.connection(), _PUBLICATION, shared=True)
        forget(session)  # it may have been read before we had waited here for somebody who published another one


def forget(session: Session) -> None:
    """Read the calendar again when it is asked for next."""
    session.info.pop(_KEY, None)


def publish(session: Session, document: Mapping[str, Any], *, actor: Actor) -> CalendarYear:
    """Publish a year, or its amendment; all due dates are given by the new calendar from this transaction on.

    Timers that were computed with the old calendar are the caller's to move.  Raises NotPermitted; InvalidInput naming
    field and date, also when a year would be missing in between; Busy when somebody who begins a case does not come to an end.
    """
    actor.require(Role.ADMIN, to="publish a working calendar")
    year = calendar_years.read(document, name="calendar")
    wait_for_beginners(session, to="publish a calendar")
    others = session.scalars(select(CalendarYear).where(CalendarYear.year != year.year)).all()
    WorkingCalendar([year, *(calendar_years.read(row.content, name=str(row.year)) for row in others)])

    row = session.merge(_row(year.year, document, actor))
    session.flush()
    forget(session)
    return row


def publish_shipped(session: Session, folder: Path) -> None:
    """Publish the years of a folder that the database does not have; those it has may have been amended, and stay."""
    there = set(session.scalars(select(CalendarYear.year)))
    missing = [year.year for year in calendars.load(folder).years if year.year not in there]
    if missing:
        wait_for_beginners(session, to="publish a calendar")
    for year in missing:
        # Another node may be starting, too: whoever comes second finds the year there.
        with suppress(IntegrityError), session.begin_nested():
            session.add(_row(year, orjson.loads((folder / f"{year}.json").read_bytes()), ENGINE))
    forget(session)


def wait_for_beginners(session: Session, *, to: str) -> None:
    """Wait until nobody begins anything, and keep others from it for no longer than a moment at a time, however long that takes.

    Nobody begins anything then until this transaction ends, which waits for nothing else for long.  `to` completes “Expected to …” of Busy.
    """
    if not postgresql.is_behind(session):
        return
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(REST)
        if postgresql.take_alone(session.connection(), _PUBLICATION):
            return
    raise Busy(f"Expected to {to} when nobody begins a case, but somebody does so all the time; try again")


def _row(year: int, document: Mapping[str, Any], actor: Actor) -> CalendarYear:
    return CalendarYear(year=year, content=dict(document), loaded_at=moments.now(), loaded_by=actor.name)


@functools.lru_cache(maxsize=4)
def _build(contents: tuple[str, ...]) -> WorkingCalendar:
    # Keyed by content, not by year: what another node has published is seen in the next transaction.
    return calendars.load([orjson.loads(content) for content in contents])
