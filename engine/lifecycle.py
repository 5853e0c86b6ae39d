"""Life cycle of an item: the few moves that several verbs share, each with everything that belongs to it.

The caller holds the lock that governs the item: that of its own instance, once it has one, else that of the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.orm import Session

from engine import bundle_clock, calendars, case_items, dials, holdings, item_clock, journal, keys, matters, moments, notices, numbers
from engine.actors import Actor
from engine.case_models import Case, Item, Material, MaterialLink, Tolerance
from engine.notices import NoticeKind
from engine.states import FAVOURABLE, UNSETTLED, ClockStatus, ItemStatus, ToleranceStatus, move
from engine.writes import Writes

#: Ends after which an item that waits for this one will never begin.
_UNFAVOURABLE = frozenset(ItemStatus) - FAVOURABLE - UNSETTLED
_LINKS = MaterialLink.__table__
_HANDED_IN = select(Material.id, Material.code).where(*keys.asked(Material))
#: Condition: a department has rejected a material: a tolerance of its code is open, or has ended badly since it came in (decision 0027).
_REJECTED = exists().where(
    keys.same_case(Tolerance, Material),
    Tolerance.code == Material.code,
    Tolerance.status != ToleranceStatus.MET,
    or_(Tolerance.ended_at.is_(None), Tolerance.ended_at > Material.handed_in_at),
)
_USABLE = _HANDED_IN.where(~_REJECTED)
#: What is kept of an item as it was drawn; checklists of before 0.2 say nothing of its type.
_RULES = ("predecessors", "on_refusal", "extension", "post_check", "type", "result", "issuer")
_LINKED = select(MaterialLink.material_id, MaterialLink.item_id).where(
    *keys.asked(MaterialLink), MaterialLink.item_id.in_(bindparam("items", expanding=True))
)


def propose(session: Session, case: Case, entries: Iterable[dict[str, Any]], *, previous: Item | None = None) -> list[Item]:
    """Add items of the checklist to a case: as submitted, or, where the result is there already, as imported.

    `previous`: the item that is applied for again.
    """
    items = [
        _proposed(case, entry, number, previous=previous) for entry, number in zip(entries, numbers.next_items(session, case), strict=False)
    ]
    session.add_all(items)
    session.flush()
    session.expire(case, ["items"])
    return items


def _proposed(case: Case, entry: dict[str, Any], number: str, *, previous: Item | None) -> Item:
    imported = entry["action"] == "import"
    now = moments.now()
    return Item(
        number=number,
        **case.key,
        code=entry["code"],
        name=entry["name"],
        department=entry["department"],
        applicant_number=case.applicant_number,
        hall=case.hall,
        submitted_by=case.submitted_by,
        origin="imported" if imported else "native",
        mode=entry["mode"],
        status=ItemStatus.IMPORTED if imported else ItemStatus.SUBMITTED,
        previous_number=previous.number if previous else None,
        limits=entry["limits"],
        rules={key: entry[key] for key in _RULES if key in entry},
        received_on=calendars.local_date(now),
        joined_at=now,
    )


def accept(session: Session, case: Case, items: Sequence[Item], *, by: str, actor: Actor, on: date | None = None) -> None:
    """Accept items formally: distribute the materials, start the clocks; `on`: the day from which they count, if not today.

    An item that must wait for another one becomes `waiting`; its clock starts when the other is granted (domain rule 5).
    """
    now = moments.now()
    on = on or calendars.local_date(now)
    for item in items:
        waits = bool(case_items.open_predecessors(case, item))
        item.status = move(item.status, ItemStatus.WAITING if waits else ItemStatus.ACCEPTED, f"item {item.number}")
        item.accepted_at, item.accepted_by = now, by
        if not waits:
            item_clock.start(session, item, actor=actor, on=on)
    distribute(session, case, *items)
    start_bundle_clock(session, case, on)
    follow_up(session, case, actor=actor)  # what an item waits for may have ended already: then the token must find it blocked


def distribute(session: Session, case: Case, *items: Item) -> None:
    """Link what was handed in to the items that need it (材料分发); one upload serves every item."""
    used_by, key = {m["code"]: m["used_by"] for m in case.checklist["materials"]}, case.key
    linked = {tuple(row) for row in session.execute(_LINKED, {**key, "items": [item.id for item in items]})}
    writes = Writes()
    for material_id, code in session.execute(_HANDED_IN, key):
        its = [item.id for item in items if item.code in used_by.get(code, ()) and (material_id, item.id) not in linked]
        writes.insert(_LINKS, [{"material_id": material_id, "item_id": item_id, **key} for item_id in its])
    writes.run(session)


def handed_in(session: Session, case: Case) -> set[str]:
    """Return the codes of the materials that were handed in, and that no department has rejected."""
    return set(usable(session, case).values())


def usable(session: Session, case: Case) -> dict[UUID, str]:
    """Return the same materials: {id: code}."""
    return {row.id: row.code for row in session.execute(_USABLE, case.key)}


def is_usable(material: Material, tolerances: Iterable[Tolerance]) -> bool:
    """Whether no department has rejected a material, given all tolerances of its case: in Python what `_REJECTED` says in SQL."""
    its = [tolerance for tolerance in tolerances if tolerance.code == material.code and tolerance.status is not ToleranceStatus.MET]
    return all(tolerance.ended_at is not None and tolerance.ended_at <= material.handed_in_at for tolerance in its)


def end(session: Session, item: Item, status: ItemStatus, *, actor: Actor, reason: dict[str, Any] | None = None) -> None:
    """End an item with a status, and stop its clock: on the day of the decision, if it was decided, else today.

    What depends on it (items that wait for it, tolerances that only it needs) belongs to the bundle, where `follow_up` settles it.
    """
    item.status = move(item.status, status, f"item {item.number}")
    item.reason = reason or item.reason
    if item.clock is ClockStatus.NOT_STARTED:  # and it never will: its ledger stays empty
        item.clock = move(item.clock, ClockStatus.STOPPED, f"the clock of item {item.number}")
    elif item.clock is not ClockStatus.STOPPED:
        item_clock.stop(session, item, actor=actor, on=calendars.local_date(item.decided_at or moments.now()))


def break_off(session: Session, case: Case, item: Item, status: ItemStatus, *, actor: Actor, reason: str, error: str | None = None) -> None:
    """End an item that nobody has decided, and tell the applicant so in writing, with the reason (行政许可法 art. 38).

    `error`: its code, which only officers see.  The caller holds the bundle.
    """
    why = {"reason": reason} if error is None else {"reason": reason, "error": error}
    end(session, item, status, actor=actor, reason=why)
    kind = NoticeKind.RETURN if status is ItemStatus.RETURNED else NoticeKind.TERMINATION
    content = {"items": [item.number], "reason": reason, "outcome": str(status), "remedies": notices.REMEDIES}
    notice = notices.issue(session, case, kind, content, actor=actor, item=item)
    bundle = holdings.of(session).bundle(case.id)
    journal.record(session, bundle, actor=actor, what=f"item {status}", item=item.number, notice=notice.number, **why)


def follow_up(session: Session, case: Case, *, actor: Actor) -> None:
    """Settle what depends on items that ended: block items that waited for them, waive tolerances that nobody needs, close the case.

    The caller holds the bundle, so that departments which decide at the same time never write each other's rows.
    """
    _block_dependents(session, case, actor=actor)
    _waive_tolerances(case)
    live = case_items.live(case)
    waits = any(item.status in UNSETTLED | {ItemStatus.GRANTED} for item in live)
    if case.ended_at is None and live and not waits and not case_items.open_tolerances(case):
        close(session, case)


def close(session: Session, case: Case) -> None:
    """End a case, and with it the clock of its own promise."""
    case.ended_at = moments.now()
    if case.green_from is not None:
        dials.stop(case, calendars.local_date(case.ended_at))
        dials.show_on_tasks(session, case)


def start_bundle_clock(session: Session, case: Case, on: date) -> None:
    """Start the clock of the bundle's own promise, if by the policy of the matter (`clock_start`) now is the time."""
    if case.clock_started_on is not None or case.ended_at is not None:
        return
    policy = matters.of(session, case).clock_start
    undecided = any(item.status is ItemStatus.SUBMITTED for item in case_items.live(case))
    if policy == "ON_FIRST_ACCEPT" or (policy == "ON_ALL_ACCEPTED" and not undecided):
        case.clock_started_on = on
        dials.keep(case, bundle_clock.count(session, case).promise)
        if case.green_from is not None:
            dials.show_on_tasks(session, case)


def _block_dependents(session: Session, case: Case, *, actor: Actor) -> None:
    for item in case_items.live(case):
        blockers = [p for p in case_items.open_predecessors(case, item) if p.status in _UNFAVOURABLE]
        if item.status is ItemStatus.WAITING and blockers:
            names = "、".join(p.name for p in blockers)
            break_off(session, case, item, ItemStatus.BLOCKED, actor=actor, reason=f"前置事项未通过：{names}")
            _block_dependents(session, case, actor=actor)  # what waited for this one in turn
            return


def _waive_tolerances(case: Case) -> None:
    alive = {item.code for item in case_items.live(case) if item.status not in _UNFAVOURABLE}
    for tolerance in case_items.open_tolerances(case):
        if not alive & set(tolerance.used_by):
            case_items.end_tolerance(tolerance, ToleranceStatus.WAIVED)
