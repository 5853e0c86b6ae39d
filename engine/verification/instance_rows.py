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
#: What else is written of an instance (`InstanceRows`): the table, which of its rows, and their order.
BESIDE: Mapping[str, tuple[Any, Sequence[ColumnElement[bool]], Any]] = {
    "entries": (Entry, [], Entry.seq),
    "incidents": (Incident, [Incident.resolved_at.is_(None)], Incident.id),
    "activities": (Activity, [Activity.ended_at.is_(None)], Activity.number),
    "jobs": (Job, [], Job.id),
}
#: Rows by the id of their instance.
Rows = Mapping[UUID, Sequence[Any]]


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

    def rows(table: type[Base], which: Sequence[ColumnElement[bool]], order: Any, by: str = "instance_id") -> Rows:
        found: dict[UUID, list[Any]] = defaultdict(list)
        for row in session.scalars(select(table).where(getattr(table, by).in_(ids), *which).order_by(order)):
            found[getattr(row, by)].append(row)
        return found

    projected = {kind: rows(table, which, table.id) for kind, (table, which) in PROJECTED.items()}
    beside = {name: rows(*each) for name, each in BESIDE.items()} | {"children": rows(Instance, [], Instance.id, by="parent_id")}
    query = select(Instance, Case, Item, Definition.key).outerjoin(Case, keys.same_case(Instance, Case))
    query = query.outerjoin(Item, keys.its(Instance.item_id, Item)).options(selectinload(Case.items).selectinload(Item.clock_entries))
    query = query.outerjoin(Definition, Definition.id == Instance.definition_id).where(Instance.id.in_(ids)).order_by(Instance.id)
    for row, case, item, key in session.execute(query):
        yield pick(row, f"instance {row.id} ({key}) of {case and case.number}", case, item, projected=projected, beside=beside)


def pick(
    row: Instance, about: str, case: Case | None, item: Item | None, *, projected: Mapping[WaitKind, Rows], beside: Mapping[str, Rows]
) -> InstanceRows:
    """Give an instance with what is written of it, out of what is written of many; `beside` has its children, too."""
    own = {name: found.get(row.id, ()) for name, found in beside.items()}
    waits = {kind: found.get(row.id, ()) for kind, found in projected.items()}
    return InstanceRows(row=row, about=about, case=case, item=item, projected=waits, **own)
