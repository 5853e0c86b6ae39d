"""All that runs in a database, read at once: to ask for each table, and again for what the rows belong to, takes longer than most commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from bpmn.waits import WaitKind
from engine.case_models import Case, ClockEntry, Item, Recomputation, Tolerance
from engine.models import Instance, Task, TaskGroup
from engine.reads import Reading
from engine.verification.instance_rows import BESIDE, PROJECTED, InstanceRows, pick

#: Which rows of a table, and in which order.
Table = tuple[type, Sequence[ColumnElement[bool]], Sequence[Any]]
_BUNDLES: Sequence[Table] = (
    (Case, (), (Case.id,)),
    (Item, (), (Item.joined_at, Item.number)),
    (ClockEntry, (), (ClockEntry.id,)),
    (Tolerance, (), (Tolerance.id,)),
)
_INSTANCES: Sequence[Table] = ((Instance, (), (Instance.id,)), *((table, which, (order,)) for table, which, order in BESIDE.values()))
_WAITS: Sequence[Table] = tuple((table, which, (table.id,)) for table, which in PROJECTED.values())
_READING = Reading(
    *(select(table).where(*which).order_by(*order) for table, which, order in (*_BUNDLES, *_INSTANCES, *_WAITS)),
    select(TaskGroup).order_by(TaskGroup.task_id, TaskGroup.name),
    select(Recomputation.id).limit(1),
)


class Whole:
    """What there is, each row with what belongs to it."""

    def __init__(self, session: Session) -> None:
        *found, groups, recomputed = _READING.all(session, {})
        self.cases, items, ledger, tolerances, self._rows, *self._beside = found[: -len(PROJECTED)]
        self._waits = dict(zip(PROJECTED, found[-len(PROJECTED) :], strict=True))
        self._groups = _grouped(groups, "task_id")
        #: Whether a calendar was corrected: then what has stopped before keeps its dates.
        self.corrected = bool(recomputed)
        _give(self.cases, "items", items, by="case_id")
        _give(self.cases, "tolerances", tolerances, by="case_id")
        _give(items, "clock_entries", ledger, by="item_id")
        self._items = {item.id: item for item in items}

    def instances(self) -> Iterator[InstanceRows]:
        """Each instance, with what is written of it."""
        waits = {kind: _grouped(rows, "instance_id") for kind, rows in self._waits.items()}
        beside = {name: _grouped(rows, "instance_id") for name, rows in zip(BESIDE, self._beside, strict=True)}
        beside["children"] = _grouped(self._rows, "parent_id")
        cases = {case.id: case for case in self.cases}
        for row in self._rows:
            case, item = cases.get(row.case_id), self._items.get(row.item_id)
            yield pick(row, f"instance {row.id}", case, item, projected=waits, beside=beside)

    def tasks(self) -> Iterator[tuple[Task, list[str]]]:
        """Open tasks, each with its groups."""
        for task in self._waits[WaitKind.USER_TASK]:
            yield task, [group.name for group in self._groups[task.id]]


def _grouped(rows: Collection[Any], by: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, by)].append(row)
    return groups


def _give(owners: Collection[Any], name: str, rows: Collection[Any], *, by: str) -> None:
    """Let rows know what belongs to them, so that nobody asks for it."""
    belonging = _grouped(rows, by)
    for owner in owners:
        set_committed_value(owner, name, belonging[owner.id])
