"""Supervision (电子监察): reminders and red lights that a diagram draws as steps."""

from __future__ import annotations

from sqlalchemy import select

from engine import alerts, calendars, dials, journal, keys, tolerances
from engine.alerts import AlertKind
from engine.case_models import Alert
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
    message = f"事项 {run.item.number}（{run.item.name}）即将到期"
    alerts.raise_alert(run.session, run.case, AlertKind.REMINDER, Light.YELLOW, message, item=run.item)
    journal.record(run.session, run.row, actor=run.actor, what="item reminded", item=run.item.number)


def overdue(run: Run) -> None:
    """Note that a deadline has passed: a red light for the department, or for the hall when the bundle's promise broke."""
    subject = f"事项 {run.item.number}（{run.item.name}）" if run.item else f"办件 {run.case.number}"
    alerts.raise_alert(run.session, run.case, AlertKind.OVERDUE, Light.RED, f"{subject}已超期", item=run.item)
    journal.record(run.session, run.row, actor=run.actor, what="deadline missed", item=run.item.number if run.item else None)
