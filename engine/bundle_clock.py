"""The clock of a bundle (一件事总时限): its own published promise, counted from its start to the end of the case; nothing pauses it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import calendars, dials, holidays
from engine.case_models import Case
from engine.clock import Clock, Ledger, LimitKind, TimeLimit
from engine.dials import Counted


def of(session: Session, case: Case) -> Clock | None:
    """Give the clock of the bundle; None when it has no promise, or has not started."""
    if case.clock_started_on is None or case.promised is None:
        return None
    stopped = calendars.local_date(case.ended_at) if case.ended_at else None
    ledger = Ledger(started_on=case.clock_started_on, stopped_on=stopped)
    return Clock(ledger=ledger, limit=TimeLimit(kind=LimitKind.PROMISED, days=case.promised), calendar=holidays.calendar(session))


def count(session: Session, case: Case) -> Counted:
    """Count what it gives: no bundle has a statutory limit."""
    return dials.count(of(session, case), None)
