"""Projection: what an instance waits for becomes rows — tasks, timers, subscriptions, external tasks, incidents.

Worklists, the scheduler and correlation read these rows only, never the token state.  This is the hottest path of the engine.  So it reads
none of the rows: it compares the waits before a command with those after it, and what differs is written with the instance (`writes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, select, update
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Awake
from bpmn.waits import Glance, Wait, WaitKind
from engine import arrivals, database, dials, keys, moments, retries
from engine.columns import new_id
from engine.holdings import Held
from engine.models import ExternalTask, Incident, Subscription, Task, TaskGroup, TaskUser, Timer
from engine.runs import Run
from engine.schedule_models import Continuation
from engine.states import TaskStatus
from engine.writes import OLD, Writes

#: The tables themselves: statements about them leave the objects of the session alone, which is what makes them fast.
_TASKS, _GROUPS, _USERS, _TIMERS, _INCIDENTS = (model.__table__ for model in (Task, TaskGroup, TaskUser, Timer, Incident))
#: How a row that stands for a wait is found.
_WAIT = ("instance_id", "wait", *keys.KEY)


class Change:
    """The difference between what an instance waited for when it was taken up, and what it waits for now."""

    def __init__(self, run: Run, writes: Writes) -> None:
        self.run, self.writes = run, writes
        #: Ids of the waits now, and of those then, by kind; without waits that cannot have changed.
        self.now: defaultdict[WaitKind, set[int]] = defaultdict(set)
        self.before: defaultdict[WaitKind, set[int]] = defaultdict(set)
        #: Waits whose rows may have to be written, by kind: they are new, or may be due at another time than their rows say.
        self.stirred: defaultdict[WaitKind, list[Wait]] = defaultdict(list)

    def new(self, kind: WaitKind) -> list[Wait]:
        """Return the waits of a kind that have come up."""
        return [wait for wait in self.stirred[kind] if wait.id not in self.before[kind]]

    def gone(self, kind: WaitKind) -> set[int]:
        """Return the ids of the waits of a kind that are over."""
        return self.before[kind] - self.now[kind]

    def found(self, wait_id: int) -> dict[str, Any]:
        """Give the `old_…` columns by which the row of an earlier wait is found (`_WAIT`)."""
        row = self.run.row
        return {**row.place, OLD + "instance_id": row.id, OLD + "wait": wait_id}

    def common(self, wait: Wait) -> dict[str, Any]:
        """Give the columns that the row of every new wait has."""
        row = self.run.row
        return {"region": row.region, "case_id": row.case_id, "instance_id": row.id, "wait": wait.id, "element": wait.element}

    def delete(self, table: Table, waits: Iterable[int]) -> None:
        """Delete the rows of waits that are over."""
        self.writes.delete(table, [{**self.run.row.key, "instance_id": self.run.row.id, "wait": wait} for wait in waits])


def project(run: Run, now: Glance, writes: Writes) -> None:
    """Make the rows equal the waits (`now`): end those that are over, move those due at another time, insert the new ones."""
    change = Change(run, writes)
    before = run.before
    same = {wait_id for wait_id, kind in now.kinds.items() if kind is before.kinds.get(wait_id) and _is_same(wait_id, kind, before, now)}
    for wait_id in same:
        change.now[now.kinds[wait_id]].add(wait_id)
    if stirred := now.kinds.keys() - same:
        for wait in run.process.waits(among=stirred):
            change.now[wait.kind].add(wait.id)
            change.stirred[wait.kind].append(wait)
    for wait_id, kind in before.kinds.items():
        change.before[kind].add(wait_id)

    touched = change.before.keys() | change.stirred.keys()
    _project_tasks(change)
    if change.stirred[WaitKind.USER_TASK]:
        _insert_tasks(change)
    if WaitKind.TIMER in touched:
        _project_timers(change)
    _project_incidents(change)
    for table, kind, particulars in _PLAIN:
        if kind in touched:
            change.delete(table, change.gone(kind))
            change.writes.insert(table, [change.common(wait) | particulars(run.row, wait) for wait in change.new(kind)])
    if WaitKind.EXTERNAL_TASK in touched and (topics := {wait.name or "" for wait in change.new(WaitKind.EXTERNAL_TASK)}):
        database.after_commit(run.session, lambda _db: arrivals.announce(topics))


def _is_same(wait_id: int, kind: WaitKind, before: Glance, now: Glance) -> bool:
    """Whether the row of something that still waits needs no look.

    It needs one when its date has changed, or moves with the world (it is not in `dates` then).  An incident always needs one: its message
    may be another.
    """
    if kind is WaitKind.INCIDENT:
        return False
    fixed = wait_id in now.dates and wait_id in before.dates
    return now.dates[wait_id] == before.dates[wait_id] if fixed else kind not in {WaitKind.USER_TASK, WaitKind.TIMER}


def _project_tasks(change: Change) -> None:
    """Cancel tasks that were taken away, and move due dates.  A task that somebody has completed was marked by `tasks` already."""
    waiting, before = change.now[WaitKind.USER_TASK], change.before[WaitKind.USER_TASK]
    if over := before - waiting:
        canceled = {"status": TaskStatus.CANCELED, "ended_at": moments.now(), OLD + "status": TaskStatus.OPEN}
        gone = [change.found(wait) | canceled for wait in sorted(over & change.run.process.canceled())]
        change.writes.update(_TASKS, gone, by=(*_WAIT, "status"))
    if still := [wait for wait in change.stirred[WaitKind.USER_TASK] if wait.id in before]:
        change.writes.update(_TASKS, [change.found(wait.id) | {"due_at": wait.task_due_at} for wait in still], by=_WAIT)


def _insert_tasks(change: Change) -> None:
    run, waits = change.run, change.new(WaitKind.USER_TASK)
    lights = dials.lights(run.item or run.case) if waits and not run.row.is_plain else {}
    for wait in waits:
        task = change.common(wait) | _task(run, wait) | lights | {"id": new_id()}
        its = {"region": run.row.region, "case_id": run.row.case_id, "task_id": task["id"]}
        change.writes.insert(_TASKS, [task])
        change.writes.insert(_GROUPS, [its | {"name": group} for group in dict.fromkeys(wait.groups)])
        change.writes.insert(_USERS, [its | {"name": user} for user in dict.fromkeys(wait.users)])


def _task(run: Run, wait: Wait) -> dict[str, Any]:
    element = run.loaded.definition.elements[wait.element]
    return {
        "item_id": run.row.item_id,
        "name": wait.title,
        "description": wait.description,
        "kind": element.properties.get("onething.kind", "work"),
        "matter": run.row.matter,
        "hall": run.row.hall,
        "submitted_by": run.row.submitted_by,
        "sole_group": only(wait.groups),
        "assignee": wait.assignee,
        "priority": wait.priority,
        "due_at": wait.task_due_at,
        "follow_up_at": wait.follow_up_at,
        "created_at": moments.now(),
    }


def only(groups: Collection[str]) -> str | None:
    """Return the group of a task that has just one, else None: lists find the task by it without looking at its other rows."""
    found = set(groups)
    return found.pop() if len(found) == 1 else None


def _project_timers(change: Change) -> None:
    """Delete, move and set timers.

    Rows are put, not updated: a timer that moves with the world has no row while its expression fails, for it is an incident then.
    A timer that has failed when it went off has an `error`, and `due_at` says when it is tried again.  While its date is past, that is left
    alone; once its date is in the future, both are written anew.
    """
    change.delete(_TIMERS, sorted(change.gone(WaitKind.TIMER)))
    stirred = change.stirred[WaitKind.TIMER]
    if not stirred:
        return
    overdue, to_come, now = list[dict[str, Any]](), list[dict[str, Any]](), moments.now()
    for wait in stirred:
        row = change.common(wait) | {"due_at": wait.due_at, "holder": wait.holder}
        (overdue if wait.due_at is not None and wait.due_at <= now else to_come).append(row)
    change.writes.put(_TIMERS, to_come, by=_WAIT, new=("due_at", "error"))
    change.writes.put(_TIMERS, overdue, by=_WAIT, new=("due_at",), empty=("error",))


def _project_incidents(change: Change) -> None:
    """Resolve the incidents of what goes on again, and raise new ones; that of a step of the engine's own is raised by `execution`."""
    now, before, failing = change.now, change.before, change.now[WaitKind.INCIDENT]
    # An incident may stand on these though they are waits of another kind: a worker has failed, or a job.
    may_stand = before[WaitKind.INCIDENT] | before[WaitKind.EXTERNAL_TASK] | before[WaitKind.JOB]
    over = may_stand - failing - now[WaitKind.EXTERNAL_TASK] - now[WaitKind.JOB]
    if change.run.subject.incidents != 0 or _are_raised(change.writes):  # else no timer has failed
        over |= before[WaitKind.TIMER] - failing - now[WaitKind.TIMER]
    if change.run.handled:  # a step may have failed in this run, and have been canceled in it
        over |= change.run.canceled(WaitKind.EXTERNAL_TASK)
    over |= _recovered(change.run, (before[WaitKind.TIMER] & now[WaitKind.TIMER]) - change.run.before.dates.keys())
    if over:
        resolved = [change.found(wait) | {"resolved_at": moments.now()} for wait in sorted(over)]
        change.writes.update(_INCIDENTS, resolved, by=_WAIT, empty=("resolved_at",))
    if not failing:
        return
    standing = _standing(change.run, (may_stand | before[WaitKind.TIMER]) & failing)
    raised = [wait for wait in change.stirred[WaitKind.INCIDENT] if wait.id not in standing]
    rows = [change.common(wait) | {"message": wait.error or "", "raised_at": moments.now()} for wait in raised]
    change.writes.insert(_INCIDENTS, rows)


