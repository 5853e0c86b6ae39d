"""Returns: what a called instance leaves to its caller when it ends, and how the caller is told."""

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

#: Advisory locks of PostgreSQL are numbers up to this.
_LARGEST = (1 << 63) - 1


class Ended(NamedTuple):
    """The columns of an instance that has ended which its caller reads.  No lock is needed: nobody writes it any more."""

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
#: Locks an instance, unless somebody else is telling it what has ended: that one has an advisory lock, for which nobody waits.
_LOCK_ALONE = Read(COLUMNS, LOCKING.where(postgresql.try_to_take(bindparam("alone", type_=BigInteger))))


def lock_parent(session: Session, parent_id: UUID) -> Held | None:
    """Lock an instance, to tell it of the called ones that have ended.  None: somebody else is doing that, and will look again."""
    if not postgresql.is_behind(session):
        return instances.lock(session, parent_id)
    alone = parent_id.int & _LARGEST
    found = _LOCK_ALONE.first(session.connection(), {"instance": parent_id, "alone": alone})
    return None if found is None else holdings.of(session).take(found)


def read(session: Session, key: Mapping[str, Any], ids: Collection[UUID]) -> dict[UUID, Ended]:
    """Read instances of a case (`key`) that have ended, by id; what is not there is left out."""
    found = (Ended(*row) for row in _ENDED.all(session.connection(), {**key, "ids": list(ids)}))
    return {child.id: _whole(session, child, key) for child in found}


def _whole(session: Session, child: Ended, key: Mapping[str, Any]) -> Ended:
    if not child.large:
        return child
    return child._replace(variables=child.variables | large_values.read(session, child.id, key, child.large))


def owe(run: Run) -> None:
    """Write the jobs for the callers of an instance that has ended, or whose item has got another status in this run.

    The nearest caller is told of the end (RESUME).  After a change of the status all callers look again (REFRESH), up to the one that has
    called the item's own process: the bundle may have more to issue now, and those between may have timers.
    """
    row: Held | Instance = run.row
    item, told = run.item, run.process.ended and not run.process.emptied  # when emptied by a modification, its call is canceled, too
    if told:
        jobs.owe_parent(run.session, row)
    while item is not None and run.found_as not in {None, item.status} and row.parent_id is not None:
        if not told:
            jobs.owe_parent(run.session, row, jobs.REFRESH)
        if row.id == item.instance_id:
            break
        row, told = keys.get_one(run.session, Instance, row.parent_id, row), False


def ask(run: Run, kind: str, **what: Any) -> None:
    """Ask the caller of an instance whether it catches something, by a job of a `kind`; it comes after the signals thrown before."""
    if run.process.signals:
        run.later.append((kind, what))
    else:
        jobs.owe_parent(run.session, run.row, kind, **what)


def owe_later(run: Run) -> None:
    """Write the jobs for callers that had to come after those for the signals of this run, and of the runs that it has called.

    A caller may wait, beside its call, for the very signal with which the called instance ends: it must hear of the signal first.
    """
    for called in run.called:
        owe_later(called)
    while run.later:
        kind, what = run.later.pop(0)
        jobs.owe_parent(run.session, run.row, kind, **what)
    if run.row.parent_id is not None and run.process.signals:
        owe(run)


def give(run: Run, child: Ended | Held) -> None:
    """Complete the call activity of an instance that has ended (`child`), with the variables that it has left.

    An item that was left undecided by an error ends without decision; raises InvalidState when it was left so without any error.
    """
    item = keys.get(run.session, Item, child.item_id, run.row) if child.item_id else None
    undecided = item if item is not None and item.instance_id == child.id and item.status is ItemStatus.IN_REVIEW else None
    # An earlier release let an instance end by an error without asking its caller first: then the caller is asked now.
    ended_by_error = child.status is InstanceStatus.FAILED and child.error is None
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
