"""Corrections (补正结果): what becomes of each item when a notice of corrections has lapsed, or was answered but not well enough.

行政许可法 art. 32 (5) speaks of one application: whose materials are complete is accepted, whatever another one lacks (decision 0025).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NoReturn

from engine import calendars, case_items, entered, intake, jobs, journal, lifecycle, matters, moments, notices, periods, supplements
from engine.case_models import Item, Supplement
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import REAPPLICABLE, ItemStatus, SupplementStatus, move


def answer(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Take the corrections; when `answered` is false, say with a `reason` which items (`unmended`; else all named) they do not mend."""
    if data.get("answered") is False:
        refuse_unmended(run, data)
    else:
        supplements.answer(run, task, data)


def refuse(run: Run, data: Mapping[str, Any], wrong: InvalidInput) -> NoReturn:
    """Refuse what was filled in, for what is wrong with it and for all that the notice names and is still missing: once (一次性告知).

    Whoever ticks nothing, because not all has come, is asked for a reason by the form; what he needs to know is what has not come.
    """
    promised = data.get("answered") is True and data.get("commitment_signed") is True
    try:
        (supplements.require_promised if promised else supplements.require_supplied)(run, supplements.open_one(run))
    except InvalidInput as missing:
        raise missing.along_with(wrong) from wrong
    raise wrong


def refuse_unmended(run: Run, data: dict[str, Any]) -> None:
    """Refuse the items whose corrections came in and are still wrong (不予受理); the others are accepted: nothing new may be asked."""
    supplement = supplements.open_one(run)
    reason = (entered.text(data, "reason") or "").strip()
    if not reason:
        refuse(run, data, InvalidInput.of_field("reason", "Expected a reason why the corrections are not enough, but there is none"))
    supplements.require_supplied(run, supplement)
    _require_something_in_time(run, supplement)
    named = _named(run, supplement)
    if not named:
        raise InvalidState(f"Expected an item that the notice of case {run.case.number} still asks something for, but there is none")
    unmended = _with_idle(run, entered.among(named, data, "unmended"))
    supplements.end(supplement, SupplementStatus.ANSWERED)
    grounds = {"kind": "not_accepted", "reason": reason, "competent_organ": None, "remedies": notices.REMEDIES}
    for item in unmended:
        lifecycle.end(run.session, item, ItemStatus.REFUSED, actor=run.actor, reason=grounds)
    numbers = [item.number for item in unmended]
    notice = notices.issue(run.session, run.case, NoticeKind.REFUSAL, {"items": numbers, **grounds}, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="case refused", items=numbers, notice=notice.number, reason=reason)
    _accept_the_rest(run, by="clerk", on=calendars.local_date(moments.now()))


def return_lacking(run: Run) -> None:
    """End the items that lack what the notice asks for (补正不来, 退回), and accept the others, even if the scheduler is late.

    The clocks of those run from the day after the period: until then the applicant could complete the bundle.
    """
    supplement = supplements.open_one(run)
    supplements.end(supplement, SupplementStatus.LAPSED)
    lacking = {item.id: _lacking(run, supplement, item) for item in _correcting(run)}
    unmended = {item.id for item in _unanswered_defects(run, supplement)}
    returned = _with_idle(run, [item for item in _correcting(run) if lacking[item.id] or item.id in unmended])
    for item in returned:
        reason = {"reason": "补正不来", "missing": lacking.get(item.id, [])}
        lifecycle.end(run.session, item, ItemStatus.RETURNED, actor=run.actor, reason=reason)
    if returned:
        _tell(run, supplement, returned, [m for m in supplement.missing if any(m in some for some in lacking.values())], bool(unmended))
    _accept_the_rest(run, by="complete", on=calendars.local_date(periods.end(run.session, supplement)))


