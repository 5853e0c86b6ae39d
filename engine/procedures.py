"""Special procedures (特别程序): while one is open, the item's clock is paused, as the applicant was told in writing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from bpmn.definition import Element
from bpmn.waits import Wait, WaitKind
from engine import item_clock, journal, keys, notices
from engine.case_models import ClockEntry, Item
from engine.clock import PauseKind
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.notices import NoticeKind
from engine.runs import Run

KIND = "special-procedure"


def begin(run: Run, wait: Wait) -> None:
    """Pause the clock because the diagram arrived at a special procedure."""
    element = run.loaded.definition.elements[wait.element]
    item = run.require_item(f"the special procedure {element.label}")
    days = element.properties.get("onething.days") or item.rules.get("special_days")
    if not str(days or "").isdigit():
        raise InvalidInput(f"Expected onething.days of {element.name} to be a number of working days, but it is {days!r}")
    _pause(run, item, kind=_kind(element), reason=_reason(element), days=int(str(days)))


def end(run: Run, task: HeldTask, _data: dict[str, Any]) -> None:
    """Let the clock go on: somebody has completed the special procedure."""
    _end(run, run.loaded.definition.elements[task.element])


def _end(run: Run, element: Element) -> None:
    item = run.require_item(f"the special procedure {element.label}")
    pause_id = run.session.scalars(select(ClockEntry.id).where(*_open(item, _kind(element))).order_by(ClockEntry.id)).first()
    if pause_id is not None:  # a supervisor may have ended it by hand
        item_clock.resume(run.session, item, pause_id=pause_id)
    journal.record(
        run.session, run.row, actor=run.actor, what="special procedure ended", item=item.number, procedure=element.name or element.id
    )


def end_interrupted(run: Run) -> None:
    """Let the clock go on when a special procedure was canceled instead of being completed."""
    if KIND not in run.loaded.kinds or run.item is None:
        return
    begun = run.canceled(WaitKind.USER_TASK)
    for activity in run.process.history():
        element = run.loaded.definition.elements[activity.element]
        if activity.id in begun and element.properties.get("onething.kind") == KIND:
            _end(run, element)


def pause_by_hand(run: Run, item: Item, *, kind: PauseKind, reason: str, days: int) -> ClockEntry:
    """Pause the clock as a department says.

    Raises InvalidState while it is paused for the same reason already: a second click must not open a second pause, which nobody would end.
    """
    same = select(ClockEntry).where(*_open(item, kind), ClockEntry.reason == reason.strip()).limit(1)
    entry = run.session.scalar(same)
    if entry is not None:
        raise InvalidState(
            f"Expected to pause the clock of item {item.number} for something else, but for this {kind} it is paused since "
            f"{entry.on} already: resume that before a new estimate is told",
            pause_id=str(entry.id),
        )
    return _pause(run, item, kind=kind, reason=reason, days=days)


def _pause(run: Run, item: Item, *, kind: PauseKind, reason: str, days: int) -> ClockEntry:
    """Pause an item's clock, tell the applicant in writing why and for how long, and note it."""
    content = {"name": item.name, "procedure": kind, "reason": reason, "estimated_days": days}
    notice = notices.issue(run.session, run.case, NoticeKind.SPECIAL_PROCEDURE, content, actor=run.actor, item=item)
    entry = item_clock.pause(run.session, item, kind=kind, reason=reason, days=days, notice=notice, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="clock paused", item=item.number, notice=notice.number, **content)
    return entry


def _open(item: Item, kind: PauseKind) -> list[ColumnElement[bool]]:
    """Conditions: a row of the ledger is an open pause of an item, of one kind."""
    return [keys.its(ClockEntry.item_id, item), ClockEntry.procedure == kind, ClockEntry.until.is_(None)]


def _kind(element: Element) -> PauseKind:
    text = element.properties.get("onething.procedure", PauseKind.OTHER)
    try:
        return PauseKind(text)
    except ValueError:
        raise InvalidInput(
            f"Expected onething.procedure of {element.name} to be one of {', '.join(PauseKind)}, but it is {text!r}"
        ) from None


def _reason(element: Element) -> str:
    return element.documentation.strip() or element.name or element.id
