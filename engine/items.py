"""Items (事项办件): what a department or a window does to one of them, beside its diagram."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import (
    alerts,
    archive_search,
    archived_items,
    bundles,
    case_items,
    cases,
    commitments,
    department_events,
    execution,
    follow_on,
    instances,
    item_clock,
    jobs,
    journal,
    keys,
    lifecycle,
    materials,
    matters,
    moments,
    notices,
    outbox,
    postgresql,
    procedures,
    rejections,
    retrievals,
)
from engine.actors import Actor, Role
from engine.alerts import AlertKind
from engine.case_models import Case, Item
from engine.clock import Light, PauseKind
from engine.errors import Busy, InvalidInput, InvalidState, NotFound, Vanished
from engine.holdings import Held
from engine.item_clock import Approver
from engine.models import Instance
from engine.notices import NoticeKind
from engine.outbox import Topic
from engine.runs import Run
from engine.states import FAVOURABLE, REAPPLICABLE, UNSETTLED, DeliveryStatus, InstanceStatus, ItemStatus, SyncStatus, move


def get(session: Session, number: str, actor: Actor, *, retrieving: bool = False) -> Item:
    """Return an item by its number; raises NotFound, also for what is not the actor's, InvalidState when its case is in the archive.

    `retrieving`: a case that the actor may see is brought back out of the archive instead.
    """
    item = session.scalar(select(Item).where(Item.number == number))
    case = session.get_one(Case, item.case_id) if item else None
    if item is None and retrieving:
        item, case = _retrieve(session, number, actor)
    if item is None or case is None or not _may_see(case, item, actor):
        archive_search.require_hot(session, archive_search.case_of_item(session, number), actor)
        raise NotFound(f"Expected to find item {number}, but it does not exist or is not yours")
    return item


def _retrieve(session: Session, number: str, actor: Actor) -> tuple[Item | None, Case | None]:
    """Bring an item with its case back out of the archive, when it is there and the actor may see the case."""
    where = archive_search.case_of_item(session, number)
    if not archive_search.has(session, where, actor):
        return None, None
    case = retrievals.retrieve(session, where, actor=actor)
    if case is None:
        raise Vanished(f"Expected case {where} in the archive, but it has just come back out of it; try again")
    return session.scalar(select(Item).where(keys.same_case(Item, case), Item.number == number)), case


def pause(session: Session, item: Item, *, kind: PauseKind, reason: str, days: int, actor: Actor) -> Item:
    """Pause the item's clock for a special procedure (特别程序; domain rule 6): reason, estimated working days, written notice."""
    _require_department(item, actor, to="pause the clock")
    if kind is PauseKind.TOLERANCE_OVERDUE:
        raise InvalidInput.of_field(
            "kind", "Expected a procedure that a department begins, but an overdue material pauses the clock by itself"
        )
    with _running(session, item, actor=actor) as run:
        procedures.pause_by_hand(run, item, kind=kind, reason=reason, days=days)
    return item


def resume(session: Session, item: Item, *, actor: Actor, pause_id: UUID | None = None) -> Item:
    """End a pause today."""
    _require_department(item, actor, to="resume the clock")
    with _running(session, item, actor=actor) as run:
        entry = item_clock.resume(session, item, pause_id=pause_id)
        journal.record(session, run.row, actor=actor, what="clock resumed", item=item.number, procedure=entry.procedure)
    return item


def reject_material(session: Session, item: Item, no: int, *, reason: str, actor: Actor) -> Item:
    """Say that a material that was promised (容缺) and has come in is not good: it is owed again, and the applicant is told why.

    Raises InvalidState also when joint handling is over: its reminders and ends are drawn there.
    """
    _require_department(item, actor, to="reject a material")
    cases.require_reason(reason, to="reject a material")
    case = session.get_one(Case, item.case_id)
    row = _hold(session, case, item)
    instances.hold(session, item, case)
    rejections.reject(session, row, case, item, no, reason=reason, actor=actor)
    execution.throw(session, case, materials.SUPPLIED, actor=actor)  # what waits for others looks at its dates again
    if not execution.throw(session, case, matters.ITEMS_CHANGED, actor=actor):
        raise InvalidState(f"Expected to reject a material while case {case.number} is handled, but its results go out already")
    return item


