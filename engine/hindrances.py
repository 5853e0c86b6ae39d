"""Hindrances (原因): what open items, and bundles, wait for now; read for a whole page of deadlines at once.

A department is told of its items what a dossier shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Row, String, func, literal_column, null, or_, select, union_all
from sqlalchemy.orm import Session

from engine import calendars, cases, keys, visibility
from engine.actors import Actor
from engine.case_models import Item, Tolerance
from engine.clock import Ledger
from engine.models import Incident, Instance, Task, TaskGroup
from engine.reads import among
from engine.states import ToleranceStatus


class HindranceKind(StrEnum):
    """What something waits for, in the order in which it is told."""

    PAUSE = "pause"  #: 暂停: a special procedure, or the applicant
    MATERIAL = "material"  #: 容缺材料: promised, and not handed in yet
    INCIDENT = "incident"  #: 异常: something failed and stands
    TASK = "task"  #: 任务: somebody must act
    ITEM = "item"  #: 事项: of a bundle, not decided yet


@dataclass(frozen=True, kw_only=True)
class Hindrance:
    """One thing that is waited for."""

    kind: HindranceKind
    #: Kind of the pause, name of the material, the task or the item, element of the incident.
    name: str
    #: Why the clock is paused.
    reason: str | None = None
    #: First day; None: of a material, and of an item that is not accepted yet.
    since: date | None = None
    #: Last day on which the material may come.
    due_on: date | None = None
    #: Who must act; for an item, its department.
    groups: list[str] = field(default_factory=list)
    #: Who has claimed the task.
    assignee: str | None = None


_Rows = Mapping[UUID, Sequence[Row[Any]]]
_STANDING = (HindranceKind.TASK, HindranceKind.INCIDENT, HindranceKind.ITEM)
_ORDER = {kind: place for place, kind in enumerate(HindranceKind)}
_OWED = Tolerance.status.in_([literal_column(f"'{status}'") for status in (ToleranceStatus.OPEN, ToleranceStatus.OVERDUE)])


def of_page(
    session: Session, actor: Actor, items: Collection[Row[Any]], bundles: Collection[Row[Any]], ledgers: Mapping[UUID, Ledger]
) -> dict[UUID, list[Hindrance]]:
    """What each item (`id case_id code hall submitted_by`) and each bundle (`id hall submitted_by`) waits for, by its id.

    Two statements, however many they are.
    """
    whole = {row.case_id for row in items if cases.sees_whole(row, actor)} | {row.id for row in bundles if cases.sees_whole(row, actor)}
    standing, owed = _standing(session, items, bundles), _owed(session, whole)
    found = {row.id: [*_of_item(row, standing[row.case_id], owed[row.case_id], ledgers.get(row.id))] for row in items}
    return found | {row.id: [*_of_bundle(standing[row.id], owed[row.id], actor, whole=row.id in whole)] for row in bundles}


def _of_item(item: Row[Any], standing: Sequence[Row[Any]], owed: Sequence[Row[Any]], ledger: Ledger | None) -> Iterator[Hindrance]:
    for pause in ledger.pauses if ledger else ():
        if pause.until is None:
            yield Hindrance(kind=HindranceKind.PAUSE, name=pause.kind, reason=pause.reason, since=pause.since)
    yield from _materials(row for row in owed if item.code in row.used_by)
    yield from _told(row for row in standing if row.item_id == item.id and row.kind != HindranceKind.ITEM)


def _of_bundle(standing: Sequence[Row[Any]], owed: Sequence[Row[Any]], actor: Actor, *, whole: bool) -> Iterator[Hindrance]:
    """Tasks of items are told with these; whoever does not see the bundle is told of the items that are his."""
    yield from _materials(owed)
    if whole:
        yield from _told(row for row in standing if row.kind != HindranceKind.TASK or row.item_id is None)
        return
    departments = actor.departments()
    mine = (row for row in standing if row.item_id is not None and (departments is None or row.department in departments))
    yield from _told(row for row in mine if row.kind != HindranceKind.TASK)


def _materials(owed: Iterable[Row[Any]]) -> Iterator[Hindrance]:
    return (Hindrance(kind=HindranceKind.MATERIAL, name=row.name, due_on=row.due_on) for row in owed)


def _told(rows: Iterable[Row[Any]]) -> list[Hindrance]:
    """Make one of the rows of a task, of which there is one for each of its groups."""
    found = dict[UUID, Hindrance]()
    for row in rows:
        if row.id not in found:
            since = row.at and calendars.local_date(row.at)
            found[row.id] = Hindrance(kind=HindranceKind(row.kind), name=row.name, since=since, assignee=row.assignee)
        if row.group_name:
            found[row.id].groups.append(f"department-{row.group_name}" if row.kind == HindranceKind.ITEM else row.group_name)
    return sorted(found.values(), key=lambda each: _ORDER[each.kind])


def _standing(session: Session, items: Collection[Row[Any]], bundles: Collection[Row[Any]]) -> _Rows:
    """Read open tasks, standing incidents, and items of bundles that are not decided, by case."""
    if not items and not bundles:
        return defaultdict(list)
    query = _query(session, [row.id for row in items], {row.id for row in bundles}, {row.case_id for row in items})
    return _by_case(session.execute(query.order_by("id", "group_name")))


def _query(session: Session, items: Collection[UUID], bundles: Collection[UUID], of_items: Collection[UUID]) -> CompoundSelect[Any]:
    concerned = {*bundles, *of_items}
    task, incident, item = (literal_column(f"'{kind}'", String).label("kind") for kind in _STANDING)
    group, nowhere = func.coalesce(TaskGroup.name, Task.sole_group).label("group_name"), null().label("department")
    tasks = (
        select(task, Task.id, Task.case_id, Task.item_id, Task.name, Task.created_at.label("at"), group, Task.assignee, nowhere)
        .outerjoin(TaskGroup, keys.its(TaskGroup.task_id, Task))
        .where(visibility.OPEN_TASK, among(session, Task.case_id, concerned))
        .where(or_(Task.item_id.is_(None), among(session, Task.item_id, items)))
    )
    told = Incident.id, Incident.case_id, Instance.item_id, Incident.element, Incident.raised_at
    incidents = (
        select(incident, *told, null(), null(), Item.department)
        .join(Instance, keys.its(Incident.instance_id, Instance))
        .outerjoin(Item, keys.its(Instance.item_id, Item))
        .where(Incident.resolved_at.is_(None), among(session, Incident.case_id, concerned))
    )
    known = Item.id, Item.case_id, Item.id.label("item_id"), Item.name, Item.accepted_at, Item.department
    undecided = select(item, *known, null(), Item.department).where(visibility.OPEN_ITEM, among(session, Item.case_id, bundles))
    return union_all(tasks, incidents, undecided)


def _owed(session: Session, concerned: Collection[UUID]) -> _Rows:
    """Read the materials that were promised and have not come, by case, the soonest due first."""
    if not concerned:
        return defaultdict(list)
    query = select(*(getattr(Tolerance, name) for name in ("case_id", "name", "used_by", "due_on")))
    query = query.where(_OWED, among(session, Tolerance.case_id, concerned)).order_by(Tolerance.due_on, Tolerance.id)
    return _by_case(session.execute(query))


def _by_case(rows: Iterable[Row[Any]]) -> _Rows:
    found = defaultdict[UUID, list[Row[Any]]](list)
    for row in rows:
        found[row.case_id].append(row)
    return found
