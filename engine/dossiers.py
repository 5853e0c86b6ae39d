"""Dossiers (案卷): everything that a case has, as far as it is the actor's to see.

A department sees its items, their materials, those still owed, and what was written about them; the rest of the bundle is hidden from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from engine import (
    case_items,
    cases,
    checklists,
    deadlines,
    definitions,
    holidays,
    item_clock,
    keys,
    lifecycle,
    materials,
    periods,
    rejections,
    worklists,
)
from engine.actors import Actor
from engine.case_models import Alert, Case, ClockEntry, Commitment, Item, Material, Notice, Package, Rating, Result, Supplement, Tolerance
from engine.clock import EntryKind
from engine.deadlines import Deadline
from engine.keys import Keyed
from engine.models import Entry, Hall, Incident, Instance
from engine.reads import Reading
from engine.rejections import Rejection
from engine.states import UNSETTLED
from engine.worklists import WorkEntry

#: What is read of a case in one go, in the order in which it came about.
_KINDS: tuple[type[Keyed], ...] = (ClockEntry, Notice, Result, Commitment, Package, Tolerance, Supplement, Alert, Rating)
_STANDING = (
    select(Incident)
    .join(Instance, keys.its(Incident.instance_id, Instance))
    .where(*keys.asked(Instance), Incident.resolved_at.is_(None))
    .order_by(Incident.id)
)
_KEPT = Reading(*(select(kind).where(*keys.asked(kind)).order_by(*kind.known_by) for kind in _KINDS), _STANDING)
_Kept = dict[type[Any], list[Any]]
#: What of a ledger is told: pauses and extensions.
_TOLD = {EntryKind.PAUSED, EntryKind.EXTENDED}


@dataclass(kw_only=True)
class Dossier:
    """One case, for one actor."""

    case: Case
    matter_name: str
    hall_name: str
    #: Number of the case that this one goes on from.
    previous: str | None
    #: What was answered; for a department, what its items are handled by.
    answers: Mapping[str, Any]
    #: Whether the actor sees the bundle, not only the items of a department.
    whole: bool
    items: list[Item]
    #: What the clocks say, by item number; and the bundle's own.
    deadlines: dict[str, Deadline]
    deadline: Deadline | None
    tasks: list[WorkEntry]
    materials: list[Material]
    #: What departments have said of them, by their running numbers.
    rejections: dict[int, list[Rejection]]
    #: Pauses and extensions, oldest first.
    ledger: list[ClockEntry]
    notices: list[Notice]
    results: list[Result]
    #: What failed and stands: the case waits there, however green its light.
    incidents: list[Incident]
    packages: list[Package] = field(default_factory=list)
    tolerances: list[Tolerance] = field(default_factory=list)
    supplements: list[Supplement] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    #: Materials that the applicant must still hand in for these items: [{code, name, tolerable, …}].
    missing: list[dict[str, Any]] = field(default_factory=list)
    rating: Rating | None = None
    #: Last days of promises and of notices of corrections, as they were told: those that hold now.
    last_days: Mapping[date, date] = field(default_factory=dict)
    #: Last days of the grace of promises, by the day that was told and the days of grace.
    grace_ends: Mapping[tuple[date, int], date] = field(default_factory=dict)


def read(session: Session, case: Case, actor: Actor) -> Dossier:
    """Gather a case."""
    whole, items = cases.sees_whole(case, actor), cases.items_for(case, actor)
    kept: _Kept = dict(zip((*_KINDS, Incident), _KEPT.all(session, case.key), strict=True))
    clocks_of = _deadlines(session, case, items, kept[ClockEntry])
    if not whole:
        standing, owed = _inside(session, case, items, kept[Incident]), _for_them(items, kept[Tolerance])
        kept = {**{kind: _about(items, rows) for kind, rows in kept.items()}, Incident: standing, Tolerance: owed}
    hall = session.get(Hall, case.hall) if case.hall else None
    previous = session.get(Case, case.previous_id) if case.previous_id else None
    dossier = Dossier(
        case=case,
        matter_name=definitions.get(session, case.definition_id).name,
        hall_name=hall.name if hall else "",
        previous=previous.number if previous else None,
        answers=case.answers if whole else checklists.answers_for(session, case, {item.code for item in items}),
        whole=whole,
        items=items,
        deadlines=clocks_of,
        deadline=deadlines.of_case(session, case),
        tasks=_tasks(session, case, items, whole=whole),
        materials=materials.of_case(session, case, None if whole else items),
        rejections=rejections.told(case, kept[Notice]),
        ledger=[entry for entry in kept[ClockEntry] if entry.kind in _TOLD],
        notices=kept[Notice],
        results=kept[Result],
        commitments=kept[Commitment],
        incidents=kept[Incident],
        tolerances=kept[Tolerance],
    )
    dossier.missing = _missing(dossier)
    if whole:
        _add_bundle(dossier, kept)
    dossier.last_days = _last_days(session, dossier)
    dossier.grace_ends = _grace_ends(session, dossier)
    return dossier


def journal(session: Session, case: Case, actor: Actor) -> Sequence[Entry]:
    """What happened, oldest first; for a department, to its items."""
    query = select(Entry).where(keys.same_case(Entry, case))
    if not cases.sees_whole(case, actor):
        query = query.where(Entry.instance_id.in_(_processes(case, cases.items_for(case, actor))))
    return session.scalars(query.order_by(Entry.at, Entry.instance_id, Entry.seq)).all()


def _deadlines(session: Session, case: Case, items: Sequence[Item], entries: Sequence[ClockEntry]) -> dict[str, Deadline]:
    for item in items:
        set_committed_value(item, "clock_entries", [entry for entry in entries if entry.item_id == item.id])
    return {item.number: deadlines.of_item(session, item, case.number, item_clock.ledger(session, item)) for item in items}


def _add_bundle(dossier: Dossier, kept: _Kept) -> None:
    dossier.packages, dossier.supplements, dossier.alerts = (kept[kind] for kind in (Package, Supplement, Alert))
    dossier.rating = next(iter(kept[Rating]), None)


def _last_days(session: Session, dossier: Dossier) -> Mapping[date, date]:
    owed: list[Tolerance | Supplement] = [*dossier.tolerances, *dossier.supplements]
    return {each.due_on: periods.last_of(session, each) for each in owed}


def _grace_ends(session: Session, dossier: Dossier) -> Mapping[tuple[date, int], date]:
    return {(each.due_on, each.grace_days): periods.grace_end(holidays.calendar(session), each) for each in dossier.tolerances}


def _missing(dossier: Dossier) -> list[dict[str, Any]]:
    """What the applicant must still hand in for the items that are shown; a department does not see what another one has rejected."""
    shown = {item.id for item in dossier.items}
    live = [item.code for item in case_items.live(dossier.case) if item.status in UNSETTLED and item.id in shown]
    there = {material.code for material in dossier.materials if lifecycle.is_usable(material, dossier.tolerances)}
    return checklists.missing(dossier.case.checklist, there, live)


def _tasks(session: Session, case: Case, items: Sequence[Item], *, whole: bool) -> list[WorkEntry]:
    mine = {item.number for item in items}
    return [task for task in worklists.of_case(session, case) if whole or task.item in mine]


def _inside(session: Session, case: Case, items: Sequence[Item], rows: list[Incident]) -> list[Incident]:
    """Keep what stands in the processes of these items."""
    if not rows:
        return rows
    mine = set(session.scalars(_processes(case, items)))
    return [row for row in rows if row.instance_id in mine]


def _processes(case: Case, items: Sequence[Item]) -> Select[UUID]:
    """The instances of these items of a case."""
    return select(Instance.id).where(keys.same_case(Instance, case), Instance.item_id.in_([item.id for item in items]))


def _for_them(items: Sequence[Item], tolerances: Sequence[Tolerance]) -> list[Tolerance]:
    """Keep the promises of what one of these items needs."""
    codes = {item.code for item in items}
    return [tolerance for tolerance in tolerances if codes.intersection(tolerance.used_by)]


def _about(items: Sequence[Item], rows: Sequence[Any]) -> list[Any]:
    """Keep what concerns these items."""
    mine = {item.id for item in items}
    return [row for row in rows if getattr(row, "item_id", None) in mine]