def _tell(run: Run, supplement: Supplement, items: Sequence[Item], missing: list[dict[str, Any]], defective: bool) -> None:
    numbers, defects = [item.number for item in items], supplement.defects if defective else None
    content = {"items": numbers, "reason": notices.NOT_CORRECTED, "missing": missing, "defects": defects, "remedies": notices.REMEDIES}
    notice = notices.issue(run.session, run.case, NoticeKind.RETURN, content, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="items returned", items=numbers, notice=notice.number, reason="补正不来")


def _accept_the_rest(run: Run, *, by: str, on: date) -> None:
    """Accept the items that lack nothing; ask for a follow-on intake of those that joined since and lack what the notice does not name."""
    rest = case_items.unanswered(run.case)
    whole = [item for item in rest if item.status is ItemStatus.CORRECTING or not intake.missing(run, [item])]
    for item in whole:
        if item.status is ItemStatus.CORRECTING:
            item.status = move(item.status, ItemStatus.SUBMITTED, f"item {item.number}")
    if whole:
        intake.admit(run, whole, by=by, on=on)
    else:
        lifecycle.follow_up(run.session, run.case, actor=run.actor)
    if len(whole) < len(rest):
        run.case.resubmitted_at = moments.now()  # what joins while corrections are out is received with them
        jobs.owe(run.session, jobs.MESSAGE, run.row, message=matters.FOLLOW_ON, variables={"joining": True})


def _correcting(run: Run) -> list[Item]:
    return [item for item in case_items.unanswered(run.case) if item.status is ItemStatus.CORRECTING]


def _with_idle(run: Run, ended: list[Item]) -> list[Item]:
    """Add, if nothing else is left, the items that ask for nothing and hand nothing out (looks into a register): they end with the rest."""
    asking = {code for material in run.case.checklist["materials"] if material["asked"] for code in material["used_by"]}
    idle = {item.code for item in case_items.live(run.case) if item.code not in asking and not item.rules["result"]}
    left = [item for item in case_items.live(run.case) if item not in ended and item.status not in REAPPLICABLE]
    if not idle.issuperset(item.code for item in left) or idle.issuperset(item.code for item in ended):
        return ended
    unanswered = case_items.unanswered(run.case)
    return [*ended, *(item for item in left if item in unanswered)]


def _named(run: Run, supplement: Supplement) -> list[Item]:
    """Items that the notice asks something for."""
    defective = supplements.defective(run, supplement, _correcting(run))
    asked = {m["code"] for m in supplement.missing}
    return [item for item in _correcting(run) if item in defective or asked & supplements.needed(run.case, item)]


def _lacking(run: Run, supplement: Supplement, item: Item) -> list[dict[str, Any]]:
    """What the notice names, an item needs, and did not come in in time."""
    given = {code for code, _at in periods.given_in_time(run.session, run.case, supplement)}
    return [m for m in supplement.missing if m["code"] in supplements.needed(run.case, item) - given]


def _unanswered_defects(run: Run, supplement: Supplement) -> list[Item]:
    """Items with a defect for which nothing came in since.  What came in counts: the window had its time to say that it is not enough."""
    came = periods.given_since(run.session, run.case, supplement)
    return [] if came else supplements.defective(run, supplement, _correcting(run))


def _require_something_in_time(run: Run, supplement: Supplement) -> None:
    """Refuse to judge corrections that have not come, or that count as good because the window has let its five days go by."""
    items = [item.code for item in case_items.unanswered(run.case)]
    due = periods.supplement_due(run.session, run.case, items)
    if periods.supplied_at(run.session, run.case, supplement, items) is None:
        raise InvalidState(
            "Expected corrections to judge, but nothing has come in since the notice, or too late: "
            f"case {run.case.number} may be corrected until {periods.last_of(run.session, supplement)}"
        )
    if due is not None and due <= moments.now():
        raise InvalidState(
            f"Expected to judge the corrections within {periods.ACCEPTANCE_DAYS} working days, but they count as made: "
            "the scheduler takes them in a moment"
        )
