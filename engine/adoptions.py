"""Adoptions (接续): an item that was handled alone joins a bundle; while it runs with its clock untouched, when finished as its result."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from engine import (
    applicants,
    archived_items,
    bundles,
    case_items,
    department_events,
    holdings,
    instances,
    jobs,
    journal,
    keys,
    lifecycle,
    long_pauses,
    materials,
    matters,
    moments,
    moved_dates,
    numbers,
    retractions,
    tolerances,
)
from engine.actors import Actor
from engine.case_models import Case, Item, Material, MaterialLink, Result
from engine.errors import Busy, EngineError, InvalidState, NotFound
from engine.holdings import Held
from engine.models import Instance, Job, Task
from engine.states import FAVOURABLE, REAPPLICABLE, UNSETTLED, ClockStatus, InstanceStatus, ItemStatus

#: What to do about an item that ended without a result.
_ANEW = "let it join as a new item (follow-on)"
#: How many items of a case are named, at most.
_NAMED = 10


def find(session: Session, number: str, applicant: Mapping[str, Any]) -> Item:
    """Find an item of the same applicant, also in the archive, by its number or that of its certificate, however that was typed.

    Raises NotFound, also for an item of another applicant, and InvalidState when the certificate is void.
    """
    typed = number.strip()
    mine = select(Item).where(Item.applicant_number == applicant["id_number"]).order_by(Item.id)
    for meant in dict.fromkeys((typed, unicodedata.normalize("NFKC", typed))):
        issued = mine.join(Result, keys.its(Result.item_id, Item)).where(Result.number == meant, Result.voided_at.is_(None))
        item = session.scalar(mine.where(Item.number == meant)) or session.scalar(issued.limit(1))
        if item is not None and not applicants.is_same(_case_of(session, item).applicant, applicant):
            item = None
        if item := item or archived_items.find(session, meant, applicant):
            return item
    raise _unknown(session, meant, applicant)


def _case_of(session: Session, item: Item) -> Case:
    return keys.get_one(session, Case, item.case_id, item)


def _unknown(session: Session, number: str, applicant: Mapping[str, Any]) -> EngineError:
    """Say what to look for instead: the number may be that of a case or a notice, or of what does not count any more."""
    mine = select(Item).where(Item.applicant_number == applicant["id_number"]).order_by(Item.id)
    void = mine.join(Result, keys.its(Result.item_id, Item)).where(Result.number == number)
    near = mine.where(Item.number.startswith(f"{number.partition('-')[0]}-", autoescape=True))
    gone, there = (
        [item.number for item in session.scalars(some) if applicants.is_same(_case_of(session, item).applicant, applicant)]
        for some in (void.limit(1), near.limit(_NAMED))
    )
    if gone:
        return InvalidState(f"Expected a result that counts, but {number} is void (item {gone[0]}): {_ANEW}", item=gone[0])
    told = "、".join(there)
    instead = f": the items of that case are {told}" if told else ""
    return NotFound(f"Expected an item of this applicant, by its number or that of what was issued, but {number} is none{instead}")


def hold(session: Session, item: Item) -> Case | None:
    """Lock an item for an adoption, after the bundle of the case where it is now: of two that want it, the second finds it taken.

    Returns that case; None: the item is in the archive.  Raises Busy when it has just been archived.
    """
    if is_archived(session, item):
        archived_items.hold(session, item)
        return None
    number = item.number
    try:
        session.refresh(item)
    except InvalidRequestError as error:  # its row is gone
        raise Busy(f"Expected to find item {number} where it was, but it has just been archived; try again") from error
    source = session.get_one(Case, item.case_id)
    if source.matter == matters.SINGLE_ITEM or source.ended_at is not None:
        bundles.hold(session, source)
        instances.hold(session, item)
    return source


def is_archived(session: Session, item: Item) -> bool:
    """Tell whether an item that was found is in the archive."""
    return item not in session


def attach(session: Session, case: Case, item: Item, *, actor: Actor) -> Item:
    """Bring an item into a bundle.  The caller holds the bundle's lock.

    Raises InvalidState when another bundle has it (`case` names it), when it has ended without a result, or when the bundle already
    handles such an item.
    """
    source = hold(session, item)
    if item.status in REAPPLICABLE:
        raise _unfit(item, f": {_ANEW}")
    _require_free(session, case, item)
    if item.status not in (FAVOURABLE if source is None else (UNSETTLED | FAVOURABLE) - {ItemStatus.CORRECTING}):
        raise _unfit(item)
    _replace_proposal(session, case, item, actor=actor)
    if source is None or item.status in FAVOURABLE:
        return _import(session, case, item, actor=actor)
    _move(session, source, case, item, actor=actor)
    return item


def _require_free(session: Session, case: Case, item: Item) -> None:
    holder = session.get(Case, item.case_id)
    finished = holder is None or (item.status in FAVOURABLE and holder.ended_at is not None)
    if holder is not None and holder.matter != matters.SINGLE_ITEM and not finished:
        if holder.id == case.id:
            raise InvalidState(f"Expected item {item.number} to join case {case.number}, but it is there already", case=case.number)
        raise _in_use(item, holder.number)
    query = select(Case.number).join(Item, keys.same_case(Item, Case)).where(Item.previous_number == item.number, Case.ended_at.is_(None))
    taken = session.scalar(query)
    if taken is not None:
        raise _in_use(item, taken)
    live = _live(case, item.code)
    if live is not None and (live.status in FAVOURABLE or (live.status in UNSETTLED and _has_begun(live))):
        # A submission that is refused leaves no case: what it has imported is known by the number that it has elsewhere.
        known = live.previous_number if live.status is ItemStatus.IMPORTED and live.previous_number else live.number
        own = live.origin == "native" and live.status in UNSETTLED  # what came alone, too, is the applicant's to choose from
        instead = f": withdraw that first (POST /items/{known}/withdraw), if {item.number} is to count" if own else ""
        raise InvalidState(f"Expected the bundle not to handle {item.name} yet, but it does as {known}{instead}", item=known)


def _unfit(item: Item, instead: str = "") -> InvalidState:
    message = f"Expected item {item.number} to run or to have a result, but it is {item.status}{instead}"
    return InvalidState(message, status=str(item.status))


def _in_use(item: Item, number: str) -> InvalidState:
    message = f"Expected item {item.number} to be free, but case {number} has it (已在办): its result can be adopted when that has ended"
    return InvalidState(message, case=number)


def _live(case: Case, code: str) -> Item | None:
    return next((item for item in case_items.live(case) if item.code == code), None)


def _has_begun(item: Item) -> bool:
    """Whether an item is more than proposed: the dispatcher has called it, or it has run since before it was adopted."""
    return item.dispatched_at is not None or item.instance_id is not None


def _import(session: Session, case: Case, item: Item, *, actor: Actor) -> Item:
    """Add an item to the bundle that shows the result of a finished one (已取得); that stays where it is."""
    imported = Item(
        number=next(numbers.next_items(session, case)),
        **case.key,
        adopted_from_id=item.case_id,
        previous_number=item.number,
        code=item.code,
        name=item.name,
        department=item.department,
        applicant_number=item.applicant_number,
        hall=case.hall,
        submitted_by=case.submitted_by,
        origin="imported",
        mode=item.mode,
        status=ItemStatus.IMPORTED,
        limits=item.limits,
        rules=item.rules,
        received_on=item.received_on,
        joined_at=moments.now(),
        result=item.result,
        decided_at=item.decided_at,
        decided_by=item.decided_by,
    )
    session.add(imported)
    session.flush()
    session.expire(case, ["items"])
    source = session.get(Case, item.case_id)
    have = archived_items.materials(session, item) if source is None else materials.usable(session, source)
    _take_materials(session, have, case, actor=actor)
    return imported


def _move(session: Session, source: Case, case: Case, item: Item, *, actor: Actor) -> None:
    """Take the item with everything that is its own into the bundle, and close the case it came alone in."""
    alone = instances.lock(session, instances.of_case(session, source).id)
    if item.instance_id is not None:
        child = instances.lock(session, item.instance_id)
        jobs.lock(session, keys.same_case(Job, child), Job.instance_id.in_(_lock_called(session, source, child.id)))
        child.parent_id = child.parent_wait = None
        child.region, child.case_id, child.number, child.matter = case.region, case.id, case.number, case.matter
        child.hall, child.submitted_by = case.hall, case.submitted_by
        holdings.of(session).write()
    if item.status is ItemStatus.SUBMITTED:
        item.received_on = case_items.received_on(source, item)  # the five days for an answer go on as they began
    # What was handed in stays in its case; the bundle gets a copy of what it needs.
    session.execute(delete(MaterialLink).where(keys.its(MaterialLink.item_id, item)))
    reported = department_events.take(session, item)  # what the bundle knows from another item is not brought along
    item.region, item.case_id, item.adopted_from_id = case.region, case.id, source.id
    item.hall, item.submitted_by = case.hall, case.submitted_by
    item.origin, item.joined_at, item.dispatched_at = "continued", moments.now(), None
    session.flush()
    told = {"matter": case.matter, "hall": case.hall, "submitted_by": case.submitted_by}
    session.execute(update(Task).where(keys.its(Task.item_id, item)).values(**told))
    session.expire_all()  # whatever refers to the process or the item has gone to the bundle with them
    department_events.note(session, item, reported)
    _take_materials(session, materials.usable(session, source), case, actor=actor)
    lifecycle.distribute(session, case, item)
    tolerances.take_along(session, source, case, item, actor=actor)
    if item.clock is ClockStatus.PAUSED:
        long_pauses.follow(session, item)
        retractions.follow_pauses(session, [case.id])
    if moved_dates.recount(session, item):
        jobs.owe(session, jobs.REFRESH, instances.lock(session, item.instance_id) if item.instance_id else alone)
    journal.record(session, alone, actor=actor, what="item adopted by a bundle", item=item.number, case=case.number)
    _close(session, alone, source, actor=actor)


def _lock_called(session: Session, case: Case, caller: UUID) -> list[UUID]:
    """Lock everything that a process has called, which goes along with it, parent before child.  Returns the ids, its own first."""
    called = select(Instance.id).where(keys.same_case(Instance, case), Instance.parent_id == caller).order_by(Instance.id)
    found = session.scalars(called.with_for_update(key_share=True)).all()
    return [caller, *(each for one in found for each in _lock_called(session, case, one))]


def _take_materials(session: Session, have: Sequence[Material], case: Case, *, actor: Actor) -> None:
    """Copy what was handed in with the item, as far as the bundle needs it: it is not asked for again."""
    materials.take_over(session, have, case, codes={m["code"] for m in case.checklist["materials"]}, actor=actor)


def _close(session: Session, alone: Held, source: Case, *, actor: Actor) -> None:
    if alone.status is InstanceStatus.RUNNING:
        instances.cancel(session, alone.id, actor=actor, mappings=False)
    if source.ended_at is None:
        lifecycle.close(session, source)


def _replace_proposal(session: Session, case: Case, item: Item, *, actor: Actor) -> None:
    proposal = _live(case, item.code)
    if proposal is not None and proposal.status in UNSETTLED:
        lifecycle.end(session, proposal, ItemStatus.WITHDRAWN, actor=actor, reason={"reason": f"由接续件 {item.number} 替代"})
