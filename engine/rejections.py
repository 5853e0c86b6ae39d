"""Rejections (材料退回): a department says that what came in for a tolerance is not what was promised; it is owed again (decision 0027)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import calendars, case_items, holidays, journal, keys, materials, moments, notices, periods, terms
from engine.actors import Actor
from engine.case_models import Case, Item, Material, Notice, Tolerance
from engine.errors import InvalidState
from engine.holdings import Held
from engine.notices import NoticeKind
from engine.states import ToleranceStatus


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """What the applicant was told of a material that is not good."""

    #: Number of the item whose department says so.
    item: str
    reason: str
    #: Until when it is to be brought again; a calendar may have moved the tolerance since.
    due_on: date
    rejected_at: datetime


def reject(session: Session, row: Held, case: Case, item: Item, no: int, *, reason: str, actor: Actor) -> Tolerance:
    """Open a tolerance anew for an item, and tell the applicant why and until when.

    The caller holds the bundle (`row`) and the item.  Raises NotFound; InvalidState for what was not promised, for what is owed again
    already, and for a copy that is not the last.
    """
    material = materials.get(session, case, no, [item])
    met = _met(session, case, item, material)
    newest = max(m.no for m in materials.of_case(session, case, [item]) if m.code == material.code)
    if newest != no:
        raise InvalidState(f"Expected to reject the last copy of {material.name}, but number {newest} has come in since", material=newest)
    tolerance = next((t for t in case_items.open_tolerances(case) if t.code == material.code), None)
    if tolerance is None:
        tolerance = _again(session, case, met)
    tolerance.used_by = sorted({*tolerance.used_by, item.code})
    session.flush()
    session.expire(case, ["tolerances"])
    content = {"item": item.number, "case": case.number, "material": material.name, "no": no}
    content |= {"reason": reason, **_until(session, tolerance)}
    notice = notices.issue(session, case, NoticeKind.MATERIAL_REJECTED, content, actor=actor, item=item)
    journal.record(session, row, actor=actor, what="material rejected", notice=notice.number, **content)
    return tolerance


def of_case(session: Session, case: Case, items: Iterable[Item] | None = None) -> dict[int, list[Rejection]]:
    """What was rejected of the materials of a case, by their running numbers; with `items`, only for these."""
    query = select(Notice).where(keys.same_case(Notice, case), Notice.kind == NoticeKind.MATERIAL_REJECTED).order_by(Notice.id)
    if items is not None:
        query = query.where(Notice.item_id.in_([item.id for item in items]))
    return told(case, session.scalars(query))


def told(case: Case, given: Iterable[Notice]) -> dict[int, list[Rejection]]:
    """What notices say was rejected of the materials of a case; those that an item has brought along are about another case's."""
    found: dict[int, list[Rejection]] = defaultdict(list)
    for notice in given:
        said = notice.content
        if notice.kind == NoticeKind.MATERIAL_REJECTED and said.get("case") == case.number:
            due_on = date.fromisoformat(said["due_on"])
            rejection = Rejection(item=said["item"], reason=said["reason"], due_on=due_on, rejected_at=notice.issued_at)
            found[said["no"]].append(rejection)
    return dict(found)


def _met(session: Session, case: Case, item: Item, material: Material) -> Tolerance:
    """The promise that was kept with a material, for an item."""
    its = [t for t in case.tolerances if t.code == material.code and item.code in t.used_by]
    owed = next((t for t in its if t in case_items.open_tolerances(case)), None)
    if owed is not None:
        last = periods.last_of(session, owed)
        raise InvalidState(f"Expected to reject {material.name} once, but it is owed again already, until {last}")
    met = [t for t in its if t.status is ToleranceStatus.MET]
    if not met:
        raise InvalidState(
            f"Expected to reject what was promised (容缺), but {material.name} was there when item {item.number} was accepted: decide on it"
        )
    return max(met, key=lambda t: t.ended_at or moments.now())


def _until(session: Session, tolerance: Tolerance) -> dict[str, Any]:
    """Until when it may come again: who came in the grace of an overdue promise is told what is left of that; his last day is over."""
    calendar = holidays.calendar(session)
    is_over = periods.last_day(calendar, tolerance.due_on) < calendars.local_date(moments.now())
    return terms.particulars(calendar, [tolerance]) if is_over else terms.until(calendar, [tolerance])


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
