"""Everything that is written of an instance beside itself, read for many at once: for whoever looks whether it fits together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from bpmn.waits import WaitKind
from engine import keys
from engine.case_models import Case, Item
from engine.models import Activity, Base, Definition, Entry, ExternalTask, Incident, Instance, Job, Subscription, Task, Timer
from engine.schedule_models import Continuation
from engine.states import TaskStatus

#: The table that each kind of wait is projected to, and which of its rows.
PROJECTED: Mapping[WaitKind, tuple[Any, Sequence[ColumnElement[bool]]]] = {
    WaitKind.USER_TASK: (Task, [Task.status == TaskStatus.OPEN]),
    WaitKind.EXTERNAL_TASK: (ExternalTask, []),
    WaitKind.TIMER: (Timer, []),
    WaitKind.MESSAGE: (Subscription, [Subscription.kind == WaitKind.MESSAGE]),
    WaitKind.SIGNAL: (Subscription, [Subscription.kind == WaitKind.SIGNAL]),
    WaitKind.JOB: (Continuation, []),
}


@dataclass(frozen=True, kw_only=True)
class InstanceRows:
    """An instance, and what is written of it."""

    row: Instance
    #: Who it is, for people.
    about: str
    #: What it is about: its case with all items and their ledgers, and the item whose process it is.
    case: Case | None
    item: Item | None
    entries: Sequence[Entry]
    #: Rows that stand for its waits.
    projected: Mapping[WaitKind, Sequence[Any]]
    #: Incidents that stand.
    incidents: Sequence[Incident]
    #: Activities that last.
    activities: Sequence[Activity]
    jobs: Sequence[Job]
    #: Instances that it has called, ended ones among them.
    children: Sequence[Instance]


def read(session: Session, ids: Collection[UUID]) -> Iterator[InstanceRows]:
    """Read what is written of these instances; a few statements for all of them."""

    def rows(table: type[Base], *conditions: ColumnElement[bool], by: str = "instance_id", order: str = "id") -> dict[UUID, list[Any]]:
        found: dict[UUID, list[Any]] = defaultdict(list)
        query = select(table).where(getattr(table, by).in_(ids), *conditions).order_by(getattr(table, order))
        for row in session.scalars(query):
            found[getattr(row, by)].append(row)
        return found

    projected = {kind: rows(table, *which) for kind, (table, which) in PROJECTED.items()}
    entries, incidents = rows(Entry, order="seq"), rows(Incident, Incident.resolved_at.is_(None))
    activities, jobs, children = rows(Activity, Activity.ended_at.is_(None), order="number"), rows(Job), rows(Instance, by="parent_id")
    query = select(Instance, Case, Item, Definition.key).outerjoin(Case, keys.together(Instance, Case))
    query = query.outerjoin(Item, keys.its(Instance.item_id, Item)).options(selectinload(Case.items).selectinload(Item.clock_entries))
    query = query.outerjoin(Definition, Definition.id == Instance.definition_id).where(Instance.id.in_(ids)).order_by(Instance.id)
    for row, case, item, key in session.execute(query):
        yield InstanceRows(
            row=row,
            about=f"instance {row.id} ({key}) of {case and case.number}",
            case=case,
            item=item,
            entries=entries[row.id],
            projected={kind: found[row.id] for kind, found in projected.items()},
            incidents=incidents[row.id],
            activities=activities[row.id],
            jobs=jobs[row.id],
            children=children[row.id],
        )
