"""What is awaited (等待): why nothing can be done about an open task, or not all of it; read for a whole page of a worklist at once.

An applicant may have been asked for corrections (补正), may owe what he has promised (容缺), or the clock of the item may stand still.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, String, cast, or_, select
from sqlalchemy.orm import Session

from engine import calendars, holidays, keys, long_pauses, pages, periods, postgresql, reads
from engine.calendars import WorkingCalendar
from engine.case_models import Case, ClockEntry, Item, Material, Notice, Supplement, Tolerance
from engine.clock import EntryKind
from engine.hindrances import OWED_MATERIAL, Hindrance, HindranceKind
from engine.models import Task
from engine.reads import Reading
from engine.states import UNANSWERED, ClockStatus, SupplementStatus, TaskStatus

#: Kinds of tasks of a bundle: what corrections are waited for in, and what a promised material may hold back.
_CORRECTIONS, _HELD_BACK = "supplement", "issuance"
#: What is itself what the clock stands still for.
_PROCEDURE = "special-procedure"
#: What a worklist reads of a task: ids are texts, as the database makes them; `awaits`: whether anything may be, mostly not.
OF_TASK: tuple[Any, ...] = (
    *(cast(column, String).label(column.key) for column in (Task.case_id, Task.item_id)),
    Item.code,
    or_(
        Task.kind == _CORRECTIONS,
        Item.clock == ClockStatus.PAUSED,
        # PostgreSQL may answer EXISTS by reading all materials that are owed anywhere; of a case it looks for one.
        select(Tolerance.case_id)
        .where(keys.same_case(Tolerance, Task), OWED_MATERIAL)
        .limit(pages.first(1))
        .scalar_subquery()
        .is_not(None),
    ).label("awaits"),
)
_Told = Mapping[str, Sequence[Hindrance]]


def of_tasks(session: Session, rows: Collection[Row[Any]]) -> dict[UUID, list[Hindrance]]:
    """What is awaited of tasks of a worklist, by their ids (their rows have `OF_TASK`); of those that have ended nothing is."""
    some = [row for row in rows if row.status is TaskStatus.OPEN]
    if not some:
        return {}
    pauses, owed, corrections = _read(session, some)
    return {row.id: [*pauses.get(row.item_id, ()), *_owed(row, owed), *_corrected(row, corrections)] for row in some}


def _owed(row: Row[Any], owed: Mapping[str, Sequence[tuple[Collection[str], Hindrance]]]) -> Iterator[Hindrance]:
    """Materials that the item of a task needs, or that may hold back what a bundle hands out."""
    if row.item_id is not None or row.kind == _HELD_BACK:
        yield from (told for used_by, told in owed.get(row.case_id, ()) if row.item_id is None or row.code in used_by)


def _corrected(row: Row[Any], corrections: _Told) -> Sequence[Hindrance]:
    return corrections.get(row.case_id, ()) if row.kind == _CORRECTIONS else ()


def _read(session: Session, some: Collection[Row[Any]]) -> tuple[_Told, Mapping[str, list[tuple[Collection[str], Hindrance]]], _Told]:
    """Read pauses by item, materials that are owed by case, and by case what corrections are still waited for."""
    arrays = postgresql.is_behind(session)
    asked = {
        "owing": {row.case_id for row in some},
        "paused": {row.item_id for row in some if row.item_id and row.kind != _PROCEDURE},
        "correcting": {row.case_id for row in some if row.kind == _CORRECTIONS},
    }
    given = {name: reads.ids(ids, arrays=arrays) for name, ids in asked.items()}
    owed, paused, notices, checklists, waiting, handed_in = _reading(arrays=arrays).all(session, given)
    pauses, materials = defaultdict[str, list[Hindrance]](list), defaultdict[str, list[tuple[Collection[str], Hindrance]]](list)
    for item, procedure, reason, since, days in paused:
        due_on = long_pauses.last_day(session, since, days)
        pauses[item].append(Hindrance(kind=HindranceKind.PAUSE, name=procedure, groups=[], reason=reason, since=since, due_on=due_on))
    calendar = holidays.calendar(session)
    for case, used_by, name, due_on in owed:
        last = periods.last_day(calendar, due_on)
        materials[case].append((used_by, Hindrance(kind=HindranceKind.MATERIAL, name=name, groups=[], due_on=last)))
    needed, came = _needed(checklists, waiting), defaultdict[str, list[Sequence[Any]]](list)
    for case, *material in handed_in:
        came[case].append(material)
    lacking = {case: list(_lacking(calendar, notice, needed[case], came[case])) for case, *notice in notices}
    return pauses, materials, lacking


def _needed(checklists: Iterable[Sequence[Any]], waiting: Iterable[Sequence[Any]]) -> Mapping[str, set[str]]:
    """Codes of the materials, by case, that items need which nobody has answered yet; the others may have been withdrawn."""
    codes = defaultdict[str, set[str]](set)
    for case, code in waiting:
        codes[case].add(code)
    return {case: {m["code"] for m in checklist["materials"] if codes[case] & set(m["used_by"])} for case, checklist in checklists}


def _lacking(calendar: WorkingCalendar, notice: Sequence[Any], needed: set[str], came: Iterable[Sequence[Any]]) -> Iterator[Hindrance]:
    """What a notice asks for and has not come in time: when all has, it is the window that is waited for (`periods.supplied_at`)."""
    missing, defects, due_on, content, issued_at = notice
    last = periods.last_day(calendar, due_on)
    given = [(code, at, no) for code, at, no in came if at < calendars.end_of(last)]
    names = [m["name"] for m in missing if m["code"] in needed - {code for code, _at, _no in given}]
    there = content.get("received")
    if needed and defects and not any(at >= issued_at if there is None else no > there for _code, at, no in given):
        names.append(defects)
    yield from (Hindrance(kind=HindranceKind.SUPPLEMENT, name=name, groups=[], due_on=last) for name in names)


@functools.cache
def _reading(*, arrays: bool) -> Reading:
    """Build what reads them: `owing` and `correcting` are cases, `paused` are items."""
    owing, correcting = (functools.partial(reads.given, name=name, arrays=arrays) for name in ("owing", "correcting"))
    owed = (
        select(*reads.texts(Tolerance.case_id), Tolerance.used_by, Tolerance.name, Tolerance.due_on)
        .where(OWED_MATERIAL, owing(Tolerance.case_id))
        .order_by(Tolerance.due_on, Tolerance.id)
    )
    paused = (
        select(*reads.texts(ClockEntry.item_id), ClockEntry.procedure, ClockEntry.reason, ClockEntry.on, ClockEntry.days)
        .where(reads.given(ClockEntry.item_id, "paused", arrays=arrays))
        .where(ClockEntry.kind == EntryKind.PAUSED, ClockEntry.until.is_(None))
        .order_by(ClockEntry.id)
    )
    notices = (
        select(*reads.texts(Supplement.case_id), Supplement.missing, Supplement.defects, Supplement.due_on)
        .add_columns(Notice.content, Notice.issued_at)
        .join(Notice, keys.its(Supplement.notice_id, Notice))
        .where(Supplement.status == SupplementStatus.OPEN, correcting(Supplement.case_id))
    )
    checklists = select(*reads.texts(Case.id), Case.checklist).where(correcting(Case.id))
    waiting = select(*reads.texts(Item.case_id), Item.code).where(Item.status.in_(sorted(UNANSWERED)), correcting(Item.case_id))
    came = (
        select(*reads.texts(Material.case_id), Material.code, Material.handed_in_at, Material.no)
        .where(correcting(Material.case_id))
        .order_by(Material.no)
    )
    return Reading(owed, paused, notices, checklists, waiting, came)
