"""What holds after every command, whatever happened: the rows say what the token states say, and the journal is whole."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Process
from bpmn.waits import WaitKind
from engine import clocks, definitions, functions, journal, models, schedule_models
from engine.case_models import Case, Item
from engine.database import Database
from engine.states import UNSETTLED, ClockStatus, InstanceStatus, ItemStatus, TaskStatus

#: What waits within an element.
_ENTERED = (WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
_PROJECTED = (models.Activity, models.Task, models.Timer, models.Subscription, models.ExternalTask, schedule_models.Continuation)


def check(database: Database) -> None:
    """Look at everything in the database."""
    with database.reading() as session:
        for row in session.scalars(select(models.Instance)):
            _rows_equal_waits(session, row)
            assert journal.verify(session, row) is None
        for case in session.scalars(select(Case)):
            _nothing_is_forgotten(session, case)
        for item in session.scalars(select(Item)):
            _clock_follows_the_item(session, item)


def _rows_equal_waits(session: Session, row: models.Instance) -> None:
    case, item = session.get_one(Case, row.case_id), session.get(Item, row.item_id) if row.item_id else None
    loaded = definitions.get(session, row.definition_id)
    context = functions.context(session, loaded, case, item, key=row.business_key, called=row.parent_id is not None)
    process = Process.load(loaded.process, row.state, row.variables, context)
    waits = {kind: {w.id: w for w in process.waits() if w.kind is kind} for kind in WaitKind}
    of = f"instance {row.id} ({loaded.key})"

    assert process.ended == (row.status is not InstanceStatus.RUNNING), of
    assert _numbers(session, models.Task, row, models.Task.status == TaskStatus.OPEN) == sorted(waits[WaitKind.USER_TASK]), of
    for kind in (WaitKind.MESSAGE, WaitKind.SIGNAL):
        assert _numbers(session, models.Subscription, row, models.Subscription.kind == kind) == sorted(waits[kind]), of
    assert _numbers(session, schedule_models.Continuation, row) == sorted(waits[WaitKind.JOB]), of
    assert _numbers(session, models.ExternalTask, row) == sorted(waits[WaitKind.EXTERNAL_TASK]), of
    timers = {t.wait: t.due_at for t in session.scalars(select(models.Timer).where(models.Timer.instance_id == row.id))}
    assert timers == {number: wait.due_at for number, wait in waits[WaitKind.TIMER].items()}, of
    standing = _numbers(session, models.Incident, row, models.Incident.resolved_at.is_(None), models.Incident.wait.is_not(None))
    assert set(standing) >= set(waits[WaitKind.INCIDENT]), of
    assert set(standing) <= {wait for kind in (WaitKind.INCIDENT, WaitKind.EXTERNAL_TASK, WaitKind.JOB) for wait in waits[kind]}, of
    lasting = select(models.Activity.number).where(models.Activity.instance_id == row.id, models.Activity.ended_at.is_(None))
    # A token at a join, or that waits for a job, has not entered its element yet, or has left it.
    assert {number for kind in _ENTERED for number in waits[kind]} <= set(session.scalars(lasting)) <= {a.id for a in process.tokens()}, of
    for table in (*_PROJECTED, models.Job):
        assert set(session.scalars(select(table.case_id).where(table.instance_id == row.id))) <= {row.case_id}, of
    _children_are_called(session, row, set(waits[WaitKind.CALL]))


def _children_are_called(session: Session, row: models.Instance, calls: set[int]) -> None:
    """Whoever runs was called by a call that still waits; only what a decided item has left to do goes on alone."""
    running = select(models.Instance).where(models.Instance.parent_id == row.id, models.Instance.status == InstanceStatus.RUNNING)
    for child in session.scalars(running):
        item = session.get(Item, child.item_id) if child.item_id else None
        assert child.parent_wait in calls or (item is not None and item.status not in UNSETTLED)


def _numbers(session: Session, table, row: models.Instance, *more) -> list[int]:
    return sorted(session.scalars(select(table.wait).where(table.instance_id == row.id, *more)))


def _nothing_is_forgotten(session: Session, case: Case) -> None:
    """A case whose process is over has no item that waits for somebody, and nothing granted that nobody hands out."""
    query = select(models.Instance).where(
        models.Instance.case_id == case.id, models.Instance.item_id.is_(None), models.Instance.parent_id.is_(None)
    )
    if any(row.status is InstanceStatus.RUNNING for row in session.scalars(query)):
        return
    for item in session.scalars(select(Item).where(Item.case_id == case.id)):
        assert item.status not in UNSETTLED | {ItemStatus.GRANTED}, f"{case.number}: {item.code} is {item.status}"
    assert case.ended_at is not None


def _clock_follows_the_item(session: Session, item: Item) -> None:
    expected = {
        ItemStatus.SUBMITTED: {ClockStatus.NOT_STARTED},
        ItemStatus.CORRECTING: {ClockStatus.NOT_STARTED},
        ItemStatus.WAITING: {ClockStatus.NOT_STARTED},
        ItemStatus.ACCEPTED: {ClockStatus.RUNNING, ClockStatus.PAUSED},
        ItemStatus.IN_REVIEW: {ClockStatus.RUNNING, ClockStatus.PAUSED},
        ItemStatus.IMPORTED: {ClockStatus.NOT_STARTED},
    }.get(item.status, {ClockStatus.STOPPED})
    assert item.clock in expected, f"{item.number} is {item.status}, its clock {item.clock}"
    open_pauses = [] if (ledger := clocks.ledger(session, item)) is None else [p for p in ledger.pauses if p.until is None]
    assert bool(open_pauses) == (item.clock is ClockStatus.PAUSED), item.number