def _are_raised(writes: Writes) -> bool:
    """Whether an incident is among what is still to be written."""
    return any(part.table is _INCIDENTS for part in writes.rows)


def _recovered(run: Run, timers: Collection[int]) -> set[int]:
    """Of these timers, which move with the world, return those whose expression has failed until now: they have an incident, and no row."""
    if not timers or run.subject.incidents == 0:
        return set()
    have_rows = select(Timer.wait).where(keys.its(Timer.instance_id, run.row))
    return _standing(run, timers, Incident.wait.not_in(have_rows))


def _standing(run: Run, waits: Collection[int], *more: ColumnElement[bool]) -> set[int]:
    """Return those of some waits on which an unresolved incident stands."""
    if not waits:
        return set()
    mine = (keys.its(Incident.instance_id, run.row), Incident.wait.in_(waits), Incident.resolved_at.is_(None), *more)
    return {wait for wait in run.session.scalars(select(Incident.wait).where(*mine)) if wait is not None}


def _subscription(_row: Held, wait: Wait) -> dict[str, Any]:
    return {"kind": str(wait.kind), "name": wait.name or "", "holder": wait.holder}


def _topic(row: Held, wait: Wait) -> dict[str, Any]:
    return {"topic": wait.name or "", "item_id": row.item_id, "priority": wait.priority, "created_at": moments.now()}


