"""Returns: what an instance leaves to the one that has called it when it ends, and how that one is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, select
from sqlalchemy.orm import Session

from engine import definitions, holdings, instances, jobs, keys, large_values, lifecycle, postgresql, uncaught, variables
from engine.case_models import Item
from engine.errors import InvalidState
from engine.holdings import COLUMNS, INSTANCES, Held
from engine.instances import LOCKING
from engine.models import Instance
from engine.reads import Read
from engine.runs import Run
from engine.states import InstanceStatus, ItemStatus

#: The largest number of a lock.
_LARGEST = (1 << 63) - 1


class Ended(NamedTuple):
    """What the one that has called an instance asks of it when it has ended; nobody writes it any more."""

    id: UUID
    item_id: UUID | None
    parent_id: UUID | None
    parent_wait: int | None
    status: InstanceStatus
    variables: dict[str, Any]
    types: dict[str, Any]
    large: dict[str, str] | None
    end: str | None
    error: str | None


_ENDED = Read(
    [INSTANCES.c[name] for name in Ended._fields],
    select(INSTANCES).where(INSTANCES.c.id.in_(bindparam("ids", expanding=True)), *keys.asked(Instance)),
)
#: Locks an instance for whoever is to tell it, unless somebody else is telling it: for the advisory lock that says so nobody waits.
_LOCK_ALONE = Read(COLUMNS, LOCKING.where(postgresql.try_to_take(bindparam("alone", type_=BigInteger))))


def take(session: Session, parent_id: UUID) -> Held | None:
    """Lock an instance, to tell it of those that have ended; None: somebody else is doing that just now, and looks again afterwards."""
    if not postgresql.is_behind(session):
        return instances.lock(session, parent_id)
    alone = parent_id.int & _LARGEST
    found = _LOCK_ALONE.first(session.connection(), {"instance": parent_id, "alone": alone})
    return None if found is None else holdings.of(session).take(found)


def read(session: Session, key: Mapping[str, Any], ids: Collection[UUID]) -> dict[UUID, Ended]:
    """Read instances of a case that have ended, by id."""
    found = (Ended(*row) for row in _ENDED.all(session.connection(), {**key, "ids": list(ids)}))
    return {child.id: _whole(session, child, key) for child in found}


def _whole(session: Session, child: Ended, key: Mapping[str, Any]) -> Ended:
    if not child.large:
        return child
    return child._replace(variables=child.variables | large_values.find(session, child.id, key, child.large))


def owe(run: Run) -> None:
    """Write the jobs by which the caller of an instance is told that it has ended, or looks again because its item was decided.

    With that decision the bundle may have more to issue.  Where another process of the item decides, all callers up to the item's own look
    again: they may have timers.
    """
    row: Held | Instance = run.row
    item, told = run.item, run.process.ended and not run.process.emptied  # else its call is canceled, too
    if told:
        jobs.owe_parent(run.session, row)
    while item is not None and run.found_as not in {None, item.status} and row.parent_id is not None:
        if not told:
            jobs.owe_parent(run.session, row, jobs.REFRESH)
        if row.id == item.instance_id:
            break
        row, told = keys.get_one(run.session, Instance, row.parent_id, row), False


def ask(run: Run, kind: str, **what: Any) -> None:
    """Ask the caller of an instance, by a job, whether it catches something; signals that were thrown before reach it first."""
    if run.process.signals:
        run.later.append((kind, what))
    else:
        jobs.owe_parent(run.session, run.row, kind, **what)


def owe_later(run: Run) -> None:
    """Write the jobs for the callers that were put off until the signals of a run, and of those that it has called, are told.

    Beside the call its caller may wait for the very signal with which the called instance ends: it is to hear that first.
    """
    for called in run.called:
        owe_later(called)
    while run.later:
        kind, what = run.later.pop(0)
        jobs.owe_parent(run.session, run.row, kind, **what)
    if run.row.parent_id is not None and run.process.signals:
        owe(run)


def give(run: Run, child: Ended | Held) -> None:
    """Give a call activity what the instance has left that it called; an item that an error has left undecided ends without decision."""
    item = keys.get(run.session, Item, child.item_id, run.row) if child.item_id else None
    undecided = item if item is not None and item.instance_id == child.id and item.status is ItemStatus.IN_REVIEW else None
    ended_by_error = child.status is InstanceStatus.FAILED and child.error is None  # in an earlier release, which asked nobody yet
    error = child.end if ended_by_error else child.error
    if undecided is not None and error is None:
        raise InvalidState(f"Expected item {undecided.number} to be decided when its process ended, but it is {undecided.status}")
    if undecided is not None:  # what has gone wrong is no decision, and nothing is issued for it
        loaded = definitions.get(run.session, keys.get_one(run.session, Instance, child.id, run.row).definition_id)
        reason = uncaught.words(loaded, error or "")
        lifecycle.break_off(run.session, run.case, undecided, ItemStatus.TERMINATED, actor=run.actor, reason=reason, error=error)
    variables.take_types(run, child.parent_wait or 0, child.types)
    if ended_by_error:
        run.process.raise_error(child.parent_wait or 0, error or "", variables=child.variables)
    else:
        run.process.complete(child.parent_wait or 0, child.variables)
