"""Supervision (电子监察): reminders and red lights that a diagram draws as steps."""

from __future__ import annotations

from sqlalchemy import select

from engine import alerts, calendars, case_items, dials, holidays, journal, keys, moments, periods, terms, tolerances
from engine.alerts import AlertKind
from engine.case_models import Alert, Item
from engine.clock import Light
from engine.runs import Run


def remind(run: Run) -> None:
    """Remind (催办): in an item's process its department, once a day; in a matter's the applicant of promised materials."""
    if run.item is None:
        tolerances.remind(run)
        return
    reminded = select(Alert.id).where(keys.its(Alert.item_id, run.item), Alert.kind == AlertKind.REMINDER)
    if run.session.scalar(reminded.where(Alert.raised_at >= calendars.start_of(dials.today())).limit(1)) is not None:
        return  # by another timer, or for a day that has passed while nobody was at work
    # When nobody was at work in time it is late already; that is for `overdue` to tell, and to be taken back if a calendar shows otherwise.
    late = dials.light(run.item, dials.today()) is Light.RED
    message = f"事项 {run.item.number}（{run.item.name}）{'尚未办结' if late else '即将到期'}"
    alerts.raise_alert(run.session, run.case, AlertKind.REMINDER, Light.YELLOW, message, item=run.item)
    journal.record(run.session, run.row, actor=run.actor, what="item reminded", item=run.item.number)


def overdue(run: Run) -> None:
    """Note that a deadline has passed: a red light for the department, or for the hall when the bundle's promise broke.

    Not where it is the applicant who is late: the bundle notes that at the same moment, or a little later, and the clock is paused.
    """
    if run.item is not None and _is_of_applicant(run, run.item):
        return
    subject = f"事项 {run.item.number}（{run.item.name}）" if run.item else f"办件 {run.case.number}"
    alerts.raise_alert(run.session, run.case, AlertKind.OVERDUE, Light.RED, f"{subject}已超期", item=run.item)
    journal.record(run.session, run.row, actor=run.actor, what="deadline missed", item=run.item.number if run.item else None)


def _is_of_applicant(run: Run, item: Item) -> bool:
    """Whether a material is overdue that accounts for it: the clock will be found to have stood still since then (`tolerances.overdue`)."""
    calendar, now = holidays.calendar(run.session), moments.now()
    for tolerance in case_items.holds(run.case, item, at=case_items.BEFORE_DECISION):
        due_at, last = periods.tolerance_due(calendar, tolerance, "due"), periods.last_day(calendar, tolerance.due_on)
        if due_at is not None and due_at <= now and terms.accounts_for(tolerance, item, last):
            return True
    return False