def extend(session: Session, item: Item, *, days: int, approver: Approver, reason: str, actor: Actor) -> Item:
    """Extend the item's limits, once (domain rule 7), and tell the applicant."""
    _require_department(item, actor, to="extend the limit")
    with _running(session, item, actor=actor) as run:
        content = {"item": item.number, "days": days, "approver": approver, "reason": reason}
        notice = notices.issue(session, run.case, NoticeKind.EXTENSION, content, actor=actor, item=item)
        item_clock.extend(session, item, days=days, approver=approver, reason=reason, notice=notice, actor=actor)
        journal.record(session, run.row, actor=actor, what="limit extended", notice=notice.number, **content)
    return item


def revoke(session: Session, item: Item, *, reason: str, actor: Actor) -> Item:
    """Take a decision in the applicant's favour back that should not have been made (撤销, 行政许可法 art. 69).

    What was issued for it is void; what waits for it is blocked, what was built on it is to be looked at again.  A denial is none: the item
    is applied for again (`reapply`).
    """
    _require_department(item, actor, to="revoke the decision")
    cases.require_reason(reason, to="revoke the decision")
    case = session.get_one(Case, item.case_id)
    commitments.hold_checks(session, case, item)
    row = _hold(session, case, item)
    instances.hold(session, item, case)
    if item.status not in {ItemStatus.GRANTED, ItemStatus.ISSUED}:
        raise InvalidState(
            f"Expected to revoke what was granted in this case, but item {item.number} is {item.status}", status=str(item.status)
        )
    notice = commitments.revoke(session, case, row, item, reason=reason, actor=actor)
    journal.record(session, row, actor=actor, what="item revoked", item=item.number, notice=notice.number, reason=reason)
    message = f"事项 {item.number}（{item.name}）的决定已由 {actor.name} 撤销：{reason}"
    alerts.raise_alert(session, case, AlertKind.REVOKED, Light.RED, message, item=item)
    commitments.end(session, item, reason)
    commitments.end_checks(session, item, actor=actor)
    lifecycle.follow_up(session, case, actor=actor)
    if row.status is InstanceStatus.RUNNING:
        jobs.owe(session, jobs.MESSAGE, row, message=matters.ITEMS_CHANGED)
    return item


def withdraw(session: Session, item: Item, *, reason: str, actor: Actor) -> Item:
    """Take one item back, and tell the applicant; the rest of the bundle goes on (domain rule 10)."""
    cases.require_reason(reason, to="withdraw the item")
    case = session.get_one(Case, item.case_id)
    actor.require(Role.CLERK, Role.CHANNEL, Role.SUPERVISOR, to="withdraw the item", hall=case.hall)
    row = _hold(session, case, item)
    notice = cases.withdraw_item(session, case, item, reason=reason, actor=actor)
    journal.record(session, row, actor=actor, what="item withdrawn", item=item.number, notice=notice.number, reason=reason)
    return item


def reapply(session: Session, item: Item, *, actor: Actor) -> Case:
    """Apply for one ended item again (domain rule 14): a new number that names the old one, with the materials already there.

    While its bundle takes items the item joins it anew; afterwards, also when the results wait to be handed out, it goes to its department
    alone, in a case of its own.
    """
    case = session.get_one(Case, item.case_id)
    row = _hold(session, case, item)
    if item.status not in REAPPLICABLE:
        raise InvalidState(f"Expected to apply again for an item that ended without a result, but {item.number} is {item.status}")
    applied = select(Item.number).where(Item.previous_number == item.number, Item.origin != "imported")
    newer = session.scalar(applied) or archived_items.applied_again(session, item)
    if newer is not None:
        raise InvalidState(f"Expected to apply once more for item {item.number}, but that was done as {newer}", item=newer)
    live = next(other for other in case_items.live(case) if other.code == item.code)
    if live.status in UNSETTLED | FAVOURABLE:  # it has taken the place of this one
        raise InvalidState(f"Expected to apply again for {item.name}, but case {case.number} has it as {live.number}", item=live.number)
    if case.ended_at is None and follow_on.is_open(session, row, case_items.live(case)):
        return cases.request_follow_on(session, case, [item.code], actor=actor, previous=item)
    what = cases.Submission(region=case.region, matter=item.code, hall=case.hall or "", applicant=case.applicant, answers=case.answers)
    again = cases.submit(session, what, actor=actor, previous=item)
    materials.take_over(
        session, materials.usable(session, case), again, codes={m["code"] for m in again.checklist["materials"]}, actor=actor
    )
    return again


