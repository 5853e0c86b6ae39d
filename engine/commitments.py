"""Commitments (告知承诺、容缺承诺): granted on the applicant's word, checked afterwards, revoked after a breach that is not repaired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.waits import Wait
from engine import (
    alerts,
    applicants,
    bundles,
    calendars,
    entered,
    holdings,
    holidays,
    imports,
    instances,
    jobs,
    journal,
    keys,
    moments,
    notices,
)
from engine.actors import Actor
from engine.alerts import AlertKind
from engine.case_models import Case, Commitment, Item, Notice, Result
from engine.clock import Light
from engine.errors import Busy, InvalidState
from engine.holdings import Held, HeldTask
from engine.models import Definition, Instance
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import FAVOURABLE, UNKEPT, CommitmentStatus, InstanceStatus, ItemStatus, move

#: Kind of the tasks in which a department checks, and checks again after a breach.
KIND = "post-check"
#: Process that carries the check afterwards; it goes on when the case is closed.
POST_CHECK = "post_check"
#: Its start when there is nothing to check any more: a promised material has not come.
TOLERANCE_EXPIRED = "tolerance_expired"


def plan_check(run: Run) -> None:
    """Owe a check within the days that the item's rule gives (消防: 20 working days after the decision)."""
    item = run.require_item("a commitment")
    days = item.rules.get("post_check")
    if not days:
        raise InvalidState(f"Expected item {item.number} to have a period for its check, but the table item_limits gives none")
    due_on = holidays.calendar(run.session).add(calendars.local_date(moments.now()), int(days))
    signer = applicants.signer(run.case.applicant)
    commitment = Commitment(
        **run.case.key, item_id=item.id, kind="informed", signed_by=signer, signed_at=moments.now(), verify_due_on=due_on
    )
    commitment.status = move(CommitmentStatus.MADE, CommitmentStatus.VERIFY_DUE, "the commitment")
    run.session.add(commitment)
    journal.record(run.session, run.row, actor=run.actor, what="post-check planned", item=item.number, due_on=due_on.isoformat())
    variables = {"post_check_days": int(days), "department": item.department}
    jobs.owe(run.session, jobs.START, run.row, process=POST_CHECK, item=str(item.id), variables=variables)


def rectify(run: Run, item: Item, material: str) -> bool:
    """Have its department order that a material is supplied which was promised for after the issue, and has not come (责令限期整改).

    The department keeps or revokes the result afterwards (domain rule 13); one that is about to check the item anyway is told.  Returns
    whether the applicant is still to be told of it: no order of its own follows then.
    """
    reason = f"容缺材料期满未补：{material}"
    alerts.raise_alert(
        run.session, run.case, AlertKind.BREACH, Light.YELLOW, f"事项 {item.number} 已出件，{reason}，责令限期整改", item=item
    )
    standing = _standing(run.session, item)
    if standing is not None:
        standing.findings = _more(standing, reason)
        return True
    signed = select(Commitment).where(keys.same_case(Commitment, run.case), Commitment.kind == "tolerance", Commitment.item_id.is_(None))
    promise = run.session.scalars(signed.order_by(Commitment.id.desc()).limit(1)).one()
    broken = Commitment(**run.case.key, item_id=item.id, kind="tolerance", signed_by=promise.signed_by, signed_at=promise.signed_at)
    broken.status, broken.findings = move(CommitmentStatus.MADE, CommitmentStatus.RECTIFYING, "the commitment"), reason
    run.session.add(broken)
    variables = {"department": item.department}
    jobs.owe(run.session, jobs.START, run.row, process=POST_CHECK, item=str(item.id), variables=variables, message=TOLERANCE_EXPIRED)
    return False


def order(run: Run, wait: Wait) -> None:
    """Tell the applicant in writing what is to be made good, and until when (责令限期整改): the token arrives where that is checked."""
    if run.item is None:
        return
    bundles.hold(run.session, run.case)  # as `verify` does: the numbers of notices are counted under it
    commitment = _standing(run.session, run.item)
    if commitment is None or commitment.status is not CommitmentStatus.RECTIFYING:
        return
    due_on = wait.task_due_at and calendars.local_date(wait.task_due_at - timedelta(seconds=1)).isoformat()
    content = {"items": [run.item.number], "reason": commitment.findings, "due_on": due_on, "remedies": notices.REMEDIES}
    notice = notices.issue(run.session, run.case, NoticeKind.RECTIFICATION, content, actor=run.actor, item=run.item)
    told = {"item": run.item.number, "notice": notice.number, "due_on": due_on}
    journal.record(run.session, run.row, actor=run.actor, what="rectification ordered", **told)