def _continuation(_row: Held, wait: Wait) -> dict[str, Any]:
    now = moments.now()
    times = retries.read(wait.retry_cycle).times
    return {"priority": wait.priority, "retry_cycle": wait.retry_cycle, "retries": times, "created_at": now, "due_at": now}


#: Tables whose rows come and go with their waits and never change in between: the kind of the waits, and the columns of its own.
_PLAIN = (
    (Subscription.__table__, WaitKind.MESSAGE, _subscription),
    (Subscription.__table__, WaitKind.SIGNAL, _subscription),
    (ExternalTask.__table__, WaitKind.EXTERNAL_TASK, _topic),
    (Continuation.__table__, WaitKind.JOB, _continuation),
)


def rename(session: Session, row: Held, process: Awake) -> None:
    """Write the names of messages and signals anew: another version of the diagram, to which the instance was moved, may change them."""
    table = Subscription.__table__
    for kind in (WaitKind.MESSAGE, WaitKind.SIGNAL):
        for wait in process.waits(kind):
            mine = (keys.its(table.c.instance_id, row), table.c.wait == wait.id)
            session.execute(update(table).where(*mine).values(_subscription(row, wait)))


def follow_the_world(session: Session, row: Held, process: Awake) -> None:
    """Write the dates that move with the world (a clock, a calendar) anew; a timer that was put off when it failed stays put off."""
    fixed = process.glance(None).dates
    for wait in process.waits(WaitKind.USER_TASK, WaitKind.TIMER):
        if wait.id not in fixed and wait.kind is WaitKind.USER_TASK:
            _redate(session, row, wait, _TASKS, wait.task_due_at, _TASKS.c.status == TaskStatus.OPEN)
        elif wait.id not in fixed:
            _redate(session, row, wait, _TIMERS, wait.due_at, _TIMERS.c.error.is_(None))


def _redate(session: Session, row: Held, wait: Wait, table: Table, due_at: datetime | None, still: ColumnElement[bool]) -> None:
    mine = (keys.its(table.c.instance_id, row), table.c.wait == wait.id, still)
    session.execute(update(table).where(*mine).values(due_at=due_at))
