"""Intake (受理): the five dispositions of 行政许可法 art. 32."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from engine import case_items, checklists, entered, journal, lifecycle, moments, notices, periods, supplements, tolerances
from engine.case_models import Item
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import ClockStatus, ItemStatus

#: How an application is refused: no permit is needed (不受理), or it is not for this organ, or not in legal form (不予受理).
REFUSALS = ("not_required", "not_accepted")


def decide(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Dispose of what was submitted: `outcome` is accept, tolerate, supplement or refuse.

    Raises InvalidInput when the disposition does not fit what is missing, and InvalidState when it comes after the five days.
    """
    items = case_items.unanswered(run.case)
    require_time(run, task, items)
    outcome = entered.choice(data, "outcome", DISPOSITIONS)
    if outcome == "refuse" or (outcome == "supplement" and not supplements.may_repeat(run)):
        _require_not_corrected(run)
    DISPOSITIONS[outcome](run, items, data)


def require_time(run: Run, task: HeldTask, items: Sequence[Item]) -> None:
    """Refuse to dispose of what counts as accepted since its receipt (art. 32 (4)), where that is drawn: the scheduler is only late."""
    accepts = any(
        "acceptance_due" in element.event.when.calls
        for element in run.loaded.definition.elements.values()
        if element.attached_to == task.element and element.interrupting and element.event and element.event.when
    )
    received = {item.number: case_items.received_on(run.case, item) for item in items}
    late = [number for number, day in received.items() if periods.answer_due(run.session, day) <= moments.now()]
    if accepts and late:
        raise InvalidState(
            f"Expected to answer within {periods.ACCEPTANCE_DAYS} working days, but {'、'.join(late)} counts as accepted (视为受理): "
            "the scheduler does so in a moment"
        )


def missing(run: Run, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Materials that the applicant must hand in for these items, and has not."""
    have = lifecycle.handed_in(run.session, run.case)
    return checklists.missing(run.case.checklist, have, [item.code for item in items])


def accept(run: Run, items: Sequence[Item], _data: dict[str, Any]) -> None:
    """Accept: everything is there (art. 32 (5))."""
    lacking = missing(run, items)
    if lacking:
        critical = [material for material in lacking if not material["tolerable"]]
        rest = f"; {names(critical)} may not follow later" if critical else ", or let them follow later (outcome tolerate)"
        message = f"Expected to accept case {run.case.number}, but these materials are missing: {names(lacking)}: hand them in{rest}"
        raise InvalidInput(message, errors=checklists.as_errors(lacking))
    admit(run, items, by="clerk")


def accept_with_tolerance(run: Run, items: Sequence[Item], data: dict[str, Any]) -> None:
    """Accept although minor materials are missing (容缺受理), against a signed commitment with a date (domain rule 4)."""
    promised = tolerances.require_tolerable(run, missing(run, items), signed=data.get("commitment_signed") is True)
    admit(run, items, by="tolerance")
    tolerances.promise(run, promised)
    for item in (item for item in items if item.clock is ClockStatus.RUNNING):
        tolerances.pause_from_the_start(run.session, run.case, item, actor=run.actor)


def refuse(run: Run, items: Sequence[Item], data: dict[str, Any], *, lacking: Sequence[dict[str, Any]] = ()) -> None:
    """Refuse with reasons and remedies: no permit is needed (不受理), or it is not for this organ (不予受理; names the right one).

    What is `lacking` is told with it, once and all of it, where the applicant was not asked for it before.
    """
    kind, reason = entered.choice(data, "refusal_kind", REFUSALS), str(data.get("reason") or "").strip()
    if not reason:
        raise InvalidInput.of_field("reason", "Expected a reason for the refusal, but there is none")
    grounds = {"kind": kind, "reason": reason, "competent_organ": data.get("competent_organ"), "remedies": notices.REMEDIES}
    if not items:  # all were withdrawn or adopted meanwhile: nobody is told that nothing is refused
        return
    for item in items:
        lifecycle.end(run.session, item, ItemStatus.REFUSED, actor=run.actor, reason=grounds)
    asked = {"missing": [{"code": m["code"], "name": m["name"]} for m in lacking]} if lacking else {}
    content = {"items": [i.number for i in items], **grounds, **asked}
    notice = notices.issue(run.session, run.case, NoticeKind.REFUSAL, content, actor=run.actor)
    _record(run, "case refused", items, notice=notice.number, reason=reason)


def admit(run: Run, items: Sequence[Item], *, by: str, on: date | None = None) -> None:
    """Accept these items and say so in writing."""
    lifecycle.accept(run.session, run.case, items, by=by, actor=run.actor, on=on)
    if not items:  # all were withdrawn or adopted meanwhile: what was adopted goes on
        return
    listed = [{"number": i.number, "name": i.name, "department": i.department, "limits": i.limits} for i in items]
    notice = notices.issue(run.session, run.case, NoticeKind.ACCEPTANCE, {"items": listed, "basis": by}, actor=run.actor)
    _record(run, "case accepted", items, notice=notice.number, basis=by)


def names(materials: Sequence[dict[str, Any]]) -> str:
    """Names of materials, for a sentence."""
    return "、".join(m["name"] for m in materials)


def _require_not_corrected(run: Run) -> None:
    """What was corrected as asked must be accepted: nothing new may be asked (art. 32 (4), (5); domain rule 3)."""
    if supplements.was_answered(run.session, run.case):
        raise InvalidState(f"Expected to accept case {run.case.number}, but another disposition was chosen after all corrections came in")


def _supplement(run: Run, items: Sequence[Item], data: dict[str, Any]) -> None:
    defects = entered.text(data, "defects")
    concerned = entered.among(items, data, "defect_items") if data.get("defect_items") else []
    if concerned and not (defects or "").strip():
        raise InvalidInput.of_field("defects", "Expected what is wrong with these items, but nothing is said of it")
    supplements.issue(run, items, missing(run, items), defects=defects, concerned=concerned)


def _record(run: Run, what: str, items: Sequence[Item], **details: Any) -> None:
    journal.record(run.session, run.row, actor=run.actor, what=what, items=[i.number for i in items], **details)


#: What `outcome` may be.
DISPOSITIONS = {"accept": accept, "tolerate": accept_with_tolerance, "supplement": _supplement, "refuse": refuse}
