"""Earlier items (已办在办事项): what an applicant has had handled, or under way, in whatever hall: what a bundle may adopt (接续).

Whoever takes a bundle in asks before anything is applied for a second time; nobody else is told, for it is the whole of an applicant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from engine import applicants, archived_items, keys, matters
from engine.actors import Actor, Role
from engine.case_models import Case, Item, Result
from engine.states import FAVOURABLE, UNANSWERED, UNSETTLED, ItemStatus

#: What counts for anything; what shows the result of another one (已取得) is not told beside it.
_COUNTS = (UNSETTLED | FAVOURABLE) - {ItemStatus.IMPORTED}
#: So many are told, the newest.
MOST = 200
_SAID = ("number", "code", "name", "department", "status", "received_on", "decided_at")
#: Who may adopt them, and is told.
_ADOPTING = (Role.CLERK, Role.SUPERVISOR)


@dataclass(frozen=True, kw_only=True)
class EarlierItem:
    """One item, as far as whoever may adopt it must know it."""

    number: str
    code: str
    name: str
    department: str
    case: str
    matter: str
    hall: str | None
    #: Name of the applicant, as it was written there.
    applicant: str
    status: ItemStatus
    received_on: date
    decided_at: datetime | None
    #: Number of what was issued, by which it can be adopted, too.
    certificate: str | None
    #: Whether a bundle may adopt it now; else a bundle (`used_by`) has it, or its corrections are out.
    adoptable: bool
    #: Number of the bundle that handles it, or has adopted its result.
    used_by: str | None


def find(session: Session, actor: Actor, applicant: Mapping[str, Any], *, matter: str | None = None) -> list[EarlierItem]:
    """Items of an applicant {id_number, id_type?, id_country?} that count, the newest first; only those that a `matter` calls.

    Raises NotPermitted for who could not adopt them, InvalidInput for a matter that there is not.
    """
    actor.require(*_ADOPTING, to="look for items that a bundle may adopt")
    if matter is not None:
        matters.require(session, matter, field="matter")
    codes = None if matter is None else frozenset(matters.get(session, matter).calls)
    there = [*_here(session, applicant, codes), *_archived(session, applicant, codes)]
    return sorted(there, key=lambda each: (each.received_on, each.number), reverse=True)[:MOST]


def under_way(session: Session, actor: Actor, number: str) -> list[EarlierItem] | None:
    """Items that wait for an answer in the case of that number, and that other cases of its applicant have under way, the newest first.

    It is one statement, and refuses nothing: a second restaurant is lawful.  None: the actor could not adopt them, and is not told.
    """
    if not actor.has(*_ADOPTING):
        return None
    found = [dict(row) for row in session.execute(_UNDER_WAY, {"number": number}).mappings()]
    return [_elsewhere(row) for row in found if applicants.is_same(row["applicant"], row["applicant_here"])]


def _here(session: Session, applicant: Mapping[str, Any], codes: Collection[str] | None) -> Iterator[EarlierItem]:
    query = select(Item, Case, Result.number).join(Case, keys.same_case(Item, Case)).outerjoin(Result, keys.its(Result.item_id, Item))
    mine = query.where(Item.applicant_number == applicant["id_number"], Item.status.in_(sorted(_COUNTS)), Case.hall.is_not(None))
    if codes is not None:
        mine = mine.where(Item.code.in_(sorted(codes)))
    found = [row for row in session.execute(mine.order_by(Item.id.desc()).limit(MOST)) if applicants.is_same(row.Case.applicant, applicant)]
    used = _used(session, applicant["id_number"])
    for item, case, certificate in found:
        handled_by = case.number if case.matter != matters.SINGLE_ITEM and not (item.status in FAVOURABLE and case.ended_at) else None
        used_by = handled_by or used.get(item.number)
        adoptable = used_by is None and item.status is not ItemStatus.CORRECTING
        where = {"case": case.number, "matter": case.matter, "hall": case.hall, "applicant": case.applicant["name"]}
        yield _told({name: getattr(item, name) for name in _SAID}, certificate=certificate, adoptable=adoptable, used_by=used_by, **where)


def _used(session: Session, applicant_number: str) -> dict[str, str]:
    """Items whose results bundles that go on have adopted: by number, the case."""
    imported, bundle = aliased(Item), aliased(Case)
    query = select(imported.previous_number, func.min(bundle.number)).join(bundle, keys.same_case(imported, bundle))
    mine = query.where(imported.applicant_number == applicant_number, imported.previous_number.is_not(None), bundle.ended_at.is_(None))
    return {number: case for number, case in session.execute(mine.group_by(imported.previous_number)) if number is not None}


def _archived(session: Session, applicant: Mapping[str, Any], codes: Collection[str] | None) -> Iterator[EarlierItem]:
    """Those whose case is in the archive: what was granted there may be adopted by its number."""
    used = _used(session, applicant["id_number"])
    for case, item, certificate in archived_items.of_applicant(session, applicant):
        if item["status"] not in FAVOURABLE - {ItemStatus.IMPORTED} or (codes is not None and item["code"] not in codes):
            continue
        used_by = used.get(item["number"])
        where = {"case": case["number"], "matter": case["matter"], "hall": case["hall"], "applicant": case["applicant"]["name"]}
        yield _told(item, certificate=certificate, adoptable=used_by is None, used_by=used_by, **where)


def _asked() -> Select[Any]:
    """Build what is asked for `under_way`: what the items have in common with the case stands in queries of their own, not in joins."""
    here = Case.number == bindparam("number")
    number, applicant = (select(column).where(here).correlate(None).scalar_subquery() for column in (Case.applicant_number, Case.applicant))
    codes = select(Item.code).join(Case, keys.same_case(Item, Case)).where(here, Item.status.in_(sorted(UNANSWERED))).correlate(None)
    where = Case.number.label("case"), Case.matter, Case.hall, Case.applicant, applicant.label("applicant_here")
    query = select(*(getattr(Item, name) for name in _SAID), *where).join(Case, keys.same_case(Item, Case))
    alike = Item.applicant_number == number, Item.code.in_(codes), Item.status.in_(sorted(UNSETTLED))
    others = query.where(*alike, Case.number != bindparam("number"), Case.hall.is_not(None))
    return others.order_by(Item.id.desc()).limit(MOST)


_UNDER_WAY = _asked()


def _elsewhere(row: Mapping[str, Any]) -> EarlierItem:
    used_by = None if row["matter"] == matters.SINGLE_ITEM else row["case"]
    adoptable = used_by is None and row["status"] is not ItemStatus.CORRECTING
    where = {"case": row["case"], "matter": row["matter"], "hall": row["hall"], "applicant": row["applicant"]["name"]}
    return _told(row, certificate=None, adoptable=adoptable, used_by=used_by, **where)


def _told(item: Mapping[str, Any], **more: Any) -> EarlierItem:
    return EarlierItem(**{name: item[name] for name in _SAID}, **more)
