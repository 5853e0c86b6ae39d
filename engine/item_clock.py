"""The clock of an item (时限): start, pause, resume, extend, stop; and what its ledger says today.  `clock` does the counting.

The verbs write ledger rows, move `Item.clock`, and keep what the clock gives from then on (`dials`).  Their caller holds what governs the
item, writes the notice and the journal, and lets bound timers look again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, attributes

from engine import dials, followers, holidays, keys, long_pauses, moments, reads, states
from engine.actors import Actor
from engine.case_models import ClockEntry, Item, Notice
from engine.clock import Clock, DayUnit, EntryKind, Extension, Ledger, LimitKind, Pause, PauseKind, TimeLimit
from engine.columns import new_id
from engine.dials import Counted
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.states import ClockStatus


class Approver(StrEnum):
    """Who approved an extension (行政许可法 art. 42)."""

    ORGAN_HEAD = "organ_head"  #: 本行政机关负责人
    GOVERNMENT_HEAD = "government_head"  #: 本级人民政府负责人: only where several departments handle jointly


#: The most working days that each may add, once.
MOST_DAYS = {Approver.ORGAN_HEAD: 10, Approver.GOVERNMENT_HEAD: 15}


def start(session: Session, item: Item, *, actor: Actor, on: date | None = None) -> ClockEntry:
    """Start the clock today, or on an earlier day (`on`) when the law says so (deemed acceptance: the day of receipt).

    Raises InvalidInput for a day that is to come, InvalidState when the clock has started already.
    """
    on = on or dials.today()
    if on > dials.today():
        raise InvalidInput(f"Expected to start the clock of item {item.number} today or earlier, but {on} is to come")
    item.clock = states.move(item.clock, ClockStatus.RUNNING, _name(item))
    entry = _enter(session, item, EntryKind.STARTED, actor, on=on)
    attributes.set_committed_value(item, "clock_entries", [entry])
    keep(session, item, Ledger(started_on=on))  # it has no task yet
    return entry


def pause(
    session: Session, item: Item, *, kind: PauseKind, reason: str, days: int, notice: Notice, actor: Actor, on: date | None = None
) -> ClockEntry:
    """Pause the clock from today on, or an earlier day (`on`), for a special procedure (特别程序) that is to take `days` working days.

    The applicant must have been told so in writing (行政许可法 art. 45): `notice`.  Pauses may overlap; the id of the row
    that is returned is what `resume` asks for.
    """
    _require_reason(item, reason, to="pause")
    _require_notice(item, notice, to="pause")
    if days < 1:
        message = f"Expected to pause {_name(item)} for an estimate of at least one working day, but it is {days}"
        raise InvalidInput.of_field("days", message)
    if item.clock != ClockStatus.PAUSED:
        item.clock = states.move(item.clock, ClockStatus.PAUSED, _name(item))
    told: dict[str, Any] = {"days": days, "procedure": kind, "reason": reason.strip(), "notice_id": notice.id}
    return _changed(session, item, _enter(session, item, EntryKind.PAUSED, actor, on=on, **told))


def resume(session: Session, item: Item, *, pause_id: UUID | None = None) -> ClockEntry:
    """End one pause today (without `pause_id` the only one that is open); the clock runs again tomorrow unless another one is.

    Raises InvalidState when the clock is not paused, NotFound when that pause is not open, InvalidInput when several are and none is named.
    """
    if item.clock != ClockStatus.PAUSED:
        raise InvalidState(f"Expected to resume {_name(item)}, but it is {item.clock}", status=str(item.clock))
    opened = _open_pauses(session, item)
    if pause_id is None and len(opened) > 1:
        which = ", ".join(f"{entry.procedure} since {entry.on} ({entry.id})" for entry in opened)
        raise InvalidInput.of_field(
            "pause_id", f"Expected to be told which pause of {_name(item)} ends, but {len(opened)} are open: {which}"
        )
    ended = next((entry for entry in opened if pause_id in {None, entry.id}), None)
    if ended is None:
        raise NotFound(f"Expected {_name(item)} to have the open pause {pause_id}, but it has not")

    ended.until = dials.today()
    if len(opened) == 1:
        item.clock = states.move(item.clock, ClockStatus.RUNNING, _name(item))
    return _changed(session, item, ended)


def extend(session: Session, item: Item, *, days: int, approver: Approver, reason: str, notice: Notice, actor: Actor) -> ClockEntry:
    """Extend every limit of the item, once, before the last of them has run out (行政许可法 art. 42).

    `days`: working days, of which the item's own rule `extension` may allow the organ head fewer than the law does; 0: none.
    Raises InvalidInput and InvalidState.
    """
    _require_reason(item, reason, to="extend")
    _require_notice(item, notice, to="extend")
    _require_extendable(session, item)
    _require_within_power(session, item, days, approver)
    told: dict[str, Any] = {"days": days, "procedure": approver, "reason": reason.strip(), "notice_id": notice.id}
    return _changed(session, item, _enter(session, item, EntryKind.EXTENDED, actor, **told))


def stop(session: Session, item: Item, *, actor: Actor, on: date | None = None) -> ClockEntry:
    """Stop the clock today, or on the day on which the item was decided, or has ended otherwise.  Open pauses end with it.

    The caller tells (`followers`) what still shows the clock, or waits by it: usually nothing does.
    """
    opened = _open_pauses(session, item) if item.clock is ClockStatus.PAUSED else ()
    item.clock = states.move(item.clock, ClockStatus.STOPPED, _name(item))
    for entry in opened:
        entry.until = on or dials.today()
    entry = _enter(session, item, EntryKind.STOPPED, actor, on=on)
    if opened:
        keep(session, item, ledger(session, item))
        long_pauses.follow(session, item)
    else:
        dials.stop(item, entry.on)
    return entry


def ledgers(session: Session, items: Collection[UUID]) -> dict[UUID, Ledger]:
    """Read the ledgers of many items at once; items whose clock has not started are left out."""
    rows: dict[UUID, list[tuple[Any, str]]] = defaultdict(list)
    columns = (getattr(ClockEntry, name) for name in ("item_id", "kind", "on", "until", "days", "procedure", "reason"))
    query = select(*columns, func.coalesce(Notice.number, "").label("number")).outerjoin(Notice, ClockEntry.notice_id == Notice.id)
    for entry in session.execute(query.where(reads.among(session, ClockEntry.item_id, items))):
        rows[entry.item_id].append((entry, entry.number))
    found = {item: _ledger(entries) for item, entries in rows.items()}
    return {item: ledger for item, ledger in found.items() if ledger is not None}


def ledger(session: Session, item: Item) -> Ledger | None:
    """Read the ledger of one item, or take it from the session; None while its clock has not started."""
    if item not in session:
        return ledgers(session, [item.id]).get(item.id)
    return _ledger([(entry, entry.notice.number if entry.notice else "") for entry in item.clock_entries])


def limit(item: Item | Row[Any], kind: LimitKind) -> TimeLimit | None:
    """Give the limit of that kind as it was when the item was accepted; None when it has none."""
    for entry in item.limits:
        if entry["kind"] == kind:
            return TimeLimit(kind=kind, days=entry["days"], unit=DayUnit(entry.get("unit", DayUnit.WORKING)))
    return None


def of(session: Session, item: Item | Row[Any], found: Ledger | None, kind: LimitKind = LimitKind.PROMISED) -> Clock | None:
    """Give the clock that counts by a ledger to the limit of that kind; None when it has not started, or has no such limit."""
    rule = limit(item, kind)
    return None if found is None or rule is None else Clock(ledger=found, limit=rule, calendar=holidays.calendar(session))


def count(session: Session, item: Item | Row[Any], found: Ledger | None) -> Counted:
    """Count by a ledger (None: the clock has not started) what the clock of the item gives."""
    return dials.count(*(of(session, item, found, kind) for kind in (LimitKind.PROMISED, LimitKind.STATUTORY)))


# ── guards and rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _changed(session: Session, item: Item, entry: ClockEntry) -> ClockEntry:
    """After a change of the ledger: keep what the clock gives now, and tell whatever shows it or waits by it.  Returns the entry."""
    keep(session, item, ledger(session, item))
    followers.tell(session, item)
    if entry.kind == EntryKind.PAUSED or item.clock is ClockStatus.PAUSED:
        long_pauses.follow(session, item)
    return entry


def keep(session: Session, item: Item, found: Ledger | None) -> None:
    """Write into the row of the item what its clock gives by a ledger (None: it has not started)."""
    counted = count(session, item, found)
    dials.keep(item, counted.promise)
    last = counted.statute
    item.statutory_on, item.statutory_provisional = (last.date, last.provisional) if last else (None, False)


def _name(item: Item) -> str:
    return f"the clock of item {item.number}"


def _require_reason(item: Item, reason: str, *, to: str) -> None:
    if not reason.strip():
        raise InvalidInput.of_field("reason", f"Expected a reason to {to} {_name(item)}, but there is none")


def _require_notice(item: Item, notice: Notice, *, to: str) -> None:
    if notice.case_id != item.case_id:
        raise InvalidInput(f"Expected to {to} {_name(item)} with a notice of its case, but notice {notice.number} belongs to another")


def _require_extendable(session: Session, item: Item) -> None:
    if item.clock not in states.UNDER_WAY:
        raise InvalidState(f"Expected to extend {_name(item)} while it runs, but it is {item.clock}", status=str(item.clock))
    found = ledger(session, item)
    if found is None or not item.limits:
        raise InvalidState(f"Expected to extend a limit of item {item.number}, but it has none")
    if found.extensions:
        raise InvalidState(f"Expected to extend {_name(item)} once, but it was extended on {found.extensions[0].on}")
    clocks = [of(session, item, found, kind) for kind in LimitKind]
    ends = [clock.due() for clock in clocks if clock is not None]
    last = max((end.date for end in ends if end is not None), default=date.max)
    if None not in ends and last < dials.today():
        raise InvalidState(f"Expected to extend {_name(item)} before its limit has run out, but that was on {last}")


def _require_within_power(session: Session, item: Item, days: int, approver: Approver) -> None:
    most = MOST_DAYS[approver]
    if approver == Approver.ORGAN_HEAD:
        most = min(most, item.rules.get("extension", most))
    if most == 0:
        raise InvalidState(f"Expected to extend {_name(item)}, but the rules of {item.code} allow no extension")
    if not 1 <= days <= most:
        message = f"Expected to extend {_name(item)} by 1 to {most} working days with the consent of {approver}, but it is {days}"
        raise InvalidInput.of_field("days", message)
    if approver == Approver.GOVERNMENT_HEAD and not _is_joint(session, item):
        message = f"Expected to extend {_name(item)} with the consent of {approver} in joint handling, but one department handles alone"
        raise InvalidInput.of_field("approver", message)


def _is_joint(session: Session, item: Item) -> bool:
    """Tell whether several departments handle the case (统一办理、联合办理、集中办理)."""
    query = select(func.count(Item.department.distinct())).where(keys.same_case(Item, item))
    return session.scalars(query).one() > 1


def _open_pauses(session: Session, item: Item) -> Sequence[ClockEntry]:
    query = select(ClockEntry).where(keys.its(ClockEntry.item_id, item), ClockEntry.kind == EntryKind.PAUSED, ClockEntry.until.is_(None))
    return session.scalars(query.order_by(ClockEntry.id)).all()


def _enter(session: Session, item: Item, kind: EntryKind, actor: Actor, *, on: date | None = None, **particulars: object) -> ClockEntry:
    entry = ClockEntry(
        id=new_id(),
        **item.key,
        item_id=item.id,
        kind=kind,
        on=on or dials.today(),
        recorded_by=actor.name,
        recorded_at=moments.now(),
        **particulars,
    )
    session.add(entry)
    session.expire(item, ["clock_entries"])
    return entry


def _ledger(rows: Sequence[tuple[ClockEntry | Row[Any], str]]) -> Ledger | None:
    by_kind: dict[str, list[tuple[ClockEntry | Row[Any], str]]] = defaultdict(list)
    for entry, notice in rows:
        by_kind[entry.kind].append((entry, notice))
    if EntryKind.STARTED not in by_kind:
        return None
    started_on = by_kind[EntryKind.STARTED][0][0].on
    return Ledger(
        started_on=started_on,
        pauses=tuple(_pause(entry, notice, started_on) for entry, notice in by_kind[EntryKind.PAUSED]),
        extensions=tuple(_extension(entry, notice) for entry, notice in by_kind[EntryKind.EXTENDED]),
        stopped_on=next((max(entry.on, started_on) for entry, _ in by_kind[EntryKind.STOPPED]), None),
    )


def _pause(entry: ClockEntry | Row[Any], notice: str, started_on: date) -> Pause:
    # Nodes may disagree about midnight by a moment: what happened later never lies on an earlier day.
    since = max(entry.on, started_on)
    until = entry.until and max(entry.until, since)
    kind, reason = PauseKind(entry.procedure or PauseKind.OTHER), entry.reason or ""
    return Pause(since=since, until=until, kind=kind, reason=reason, notice=notice, days=entry.days)


def _extension(entry: ClockEntry | Row[Any], notice: str) -> Extension:
    return Extension(on=entry.on, days=entry.days or 0, reason=entry.reason or "", notice=notice)
