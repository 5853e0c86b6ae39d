"""Hindrances (原因): what open items, and bundles, wait for now; read for a whole page of deadlines at once.

A department is told no more of its items than their dossier shows it.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, func, literal_column, or_, select
from sqlalchemy.orm import Session

from engine import calendars, cases, definitions, holidays, keys, long_pauses, periods, postgresql, reads, visibility
from engine.actors import Actor
from engine.case_models import Item, Tolerance
from engine.clock import Ledger
from engine.models import ExternalTask, Incident, Instance, Task, TaskGroup
from engine.reads import Reading
from engine.states import OWED


class HindranceKind(StrEnum):
    """What something waits for, in the order in which it is told."""

    PAUSE = "pause"  #: 暂停: a special procedure, or the applicant
    MATERIAL = "material"  #: 容缺材料: promised, and not handed in yet
    SUPPLEMENT = "supplement"  #: 补正: asked for by the notice of corrections, and not there yet
    INCIDENT = "incident"  #: 异常: something failed and stands
    TASK = "task"  #: 任务: somebody must act
    SYSTEM = "system"  #: 部门系统: a program must
    ITEM = "item"  #: 事项: of a bundle, not decided yet


class Hindrance(NamedTuple):
    """One thing that is waited for."""

    kind: HindranceKind
    #: Kind of the pause, name of the material, what else is to be corrected, in words; name of the task, the item or the element that
    #: failed, topic of what a program must do.
    name: str
    #: Who must act; for an item, and for a program, its department.
    groups: list[str]
    #: Why the clock is paused.
    reason: str | None = None
    #: First day; None: of a material, and of an item that is not accepted yet.
    since: date | None = None
    #: Last day on which the material may come, or of what the applicant was told that the pause will take.
    due_on: date | None = None
    #: Who has claimed the task.
    assignee: str | None = None


#: What was read, by the id of its case, or of its item: each with what says whose it is.
_Some = Sequence[tuple[Any, Hindrance]]
_Told = Mapping[str, _Some]
#: Condition: a promised material has not come.
OWED_MATERIAL = Tolerance.status.in_([literal_column(f"'{status}'") for status in OWED])


def of_page(
    session: Session, actor: Actor, items: Collection[Row[Any]], bundles: Collection[Row[Any]], ledgers: Mapping[str, Ledger]
) -> dict[str, list[Hindrance]]:
    """What each item (`id case_id code hall submitted_by`) and each bundle (`id hall submitted_by`) waits for, by its id.

    Ids are texts, as the database makes them.  All is asked at once, however many there are.  `ledgers`: of the items that are paused.
    """
    if not items and not bundles:
        return {}
    whole = {row.id for row in bundles if cases.sees_whole(row, actor)}
    work, incidents, undecided, owed = _read(session, items, bundles)
    found = {}
    for row in items:
        materials = (told for used_by, told in owed.get(row.case_id, ()) if row.code in used_by)
        failed = (told for (item, _department), told in incidents.get(row.case_id, ()) if item == row.id)
        found[row.id] = [*_pauses(session, ledgers.get(row.id)), *materials, *failed, *_each(work, row.id)]
    departments = actor.departments()
    for row in bundles:
        if row.id in whole:  # tasks of its items are told with these; whoever does not see the bundle is told of the items that are his
            found[row.id] = [each for some in (owed, incidents, work, undecided) for each in _each(some, row.id)]
        else:
            its = [*incidents.get(row.id, ()), *undecided.get(row.id, ())]
            found[row.id] = [told for (item, which), told in its if item and (departments is None or which in departments)]
    return found


def _each(some: _Told, of: str) -> Iterator[Hindrance]:
    return (told for _whose, told in some.get(of, ()))


def _pauses(session: Session, ledger: Ledger | None) -> Iterator[Hindrance]:
    for pause in ledger.pauses if ledger else ():
        if pause.until is None:
            due_on = long_pauses.last_day(session, pause.since, pause.days)
            yield Hindrance(kind=HindranceKind.PAUSE, name=pause.kind, groups=[], reason=pause.reason, since=pause.since, due_on=due_on)


def _read(session: Session, items: Collection[Row[Any]], bundles: Collection[Row[Any]]) -> tuple[_Told, ...]:
    """Read what people and programs are to do, by item, or by bundle; by case incidents, undecided items of bundles, and materials owed."""
    arrays = postgresql.is_behind(session)
    asked: dict[str, Collection[str]] = {"items": [row.id for row in items], "bundles": [row.id for row in bundles]}
    asked["concerned"] = {*asked["bundles"], *(row.case_id for row in items)}
    given = {name: reads.ids(each, arrays=arrays) for name, each in asked.items()}
    tasks, systems, incidents, undecided, owed = _reading(arrays=arrays).all(session, given)
    return (
        _work(tasks, systems),
        _by_case(
            (case, (item, department), _told(HindranceKind.INCIDENT, _named(session, definition_id, element), at))
            for case, item, definition_id, element, at, department in incidents
        ),
        _by_case(
            (case, (item, department), _told(HindranceKind.ITEM, name, at, f"department-{department}"))
            for case, item, name, at, department in undecided
        ),
        _by_case(
            (case, used_by, Hindrance(kind=HindranceKind.MATERIAL, name=name, groups=[], due_on=_last_day(session, due_on)))
            for case, used_by, name, due_on in owed
        ),
    )


def _last_day(session: Session, told: date) -> date:
    """The last day on which a material may come, as it holds now."""
    return periods.last_day(holidays.calendar(session), told)


def _named(session: Session, definition_id: str, element: str) -> str:
    """Call an element as the drawing does; one without a name by its id."""
    found = definitions.get(session, UUID(definition_id)).definition.elements.get(element)
    return (found.name if found else "") or element


def _told(kind: HindranceKind, name: str, at: datetime | None, *groups: str, assignee: str | None = None) -> Hindrance:
    return Hindrance(kind=kind, name=name, groups=[*groups], since=at and calendars.local_date(at), assignee=assignee)


def _work(tasks: Iterable[Sequence[Any]], systems: Iterable[Sequence[Any]]) -> _Told:
    """Make one of the rows of a task, of which there is one for each of its groups; what programs are to do stands behind."""
    found, told = defaultdict[str, list[tuple[Any, Hindrance]]](list), dict[str, Hindrance]()
    for id_, case, item, name, at, group, assignee in tasks:
        groups = [group] if group else []
        if id_ in told:
            told[id_].groups.extend(groups)
        else:
            told[id_] = _told(HindranceKind.TASK, name, at, *groups, assignee=assignee)
            found[item or case].append((id_, told[id_]))
    for case, item, topic, at, department in systems:
        found[item or case].append((None, _told(HindranceKind.SYSTEM, topic, at, *([f"department-{department}"] if department else []))))
    return found


def _by_case(rows: Iterable[tuple[str, Any, Hindrance]]) -> _Told:
    found = defaultdict[str, list[tuple[Any, Hindrance]]](list)
    for case, whose, told in rows:
        found[case].append((whose, told))
    return found


@functools.cache
def _reading(*, arrays: bool) -> Reading:
    """Build what reads them, the longest there first, materials the soonest due; `concerned` are the cases of items and bundles."""
    concerned = functools.partial(reads.given, name="concerned", arrays=arrays)
    group = func.coalesce(TaskGroup.name, Task.sole_group)
    tasks = (
        select(*reads.texts(Task.id, Task.case_id, Task.item_id), Task.name, Task.created_at, group.label("group_name"), Task.assignee)
        .outerjoin(TaskGroup, keys.its(TaskGroup.task_id, Task))
        .where(visibility.OPEN_TASK, concerned(Task.case_id))
        .where(or_(Task.item_id.is_(None), reads.given(Task.item_id, "items", arrays=arrays)))
        .order_by(Task.id, group)
    )
    systems = (  # one that has failed for good is an incident
        select(*reads.texts(ExternalTask.case_id, ExternalTask.item_id), ExternalTask.topic, ExternalTask.created_at, Item.department)
        .outerjoin(Item, keys.its(ExternalTask.item_id, Item))
        .where(func.coalesce(ExternalTask.retries, 1) > 0, concerned(ExternalTask.case_id))
        .where(or_(ExternalTask.item_id.is_(None), reads.given(ExternalTask.item_id, "items", arrays=arrays)))
        .order_by(ExternalTask.id)
    )
    incidents = (
        select(
            *reads.texts(Incident.case_id, Instance.item_id, Instance.definition_id),
            *(Incident.element, Incident.raised_at, Item.department),
        )
        .join(Instance, keys.its(Incident.instance_id, Instance))
        .outerjoin(Item, keys.its(Instance.item_id, Item))
        .where(Incident.resolved_at.is_(None), concerned(Incident.case_id))
        .order_by(Incident.id)
    )
    undecided = (
        select(*reads.texts(Item.case_id, Item.id), Item.name, Item.accepted_at, Item.department)
        .where(visibility.OPEN_ITEM, reads.given(Item.case_id, "bundles", arrays=arrays))
        .order_by(Item.id)
    )
    owed = (
        select(*reads.texts(Tolerance.case_id), Tolerance.used_by, Tolerance.name, Tolerance.due_on)
        .where(OWED_MATERIAL, concerned(Tolerance.case_id))
        .order_by(Tolerance.due_on, Tolerance.id)
    )
    return Reading(tasks, systems, incidents, undecided, owed)
