"""Periods (期间) that are given in words of law: until when the applicant may supply, and until when the window must answer.

行政许可法 art. 32 (4): the window has five working days, and what it does not answer in them counts as accepted.  (5): who has supplied all
that was asked for must be accepted; so once everything is there, in time, it is the hall's five days that run, and the applicant's no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine import calendars, case_items, holidays, item_clock, keys
from engine.calendars import WorkingCalendar
from engine.case_models import Case, Item, Material, Notice, Supplement, Tolerance
from engine.clock import Clock, Ledger, LimitKind
from engine.errors import InvalidState
from engine.states import UNSETTLED, SupplementStatus, ToleranceStatus

#: Working days within which somebody must answer a submission (行政许可法 art. 32).
ACCEPTANCE_DAYS = 5
#: Working days within which what was granted is handed out, from the day of the decision on (行政许可法 art. 44).
DELIVERY_DAYS = 10
_GIVEN = select(Material.code, Material.handed_in_at, Material.no).where(*keys.asked(Material)).order_by(Material.no)
_ISSUED = select(Notice.issued_at, Notice.content).where(*keys.asked(Notice), Notice.id == bindparam("notice"))


def last_day(calendar: WorkingCalendar, told: date) -> date:
    """The last day of a period, as it was told; when a calendar has made it a day off since, the next working day (民法典 art. 203)."""
    return calendar.at_or_after(told)


def grace_end(calendar: WorkingCalendar, tolerance: Tolerance) -> date:
    """The last day on which what is overdue may still come (宽限期); without days of grace the last day of the period itself."""
    return calendar.add(last_day(calendar, tolerance.due_on), tolerance.grace_days)


def tolerance_due(calendar: WorkingCalendar, tolerance: Tolerance, what: str) -> datetime | None:
    """When an open tolerance is reminded (`remind`), overdue (`due`), or given up (`grace`); None: that is over, or still too early."""
    last = last_day(calendar, tolerance.due_on)
    if what == "remind":
        return calendars.start_of(calendar.add(last, -1)) if tolerance.reminded_at is None else None
    if what == "due":
        return calendars.end_of(last) if tolerance.status is ToleranceStatus.OPEN else None
    return calendars.end_of(grace_end(calendar, tolerance)) if tolerance.status is ToleranceStatus.OVERDUE else None


def answer_due(session: Session, received: date) -> datetime:
    """When the window must have answered what was received on a day (行政许可法 art. 32)."""
    return calendars.end_of(holidays.calendar(session).add(received, ACCEPTANCE_DAYS))


def issuance_due(session: Session, ready: date) -> datetime:
    """When a result that can go out since a day must have gone out (行政许可法 art. 44)."""
    return calendars.end_of(holidays.calendar(session).add(ready, DELIVERY_DAYS))


def open_supplement(session: Session, case: Case) -> Supplement | None:
    """The notice of corrections that is out."""
    return session.scalar(select(Supplement).where(keys.same_case(Supplement, case), Supplement.status == SupplementStatus.OPEN).limit(1))


def end(session: Session, supplement: Supplement) -> datetime:
    """When the period that a notice of corrections gives is over."""
    return calendars.end_of(last_of(session, supplement))


def last_of(session: Session, owed: Supplement | Tolerance) -> date:
    """The last day that a notice of corrections, or a promise, leaves the applicant, as it holds now."""
    return last_day(holidays.calendar(session), owed.due_on)


def given_in_time(session: Session, case: Case, supplement: Supplement) -> list[tuple[str, datetime]]:
    """Return the materials of a case that came in before the period of a notice was over, by code, the earliest first."""
    return [(code, at) for code, at, _no in _in_time(session, case, supplement)]


def given_since(session: Session, case: Case, supplement: Supplement) -> list[tuple[str, datetime]]:
    """Return those of them that came in since the notice: with a number above what was there then, even if at the same instant."""
    since, told = session.execute(_ISSUED, {"notice": supplement.notice_id, **case.key}).one()
    there = told.get("received")  # what was written before this was kept does not say
    given = _in_time(session, case, supplement)
    return [(code, at) for code, at, no in given if (at >= since if there is None else no > there)]


def supplied_at(session: Session, case: Case, supplement: Supplement, items: Collection[str]) -> datetime | None:
    """When everything was there that a notice asks for and these items still need; None while it is not, or when it came too late.

    Whether a defect is mended only a person can say: the applicant has done his part when anything came in since the notice.  When what was
    missing is needed by nobody any more, or nobody waits for an answer, it is the end of the period.
    """
    if not items:
        return end(session, supplement)
    given = given_in_time(session, case, supplement)
    needed = {m["code"] for m in case.checklist["materials"] if set(items) & set(m["used_by"])}
    asked = needed & {m["code"] for m in supplement.missing}
    first = {code: at for code, at in reversed(given) if code in asked}
    later = [at for _code, at in given_since(session, case, supplement)] if supplement.defects else []
    if first.keys() != asked or (supplement.defects and not later):
        return None
    return max([*first.values(), *later], default=end(session, supplement))


def supplement_due(session: Session, case: Case, items: Collection[str]) -> datetime | None:
    """When an open notice of corrections comes to its end: its period, or, once everything is there, the window's five days."""
    supplement = open_supplement(session, case)
    if supplement is None:
        return None
    supplied = supplied_at(session, case, supplement, items)
    return end(session, supplement) if supplied is None else answer_due(session, calendars.local_date(supplied))


def material_due(session: Session, case: Case, material: Mapping[str, Any], today: date) -> date:
    """When a material that is promised today must have come, by the checklist: a tolerance (容缺).

    It is the figure of the table, but never later than the promised end of an item that needs the material (民政 容缺受理制度; domain
    rule 4).  The promise of an item that waits for others is counted from the day on which they will have kept theirs; but if the item
    cannot be decided without the material, from today.
    """
    calendar = holidays.calendar(session)
    days = [calendar.add(today, int(material["due_days"]))] if material["due_days"] else []
    held = material["until"] in case_items.BEFORE_ISSUE
    needy = [item for item in case_items.live(case) if held and item.code in material["used_by"] and item.status in UNSETTLED]
    for item in needy:
        begins = today if material["until"] in case_items.BEFORE_DECISION else _begins_by(case, item, today, calendar)
        days += [day for day in [_promised_from(item, begins, calendar)] if day is not None]
    if not days:
        raise InvalidState(f"Expected a due rule for {material['name']}, but the tables give no working days")
    return min(days)


def _begins_by(case: Case, item: Item, today: date, calendar: WorkingCalendar) -> date:
    """The day on which an item begins when all that it waits for takes as long as it is promised; today when it waits for nothing."""
    days = [today]
    for other in case_items.open_predecessors(case, item):
        begins = _begins_by(case, other, today, calendar)  # no drawing has them wait for one another in a circle
        days.append(other.promised_on or _promised_from(other, begins, calendar) or begins)
    return max(days)


def _promised_from(item: Item, day: date, calendar: WorkingCalendar) -> date | None:
    rule = item_clock.limit(item, LimitKind.PROMISED)
    due = Clock(ledger=Ledger(started_on=day), limit=rule, calendar=calendar).due() if rule is not None and rule.days else None
    return due.date if due is not None else None


def _in_time(session: Session, case: Case, supplement: Supplement) -> list[tuple[str, datetime, int]]:
    until = end(session, supplement)
    return [(code, at, no) for code, at, no in session.execute(_GIVEN, case.key) if at < until]
