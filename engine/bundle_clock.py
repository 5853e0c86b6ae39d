"""The clock of a bundle (一件事总时限): its own published promise, counted from its start to the end of the case; nothing pauses it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from engine import calendars, clock, holidays
from engine.case_models import Case
from engine.clock import Dial, Ledger, LimitKind, TimeLimit


def ledger(case: Case) -> tuple[Ledger, TimeLimit] | None:
    """What was counted, and the promise; None when it has no promise, or has not started."""
    if case.clock_started_on is None or case.promised is None:
        return None
    stopped = calendars.local_date(case.ended_at) if case.ended_at else None
    return Ledger(started_on=case.clock_started_on, stopped_on=stopped), TimeLimit(kind=LimitKind.PROMISED, days=case.promised)


def dial(session: Session, case: Case) -> Dial | None:
    """What it gives; None when it has no promise, or has not started."""
    found = ledger(case)
    return clock.dial(*found, holidays.calendar(session)) if found else None


def deadline(session: Session, case: Case, kind: str) -> datetime | None:
    """The moment (UTC) at which the promise has run out, or (`warning`) turns yellow; None of a `statutory` one, which no bundle has."""
    found = ledger(case)
    if found is None or kind == "statutory":
        return None
    calendar = holidays.calendar(session)
    if kind == "warning":
        day = clock.turns_yellow(*found, calendar)
        return calendars.start_of(day) if day else None
    due = clock.due(*found, calendar)
    return calendars.end_of(due.date) if due else None
