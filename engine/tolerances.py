"""Tolerances (容缺): minor materials that may follow later, with a date, a reminder and both outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import (
    alerts,
    applicants,
    calendars,
    case_items,
    commitments,
    dials,
    holidays,
    imports,
    instances,
    item_clock,
    jobs,
    journal,
    keys,
    lifecycle,
    moments,
    notices,
    periods,
    terms,
)
from engine.actors import Actor
from engine.alerts import AlertKind
from engine.case_models import Case, ClockEntry, Commitment, Item, Notice, Tolerance
from engine.clock import Light, PauseKind
from engine.errors import InvalidInput
from engine.models import Instance
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import UNDER_WAY, UNSETTLED, ItemStatus, ToleranceStatus, move

#: What the configured end of an unfulfilled tolerance makes of the items that needed the material.
ENDS = {"returned": ItemStatus.RETURNED, "terminated": ItemStatus.TERMINATED}
#: As what the applicant is told it.
_TOLD_AS = {"returned": NoticeKind.RETURN, "terminated": NoticeKind.TERMINATION}


def require_tolerable(run: Run, missing: list[dict[str, Any]], *, signed: bool) -> list[dict[str, Any]]:
    """Guard of acceptance with tolerance; returns what is tolerated.  Raises InvalidInput."""
    if not missing:
        message = f"Expected a missing material to tolerate, but case {run.case.number} is complete: accept it"
        raise InvalidInput.of_field("outcome", message)
    critical = [m for m in missing if not m["tolerable"]]
    if critical:
        raise InvalidInput(
            f"Expected only materials that may follow later to be missing, but {'、'.join(m['name'] for m in critical)} may not: "
            "hand in what is needed now",
            errors=[
                {"field": f"materials.{m['code']}", "message": f"Expected {m['name']} before acceptance, but it was not handed in"}
                for m in critical
            ],
        )
    if run.case.applicant.get("dishonest"):
        message = "Expected an applicant without unrepaired dishonesty, but this one is listed: tolerance is excluded"
        raise InvalidInput.of_field("outcome", message)
    if not signed:
        error = {"field": "commitment_signed", "message": "Expected the signed commitment, but it is not signed"}
        raise InvalidInput("Expected the applicant's signed commitment (容缺受理承诺书), but it is not signed", errors=[error])
    return missing


def promise(run: Run, missing: list[dict[str, Any]]) -> None:
    """Write down what was promised, until when, and the commitment that was signed."""
    now, calendar = moments.now(), holidays.calendar(run.session)
    listed = []
    standing = {tolerance.code: tolerance for tolerance in case_items.open_tolerances(run.case)}
    for material in missing:
        tolerance = standing.get(material["code"])
        if tolerance is not None:
            tolerance.used_by = sorted({*tolerance.used_by, *material["used_by"]})
        else:
            tolerance = Tolerance(
                **run.case.key,
                code=material["code"],
                name=material["name"],
                used_by=material["used_by"],
                until=material["until"],
                due_on=periods.material_due(run.session, run.case, material, calendars.local_date(now)),
                grace_days=int(material["grace_days"]),
            )
            if tolerance.due_on <= calendar.add(calendars.local_date(now), 1):
                tolerance.reminded_at = now  # by the notice of the promise itself: a second letter in the same minute says nothing more
            run.session.add(tolerance)
        listed.append({"code": tolerance.code, "name": tolerance.name, **terms.until(calendar, [tolerance])})
    signer = applicants.signer(run.case.applicant)
    run.session.add(Commitment(**run.case.key, kind="tolerance", signed_by=signer, signed_at=now))
    run.session.flush()
    run.session.expire(run.case, ["tolerances"])
    content = {"materials": listed, "consequence": terms.consequence(missing)}
    notice = notices.issue(run.session, run.case, NoticeKind.TOLERANCE, content, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="accepted with tolerance", notice=notice.number, materials=listed)


def meet(session: Session, case: Case, code: str) -> bool:
    """Close the tolerance that waits for a material which has come in, and let the clocks go on that it had paused."""
    tolerance = next((t for t in case_items.open_tolerances(case) if t.code == code), None)
    if tolerance is None:
        return False
    was_overdue = tolerance.status is ToleranceStatus.OVERDUE
    case_items.end_tolerance(tolerance, ToleranceStatus.MET)
    session.flush()
    if was_overdue:
        for item in _concerned(session, case, tolerance):
            _resume(session, case, item)
    return True


def remind(run: Run) -> None:
    """Remind the applicant of what is due soon: of each material once, and in one notice of all that is due on one day."""
    calendar = holidays.calendar(run.session)
    for last, soon in groupby(_due(run, "remind"), key=lambda tolerance: periods.last_day(calendar, tolerance.due_on)):
        due = list(soon)
        for tolerance in due:
            tolerance.reminded_at = moments.now()
        if calendars.end_of(last) <= moments.now():
            continue  # nobody was at work: that it is overdue is told just now
        content: dict[str, Any] = {"material": terms.names(due), **terms.until(calendar, due)}
        notice = notices.issue(run.session, run.case, NoticeKind.REMINDER, content, actor=run.actor)
        journal.record(run.session, run.row, actor=run.actor, what="tolerance reminded", notice=notice.number, **content)


def overdue(run: Run) -> None:
    """Note what did not come in time: pause the clocks of the items concerned, tell the applicant (domain rule 8).

    What was promised on the same terms is told in one notice, and the supervisor is alerted once.
    """
    late, calendar = list(_due(run, "due")), holidays.calendar(run.session)
    for tolerance in late:
        tolerance.status = move(tolerance.status, ToleranceStatus.OVERDUE, f"tolerance {tolerance.code}")
    for alike in terms.alike(calendar, late):
        content = terms.particulars(calendar, alike)
        notice = notices.issue(run.session, run.case, NoticeKind.TOLERANCE_OVERDUE, content, actor=run.actor)
        for item in _concerned(run.session, run.case, *alike):
            if item.clock in UNDER_WAY:
                _pause(run.session, item, alike, notice, actor=run.actor, last=periods.last_of(run.session, alike[0]))
                _wake(run.session, item)
        journal.record(run.session, run.row, actor=run.actor, what="tolerance overdue", notice=notice.number, **content)
    if late:
        alerts.raise_alert(run.session, run.case, AlertKind.TOLERANCE_OVERDUE, Light.YELLOW, f"容缺材料逾期未补：{terms.names(late)}")


def pause_from_the_start(session: Session, case: Case, item: Item, *, actor: Actor) -> None:
    """Pause a clock that has just started, or joined the case, if a material that its item needs is overdue already."""
    late = [t for t in case_items.open_tolerances(case) if t.status is ToleranceStatus.OVERDUE and item.code in t.used_by]
    calendar = holidays.calendar(session)
    for alike in terms.alike(calendar, late):
        notice = notices.issue(session, case, NoticeKind.TOLERANCE_OVERDUE, terms.particulars(calendar, alike), actor=actor, item=item)
        _pause(session, item, alike, notice, actor=actor)


def take_along(session: Session, source: Case, case: Case, item: Item, *, actor: Actor) -> None:
    """Let what was promised for an item that came alone be owed in the bundle that has adopted it, until the same day.

    Where the bundle has such a tolerance already, that one counts.  The caller holds both cases and the item, which was moved, with its
    materials, to the bundle.
    """
    promised, have = case_items.open_tolerances(source), lifecycle.handed_in(session, case)
    standing = {tolerance.code: tolerance for tolerance in case_items.open_tolerances(case)}
    for tolerance in promised:
        if tolerance.code in standing:
            standing[tolerance.code].used_by = sorted({*standing[tolerance.code].used_by, item.code})
        elif tolerance.code not in have:
            kept = ("code", "name", "until", "due_on", "grace_days", "status", "reminded_at")
            session.add(Tolerance(**case.key, used_by=[item.code], **{name: getattr(tolerance, name) for name in kept}))
        case_items.end_tolerance(tolerance, ToleranceStatus.WAIVED)
    if promised:
        signed = select(Commitment).where(keys.same_case(Commitment, source), Commitment.kind == "tolerance", Commitment.item_id.is_(None))
        for each in session.scalars(signed).all():
            session.add(Commitment(**case.key, kind=each.kind, signed_by=each.signed_by, signed_at=each.signed_at))
        session.flush()
        session.expire(case, ["tolerances"])
    if _pauses(session, item):
        _resume(session, case, item)
    elif item.clock in UNDER_WAY:
        pause_from_the_start(session, case, item, actor=actor)
        _wake(session, item)


def give_up(run: Run, outcome: str) -> None:
    """End the items whose material has not come within the grace period; nothing else of the bundle is undone.

    What was handed out already (the material might follow after the issue) is not taken back: its department orders that it is supplied.
    """
    if outcome not in ENDS:
        raise InvalidInput(f"Expected onething.outcome to be one of {', '.join(ENDS)}, but it is {outcome!r}")
    expired = list(_due(run, "grace"))
    for tolerance in expired:
        case_items.end_tolerance(tolerance, ToleranceStatus.EXPIRED)
    # What nobody has accepted yet was promised nothing: it is accepted with another promise, or not.
    accepted = (item for item in _concerned(run.session, run.case, *expired) if item.accepted_at is not None)
    for materials, items in _by_material(accepted, expired).items():
        reason = f"容缺材料未补：{materials}"
        for item in items:
            end_with_process(run, item, ENDS[outcome], reason={"reason": reason})
            imports.tell(run.session, item, run.row)
        _tell(run, _TOLD_AS[outcome], materials, items, reason=reason, outcome=outcome)
    issued = (item for item in case_items.live(run.case) if item.status is ItemStatus.ISSUED)
    for materials, items in _by_material(issued, expired).items():
        # Of the others an order with its last day follows, once its department has it (`commitments.order`).
        if untold := [item for item in items if commitments.rectify(run, item, materials)]:
            _tell(run, NoticeKind.RECTIFICATION, materials, untold, reason=f"容缺材料期满未补：{materials}", outcome="rectifying")
    lifecycle.follow_up(run.session, run.case, actor=run.actor)


def _by_material(items: Iterable[Item], expired: Sequence[Tolerance]) -> Mapping[str, list[Item]]:
    """Group items by the materials that they need and that have not come (named in one text); items that need none of them are left out.

    One notice names all of them: who is told of one material only brings that one, and is sent away again.
    """
    found = defaultdict[str, list[Item]](list)
    for item in items:
        if lacking := [tolerance for tolerance in expired if item.code in tolerance.used_by]:
            found[terms.names(lacking)].append(item)
    return found


def _due(run: Run, what: str) -> Iterator[Tolerance]:
    """Return the tolerances for which it is time, by the same moments that timers of the diagram are given (`functions`)."""
    calendar = holidays.calendar(run.session)
    for tolerance in case_items.open_tolerances(run.case):
        moment = periods.tolerance_due(calendar, tolerance, what)
        if moment is not None and moment <= moments.now():
            yield tolerance


def end_with_process(run: Run, item: Item, status: ItemStatus, *, reason: dict[str, Any]) -> None:
    """End an item together with its own process; the bundle is told by a job, as by any child that ends."""
    if item.instance_id is not None:
        instances.cancel(run.session, item.instance_id, actor=run.actor, mappings=False)
        jobs.owe(run.session, jobs.RESUME, run.row, child=str(item.instance_id))
    lifecycle.end(run.session, item, status, actor=run.actor, reason=reason)


def _tell(run: Run, kind: NoticeKind, materials: str, items: Sequence[Item], *, reason: str, outcome: str) -> None:
    """Tell the applicant what expired tolerances have come to, why, and what he may do against it (art. 38); write it down."""
    content: dict[str, Any] = {"material": materials, "items": [item.number for item in items], "reason": reason, "outcome": outcome}
    content["remedies"] = notices.REMEDIES
    notice = notices.issue(run.session, run.case, kind, content, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="tolerance expired", notice=notice.number, **content)


def _pause(session: Session, item: Item, alike: Iterable[Tolerance], notice: Notice, *, actor: Actor, last: date | None = None) -> None:
    """Pause the clock of an item for those of some materials that it needs: from today on.

    Where nobody may decide without one of them, and the item's own promise has ended with its `last` day, or after it: from that day on, of
    which the department had nothing.  Else it would be late for what the applicant owes.
    """
    for tolerance in (each for each in alike if item.code in each.used_by):
        reason, days = f"容缺材料逾期未补：{tolerance.name}", max(1, tolerance.grace_days)
        over = last is not None and terms.accounts_for(tolerance, item, last) and dials.light(item, dials.today()) is Light.RED
        told: dict[str, Any] = {"reason": reason, "days": days, "notice": notice, "actor": actor, "on": last if over else None}
        item_clock.pause(session, item, kind=PauseKind.TOLERANCE_OVERDUE, **told)


def _concerned(session: Session, case: Case, *tolerances: Tolerance) -> list[Item]:
    """Items of the case that need one of the materials and are not handed out yet."""
    codes = {code for tolerance in tolerances for code in tolerance.used_by}
    found = [item for item in case_items.live(case) if item.code in codes]
    for item in found:
        instances.hold(session, item, case)
    return [item for item in found if item.status in UNSETTLED or item.status is ItemStatus.GRANTED]


def _resume(session: Session, case: Case, item: Item) -> None:
    """End the pause that one missing material had caused, unless another one is still overdue."""
    others = [t for t in case_items.open_tolerances(case) if t.status is ToleranceStatus.OVERDUE and item.code in t.used_by]
    if not others:
        for pause_id in _pauses(session, item):
            item_clock.resume(session, item, pause_id=pause_id)
        _wake(session, item)


def _pauses(session: Session, item: Item) -> Sequence[UUID]:
    """Open pauses of an item's clock that missing materials have caused."""
    waits = ClockEntry.procedure == PauseKind.TOLERANCE_OVERDUE, ClockEntry.until.is_(None)
    return session.scalars(select(ClockEntry.id).where(keys.its(ClockEntry.item_id, item), *waits)).all()


def _wake(session: Session, item: Item) -> None:
    """Let the timers of the item's own process look at its clock again, by a job."""
    if item.instance_id is not None:
        jobs.owe(session, jobs.REFRESH, keys.get_one(session, Instance, item.instance_id, item))
