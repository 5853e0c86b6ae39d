"""Rejections (材料退回): a department says that what came in for a tolerance is not what was promised; it is owed again (decision 0027)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from engine import calendars, case_items, holidays, journal, materials, moments, notices, periods
from engine.actors import Actor
from engine.case_models import Case, Item, Material, Tolerance
from engine.errors import InvalidState
from engine.holdings import Held
from engine.notices import NoticeKind
from engine.states import ToleranceStatus


def reject(session: Session, row: Held, case: Case, item: Item, no: int, *, reason: str, actor: Actor) -> Tolerance:
    """Open a tolerance anew for an item, and tell the applicant why and until when.

    The caller holds the bundle (`row`) and the item.  Raises NotFound; InvalidState for what was not promised, for what is owed again
    already, and for a copy that is not the last.
    """
    material = materials.get(session, case, no, [item])
    met = _met(case, item, material)
    newest = max(m.no for m in materials.of_case(session, case, [item]) if m.code == material.code)
    if newest != no:
        raise InvalidState(f"Expected to reject the last copy of {material.name}, but number {newest} has come in since", material=newest)
    tolerance = next((t for t in case_items.open_tolerances(case) if t.code == material.code), None)
    if tolerance is None:
        tolerance = _again(session, case, met)
    tolerance.used_by = sorted({*tolerance.used_by, item.code})
    session.flush()
    session.expire(case, ["tolerances"])
    content = {"item": item.number, "material": material.name, "no": no, "reason": reason, "due_on": tolerance.due_on.isoformat()}
    notice = notices.issue(session, case, NoticeKind.MATERIAL_REJECTED, content, actor=actor, item=item)
    journal.record(session, row, actor=actor, what="material rejected", notice=notice.number, **content)
    return tolerance


def _met(case: Case, item: Item, material: Material) -> Tolerance:
    """The promise that was kept with a material, for an item."""
    its = [t for t in case.tolerances if t.code == material.code and item.code in t.used_by]
    owed = next((t for t in its if t in case_items.open_tolerances(case)), None)
    if owed is not None:
        raise InvalidState(f"Expected to reject {material.name} once, but it is owed again already, until {owed.due_on}")
    met = [t for t in its if t.status is ToleranceStatus.MET]
    if not met:
        raise InvalidState(
            f"Expected to reject what was promised (容缺), but {material.name} was there when item {item.number} was accepted: decide on it"
        )
    return max(met, key=lambda t: t.ended_at or moments.now())


def _again(session: Session, case: Case, met: Tolerance) -> Tolerance:
    due_on, today = _moved(session, met), calendars.local_date(moments.now())
    kept = {name: getattr(met, name) for name in ("code", "name", "until", "grace_days")}
    again = Tolerance(**case.key, **kept, used_by=[], due_on=due_on)
    if due_on <= holidays.calendar(session).add(today, 1):
        again.reminded_at = moments.now()  # by the notice of the rejection
    session.add(again)
    return again


def _moved(session: Session, met: Tolerance) -> date:
    """The last day, moved by the working days that it lay at the department, and by the day on which the applicant is told."""
    calendar = holidays.calendar(session)
    came, told = (calendars.local_date(moment) for moment in (met.ended_at or moments.now(), moments.now()))
    return calendar.add(periods.last_day(calendar, met.due_on), calendar.count(came, told) + 1)
