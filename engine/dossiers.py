"""Dossiers (案卷): everything that a case has, as far as it is the actor's to see.

A department sees its items, their materials and what was written about them; the rest of the bundle is not there for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine import cases, checklists, deadlines, definitions, functions, materials, supplements, worklists
from engine.actors import Actor
from engine.case_models import Alert, Case, ClockEntry, Commitment, Item, Material, Notice, Package, Rating, Result, Supplement, Tolerance
from engine.clocks import EntryKind
from engine.deadlines import Deadline
from engine.models import Entry, Hall, Instance
from engine.states import UNSETTLED
from engine.worklists import WorkEntry


@dataclass(kw_only=True)
class Dossier:
    """One case, for one actor."""

    case: Case
    matter_name: str
    hall_name: str
    #: Number of the case that this one goes on from.
    previous: str | None
    #: Whether the actor sees the bundle, not only the items of a department.
    whole: bool
    items: list[Item]
    #: What the clocks say, by item number; and the bundle's own.
    deadlines: dict[str, Deadline]
    deadline: Deadline | None
    tasks: list[WorkEntry]
    materials: list[Material]
    #: Pauses and extensions, oldest first.
    ledger: list[ClockEntry]
    notices: list[Notice]
    results: list[Result]
    packages: list[Package] = field(default_factory=list)
    tolerances: list[Tolerance] = field(default_factory=list)
    supplements: list[Supplement] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    #: Materials that the applicant must still hand in: [{code, name, tolerable, …}].
    missing: list[dict[str, Any]] = field(default_factory=list)
    rating: Rating | None = None


def read(session: Session, case: Case, actor: Actor) -> Dossier:
    """Gather a case."""
    whole, items = cases.sees_whole(case, actor), cases.items_for(case, actor)
    clocks_of = deadlines.of_items(session, [(item, case.number) for item in items])
    hall = session.get(Hall, case.hall) if case.hall else None
    previous = session.get(Case, case.previous_id) if case.previous_id else None
    dossier = Dossier(
        case=case,
        matter_name=definitions.get(session, case.definition_id).name,
        hall_name=hall.name if hall else "",
        previous=previous.number if previous else None,
        whole=whole,
        items=items,
        deadlines={item.number: found for item, found in zip(items, clocks_of, strict=True)},
        deadline=deadlines.of_case(session, case),
        tasks=_tasks(session, case, items, whole=whole),
        materials=materials.of_case(session, case, None if whole else items),
        ledger=_all(
            session, _of_items(select(ClockEntry), ClockEntry, items).where(ClockEntry.kind.in_((EntryKind.PAUSED, EntryKind.EXTENDED)))
        ),
        notices=_all(session, _of(select(Notice), Notice, case, items, whole=whole)),
        results=_all(session, _of_items(select(Result), Result, items)),
        commitments=_all(session, _of(select(Commitment), Commitment, case, items, whole=whole)),
    )
    if whole:
        _add_bundle(session, dossier)
    return dossier


def journal(session: Session, case: Case, actor: Actor) -> Sequence[Entry]:
    """What happened, oldest first; for a department, to its items."""
    items = [item.id for item in cases.items_for(case, actor)]
    mine = Entry.instance_id.in_(select(Instance.id).where(Instance.item_id.in_(items)))
    wanted = Entry.case_id == case.id if cases.sees_whole(case, actor) else mine
    return session.scalars(select(Entry).where(wanted).order_by(Entry.at, Entry.instance_id, Entry.seq)).all()


def _add_bundle(session: Session, dossier: Dossier) -> None:
    case = dossier.case
    dossier.packages = _all(session, select(Package).where(Package.case_id == case.id))
    dossier.tolerances = _all(session, select(Tolerance).where(Tolerance.case_id == case.id))
    dossier.supplements = supplements.of_case(session, case)
    dossier.alerts = deadlines.alerts_of(session, case)
    dossier.rating = session.get(Rating, case.id)
    live = [item.code for item in functions.live_items(case) if item.status in UNSETTLED]
    dossier.missing = checklists.missing(case.checklist, {material.code for material in dossier.materials}, live)


def _tasks(session: Session, case: Case, items: Sequence[Item], *, whole: bool) -> list[WorkEntry]:
    mine = {item.number for item in items}
    return [task for task in worklists.of_case(session, case.id) if whole or task.item in mine]


def _all(session: Session, query: Any) -> list[Any]:
    return list(session.scalars(query.order_by("id")))


def _of_items(query: Select[Any], table: Any, items: Sequence[Item]) -> Select[Any]:
    return query.where(table.item_id.in_([item.id for item in items]))


def _of(query: Select[Any], table: Any, case: Case, items: Sequence[Item], *, whole: bool) -> Select[Any]:
    """Rows of the case; for a department, those that concern its items."""
    return query.where(table.case_id == case.id) if whole else _of_items(query, table, items)