def verify(run: Run, _task: HeldTask, data: dict[str, Any]) -> None:
    """Take the result of a check: verified, breached (time to repair), or revoke (domain rule 13)."""
    item, findings = run.require_item("a commitment"), entered.text(data, "findings")
    outcome = entered.choice(data, "outcome", OUTCOMES)
    # A tolerance that expires finds more, and results are handed out, under the bundle's lock: of the two, one comes first.
    bundle = bundles.hold(run.session, run.case)
    commitment = _standing(run.session, item)
    if commitment is None:
        raise InvalidState(f"Expected item {item.number} to have a commitment that is not settled, but it has none")
    if OUTCOMES[outcome] is CommitmentStatus.REVOKED:
        _require_time_to_repair(item, commitment)
    commitment.status = move(commitment.status, OUTCOMES[outcome], f"the commitment of item {item.number}")
    commitment.findings = findings
    journal.record(run.session, run.row, actor=run.actor, what=f"post-check {outcome}", item=item.number, findings=commitment.findings)
    if commitment.status is CommitmentStatus.RECTIFYING:
        alerts.raise_alert(run.session, run.case, AlertKind.BREACH, Light.YELLOW, f"事项 {item.number} 承诺不实，限期整改", item=item)
    if commitment.status is CommitmentStatus.REVOKED and item.status in FAVOURABLE:  # else it was given back since: nothing is left of it
        reason = str(commitment.findings or "") or "承诺不实且逾期未整改"
        notice = revoke(run.session, run.case, bundle, item, reason=reason, actor=run.actor)
        alerts.raise_alert(run.session, run.case, AlertKind.BREACH, Light.RED, f"事项 {item.number} 已撤销", item=item)
        journal.record(run.session, run.row, actor=run.actor, what="item revoked", item=item.number, notice=notice.number)


def revoke(session: Session, case: Case, bundle: Held, item: Item, *, reason: str, actor: Actor) -> Notice:
    """Revoke a result (撤销): it is void; the applicant is told why, and so are bundles that use it.  The caller holds the bundle."""
    grounds = {"reason": reason, "remedies": notices.REMEDIES}
    item.status, item.reason = move(item.status, ItemStatus.REVOKED, f"item {item.number}"), grounds
    result = session.scalar(select(Result).where(keys.its(Result.item_id, item)))
    if result is not None:
        result.voided_at = moments.now()
    notice = notices.issue(session, case, NoticeKind.REVOCATION, {"item": item.number, **grounds}, actor=actor, item=item)
    imports.review(session, case, item)
    imports.tell(session, item, bundle)
    jobs.owe(session, jobs.REFRESH, bundle)  # less may be left to issue
    return notice


def is_due(session: Session, item: Item) -> bool:
    """Whether an item has something to check.  The caller holds the bundle, so that nobody revokes the result meanwhile."""
    return _standing(session, item) is not None


def end(session: Session, item: Item, reason: str) -> None:
    """End the commitment of an item whose decision was taken back for another reason: there is nothing left to check.

    One that was verified stays as it is.  The caller holds the bundle.
    """
    commitment = _standing(session, item)
    if commitment is None:
        return
    unchecked = commitment.status is CommitmentStatus.VERIFY_DUE
    commitment.findings = _more(commitment, f"{'未经核查，' if unchecked else ''}决定已撤销：{reason}")
    commitment.status = move(commitment.status, CommitmentStatus.REVOKED, f"the commitment of item {item.number}")


def hold_checks(session: Session, case: Case, item: Item) -> None:
    """Lock the processes of the checks that an item still has.  Locks go check before bundle: the caller takes the bundle afterwards."""
    for check in _open_checks(session, item):
        instances.lock(session, check, case)


def end_checks(session: Session, item: Item, *, actor: Actor) -> None:
    """End the checks of an item whose result was taken back; the caller has locked them (`hold_checks`), and then the bundle.

    Raises Busy when another check has begun in between: to wait for its lock now, while the bundle is held, could be a deadlock.
    """
    for check in _open_checks(session, item):
        if check not in holdings.of(session).rows:
            raise Busy(f"Expected to hold the checks of item {item.number}, but one has just begun; try again")
        instances.cancel(session, check, actor=actor, mappings=False)


def _open_checks(session: Session, item: Item) -> list[UUID]:
    of_checks = select(Definition.id).where(Definition.key == POST_CHECK)
    running = select(Instance.id).where(keys.its(Instance.item_id, item), Instance.status == InstanceStatus.RUNNING)
    return list(session.scalars(running.where(Instance.definition_id.in_(of_checks)).order_by(Instance.id)))


def _require_time_to_repair(item: Item, commitment: Commitment) -> None:
    """Raise InvalidState for a revocation before the applicant had time to repair the breach."""
    if commitment.status is not CommitmentStatus.RECTIFYING:
        raise InvalidState(
            f"Expected the commitment of item {item.number} to be rectifying before its result is revoked, but it is {commitment.status}",
            status=str(commitment.status),
        )


def _standing(session: Session, item: Item) -> Commitment | None:
    """The item's commitment that waits for a check, or to be made good; there is one at a time."""
    mine = keys.its(Commitment.item_id, item)  # the case has the index
    return session.scalar(select(Commitment).where(mine, Commitment.status.in_(UNKEPT)))


def _more(commitment: Commitment, finding: str) -> str:
    return f"{commitment.findings}；{finding}" if commitment.findings else finding


OUTCOMES = {
    "verified": CommitmentStatus.VERIFIED,
    "breached": CommitmentStatus.RECTIFYING,
    "revoke": CommitmentStatus.REVOKED,
}
