"""Silence (逾期未告知): what nobody at the window answered within five working days is accepted by law (行政许可法 art. 32)."""

from __future__ import annotations

from datetime import date

from bpmn.waits import WaitKind
from engine import alerts, case_items, intake, jobs, matters, moments, periods
from engine.alerts import AlertKind
from engine.case_models import Item
from engine.clock import Light
from engine.runs import Run


def accept(run: Run) -> None:
    """Accept what was received more than five working days ago (art. 32 (4); domain rule 2).

    The clocks run from the day of receipt; the accepting organ gets a red light.  What joined later has its own five days still.
    """
    waiting = case_items.unanswered(run.case)
    received = {case_items.received_on(run.case, item) for item in waiting}
    overdue = sorted(day for day in received if periods.answer_due(run.session, day) <= moments.now())
    for day in overdue:
        _accept(run, [item for item in waiting if case_items.received_on(run.case, item) == day], day)
    if not overdue:  # all were withdrawn or adopted meanwhile: what was adopted goes on
        intake.admit(run, [], by="deemed", on=case_items.received_on(run.case))
    jobs.owe(run.session, jobs.MESSAGE, run.row, message=matters.ITEMS_CHANGED)
    if case_items.unanswered(run.case) and not _is_at_the_window(run):
        jobs.owe(run.session, jobs.MESSAGE, run.row, message=matters.FOLLOW_ON, variables={"joining": True})


def _accept(run: Run, items: list[Item], received: date) -> None:
    intake.admit(run, items, by="deemed", on=received)
    names = "、".join(item.name for item in items)
    message = f"办件 {run.case.number}（{names}）收到后五个工作日内未告知，依法自收到之日起视为受理"
    alerts.raise_alert(run.session, run.case, AlertKind.DEEMED_ACCEPTANCE, Light.RED, message)


def _is_at_the_window(run: Run) -> bool:
    """Whether a follow-on intake is open, at which the rest can be answered."""
    elements = run.loaded.definition.elements
    return any(elements[wait.element].properties.get("onething.kind") == "follow-on" for wait in run.process.waits(WaitKind.USER_TASK))