def deliver(session: Session, item: Item, *, outcome: DeliveryStatus, actor: Actor) -> Item:
    """Note how the delivery of a result went (domain rule 12): delivered, or failed and on its way back."""
    case = session.get_one(Case, item.case_id)
    actor.require(Role.CLERK, Role.SUPERVISOR, to="note a delivery", hall=case.hall)
    row = _hold(session, case, item)
    if item.issued_at is None:
        raise InvalidState(f"Expected to note the delivery of a result, but nothing was handed out for item {item.number} yet")
    item.delivery = move(item.delivery, outcome, f"the delivery of item {item.number}")
    journal.record(session, row, actor=actor, what=f"delivery {outcome}", item=item.number)
    if outcome is DeliveryStatus.FAILED:
        outbox.owe(session, case, Topic.RECONTACT, item=item.number, to=case.applicant.get("phone"))
    return item


def report(session: Session, item: Item, *, event_id: str, state: str, external_number: str | None, actor: Actor) -> Item:
    """Take what a department's own system says (domain rule 16); each event id counts once.

    What fits our status is acknowledged; what does not makes the item DIVERGED, and a person looks.
    """
    _require_department(item, actor, to="report for the item")
    if item.instance_id is None:
        row = _hold(session, session.get_one(Case, item.case_id), item)
    else:
        row = instances.lock(session, item.instance_id)
        keys.read_anew(session, Item, item.id, row)
    if not department_events.note(session, item, [(event_id, moments.now())]):
        return item
    _require_number_free(session, item, external_number)
    item.external_number = external_number or item.external_number
    target = SyncStatus.ACKED if state == item.status else SyncStatus.DIVERGED
    if item.sync is not target:
        item.sync = move(item.sync, target, f"the department's state of item {item.number}")
    journal.record(session, row, actor=actor, what="department reported", item=item.number, event=event_id, state=state)
    if target is SyncStatus.DIVERGED:
        message = f"部门系统状态 {state} 与事项 {item.number} 的状态 {item.status} 不一致"
        alerts.raise_alert(session, keys.get_one(session, Case, item.case_id, item), AlertKind.DIVERGED, Light.YELLOW, message, item=item)
    return item


def _hold(session: Session, case: Case, item: Item) -> Held:
    """Take the bundle of an item, and read the item anew; raises Busy when another bundle has just adopted it: that one is to be asked."""
    row = bundles.hold(session, case)
    if keys.read_anew(session, Item, item.id, case) is None:
        raise Busy(f"Expected item {item.number} to be in case {case.number}, but another one has just adopted it; try again")
    return row


def _require_number_free(session: Session, item: Item, external_number: str | None) -> None:
    if not external_number:
        return
    _hold_number(session, item.department, external_number)
    query = select(Item.number).where(Item.department == item.department, Item.external_number == external_number, Item.id != item.id)
    holder = session.scalar(query)
    if holder is not None:
        raise InvalidInput.of_field("external_number", f"Expected a number of this item alone, but item {holder} has it")


def _hold_number(session: Session, department: str, external_number: str) -> None:
    """Let nobody else take a department's number until this transaction ends: no key can tell, for items of two cases may lie apart."""
    if postgresql.is_behind(session):
        name = hashlib.sha256(f"{department} {external_number}".encode()).digest()
        postgresql.take(session.connection(), int.from_bytes(name[:8], signed=True))  # 8 bytes: what a lock is called by


def _running(session: Session, item: Item, *, actor: Actor) -> AbstractContextManager[Run]:
    """Run the item's own process, so that its timers see the new clock."""
    if item.instance_id is None or session.get_one(Instance, item.instance_id).status is not InstanceStatus.RUNNING:
        raise InvalidState(f"Expected item {item.number} to be in review, but it is {item.status}", status=str(item.status))
    return execution.running(session, item.instance_id, actor=actor)


def _require_department(item: Item, actor: Actor, *, to: str) -> None:
    actor.require(Role.OFFICER, Role.SYSTEM, Role.ADMIN, to=f"{to} of item {item.number}", department=item.department)


def _may_see(case: Case, item: Item, actor: Actor) -> bool:
    return cases.sees_whole(case, actor) or actor.has(Role.OFFICER, Role.SYSTEM, department=item.department)
