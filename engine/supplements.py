"""Supplements (补正): one notice that lists everything, one answer, or the end of the period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import (
    alerts,
    calendars,
    case_items,
    checklists,
    holidays,
    journal,
    keys,
    lifecycle,
    matters,
    moments,
    notices,
    periods,
    tolerances,
)
from engine.actors import Role
from engine.alerts import AlertKind
from engine.case_models import Case, Item, Material, Notice, Supplement
from engine.clock import Light
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import ItemStatus, SupplementStatus, move


def issue(
    run: Run, items: Sequence[Item], missing: list[dict[str, Any]], *, defects: str | None, concerned: Sequence[Item] = ()
) -> Supplement:
    """Tell the applicant once everything that must be corrected (art. 32 (4); domain rule 3).

    All missing materials go into the notice, whether the clerk thought of them or not; it says which of them may be promised instead.  The
    defects in words are about the items `concerned`, or about all.  A second notice needs a supervisor.
    """
    _require_something(run, items, missing, defects)
    repeated = of_case(run.session, run.case)
    if repeated and not may_repeat(run):
        raise InvalidState(
            f"Expected the one notice of corrections of case {run.case.number}, but it was given already; a second one needs a supervisor"
        )
    days = matters.of(run.session, run.case).supplement_days
    due_on = holidays.calendar(run.session).add(calendars.local_date(moments.now()), days)
    named = [{"code": m["code"], "name": m["name"]} for m in missing]
    told = [each | ({"tolerable": True} if m["tolerable"] else {}) for each, m in zip(named, missing, strict=True)]
    about = {"items": [item.number for item in concerned]} if concerned else {}
    content = {"missing": told, "defects": defects, "due_on": due_on.isoformat(), "received": _received(run)} | about
    notice = notices.issue(run.session, run.case, NoticeKind.SUPPLEMENT, content, actor=run.actor)
    supplement = Supplement(**run.case.key, notice_id=notice.id, missing=named, defects=defects, due_on=due_on)
    if repeated:
        supplement.allowed_by = run.actor.name
        alerts.raise_alert(run.session, run.case, AlertKind.SECOND_SUPPLEMENT, Light.YELLOW, f"办件 {run.case.number} 二次补正")
    run.session.add(supplement)
    for item in items:
        item.status = move(item.status, ItemStatus.CORRECTING, f"item {item.number}")
    journal.record(run.session, run.row, actor=run.actor, what="supplement asked for", notice=notice.number, missing=named)
    run.session.flush()
    return supplement


def _require_something(run: Run, items: Sequence[Item], missing: list[dict[str, Any]], defects: str | None) -> None:
    if not items:  # all were withdrawn or adopted meanwhile
        message = f"Expected an item to correct, but none of case {run.case.number} waits for an answer: accept it"
        raise InvalidInput.of_field("outcome", message)
    if not missing and not (defects or "").strip():
        raise InvalidInput.of_field("defects", "Expected something to correct, but no material is missing and no defect is named")


def answer(run: Run, _task: HeldTask, data: dict[str, Any]) -> None:
    """Take the corrections: everything that the notice names must be there, unless its items were withdrawn; nothing else is asked.

    What may follow later (容缺) need not be, once the applicant has signed that it will: it is accepted with tolerance then.
    """
    supplement = open_one(run)
    if data.get("commitment_signed") is True:
        require_promised(run, supplement)
    else:
        require_supplied(run, supplement)
    now = end(supplement, SupplementStatus.ANSWERED)
    # The window's five days run since it had everything, whenever it says so.
    run.case.resubmitted_at = min(_supplied_at(run, supplement) or now, now)
    for item in case_items.unanswered(run.case):
        if item.status is ItemStatus.CORRECTING:  # others joined meanwhile
            item.status = move(item.status, ItemStatus.SUBMITTED, f"item {item.number}")
    journal.record(run.session, run.row, actor=run.actor, what="supplement answered", supplement=str(supplement.id))


def end(supplement: Supplement, status: SupplementStatus) -> datetime:
    """Say what has become of a notice of corrections, and give the moment; raises InvalidState when it has ended already."""
    now = moments.now()
    supplement.status, supplement.ended_at = move(supplement.status, status, "the notice"), now
    return now


def require_supplied(run: Run, supplement: Supplement) -> None:
    """Refuse to go on while something that the notice names is missing."""
    lacking = _lacking_entries(run, supplement)
    if lacking:
        promised = ": it may follow later once the applicant has promised it (commitment_signed)"
        raise InvalidInput(
            f"Expected everything that the notice names, but {'、'.join(m['name'] for m in lacking)} is still missing"
            f"{promised if all(m['tolerable'] for m in lacking) else ''}",
            errors=checklists.as_errors(lacking),
        )


def require_promised(run: Run, supplement: Supplement) -> None:
    """Refuse to go on while something that the notice names is missing and may not follow later, or not for this applicant."""
    if lacking := _lacking_entries(run, supplement):
        tolerances.require_tolerable(run, lacking, signed=True)


def came_in(run: Run) -> bool:
    """Whether everything that the open notice asks for came in in time: then the case is not returned, however slow the window is."""
    supplement = periods.open_supplement(run.session, run.case)
    return supplement is not None and _supplied_at(run, supplement) is not None


def lapse(run: Run) -> None:
    """End a whole bundle that was not corrected in time (补正不来, 退回), as was drawn before decision 0025; the applicant is told why."""
    supplement = open_one(run)
    lacking = _lacking(run, supplement)
    end(supplement, SupplementStatus.LAPSED)
    items = case_items.unanswered(run.case)
    for item in items:
        lifecycle.end(run.session, item, ItemStatus.RETURNED, actor=run.actor, reason={"reason": "补正不来"})
    told = {"reason": notices.NOT_CORRECTED, "missing": lacking, "defects": supplement.defects, "remedies": notices.REMEDIES}
    content = {"items": [i.number for i in items], **told}
    notice = notices.issue(run.session, run.case, NoticeKind.RETURN, content, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="case returned", notice=notice.number, reason="补正不来")


def needed(case: Case, item: Item) -> set[str]:
    """Codes of the materials that an item needs."""
    return {m["code"] for m in case.checklist["materials"] if item.code in m["used_by"]}


def defective(run: Run, supplement: Supplement, items: Sequence[Item]) -> list[Item]:
    """Those of some items that a notice finds a defect in, in words: all of them, unless it says which."""
    told = keys.get_one(run.session, Notice, supplement.notice_id, run.row).content.get("items")
    return [item for item in items if supplement.defects and (told is None or item.number in told)]


def of_case(session: Session, case: Case) -> list[Supplement]:
    """Notices of corrections that a case was given."""
    return list(session.scalars(select(Supplement).where(keys.same_case(Supplement, case)).order_by(Supplement.id)))


def was_answered(session: Session, case: Case) -> bool:
    """Whether everything that was asked for came in."""
    return any(s.status is SupplementStatus.ANSWERED for s in of_case(session, case))


def _received(run: Run) -> int:
    """Number of the last material that is there: what has a higher one came in after the notice."""
    return run.session.scalar(select(func.max(Material.no)).where(keys.same_case(Material, run.case))) or 0


def may_repeat(run: Run) -> bool:
    """Whether the actor may allow a second notice."""
    return run.actor.has(Role.SUPERVISOR, hall=run.case.hall)


def open_one(run: Run) -> Supplement:
    """The notice of corrections that is out; raises InvalidState when there is none."""
    found = periods.open_supplement(run.session, run.case)
    if found is None:
        raise InvalidState(f"Expected case {run.case.number} to have an open notice of corrections, but it has none")
    return found


def _lacking(run: Run, supplement: Supplement) -> list[dict[str, Any]]:
    """What a notice names that was not handed in, unless the items that need it were withdrawn."""
    wanted = {m["code"] for m in _lacking_entries(run, supplement)}
    return [m for m in supplement.missing if m["code"] in wanted]


def _lacking_entries(run: Run, supplement: Supplement) -> list[dict[str, Any]]:
    """The same as the checklist has it."""
    named, codes = {m["code"] for m in supplement.missing}, [item.code for item in case_items.unanswered(run.case)]
    missing = checklists.missing(run.case.checklist, lifecycle.handed_in(run.session, run.case), codes)
    return [m for m in missing if m["code"] in named]


def _supplied_at(run: Run, supplement: Supplement) -> datetime | None:
    return periods.supplied_at(run.session, run.case, supplement, [item.code for item in case_items.unanswered(run.case)])
