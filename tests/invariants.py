"""What holds after every command, whatever happened: the rows say what the token states say, and the journal is whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import bundle_clock, case_items, dials, instances, item_clock
from engine.case_models import Case, Item
from engine.clock import Clock, Light, LimitKind
from engine.database import Database
from engine.states import UNSETTLED, ClockStatus, InstanceStatus, ItemStatus
from engine.subjects import Subject
from engine.verification import instance_faults
from engine.verification.instance_rows import InstanceRows
from tests.whole import Whole

#: Nothing is late: the clock of a test stands wherever it likes.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def check(database: Database) -> None:
    """Look at everything in the database."""
    with database.reading() as session:
        look(session)


def look(session: Session) -> None:
    """Look at everything that a session sees."""
    whole, running = Whole(session), set()
    for about in whole.instances():
        assert list(instance_faults.found(session, about, overdue=LONG_AGO)) == []
        _timers_are_due_with_their_waits(session, about)
        row = about.row
        if row.item_id is None and row.parent_id is None and row.status is InstanceStatus.RUNNING:
            running.add(row.case_id)
    for case in whole.cases:
        if case.id not in running:
            _nothing_is_forgotten(case)
        _it_has_ended(case)
        if not (whole.corrected and case.ended_at):
            _dial_follows_the_ledger(case, bundle_clock.of(session, case))
        for item in case.items:
            _clock_follows_the_item(session, item)
            if not (whole.corrected and item.clock is ClockStatus.STOPPED):
                _dials_follow(session, item)
            assert (item.hall, item.submitted_by) == (case.hall, case.submitted_by), item.number
    _a_list_finds_them(session, whole)


def _timers_are_due_with_their_waits(session: Session, about: InstanceRows) -> None:
    """A timer that could move is moved in the same transaction, whatever the instance is owed; one that failed is put off."""
    timers = about.projected[WaitKind.TIMER]
    process = instances.look(session, about.row, Subject.of(session, about.case, about.item))
    waits = {wait.id: wait.due_at for wait in process.waits(WaitKind.TIMER)}
    assert {timer.wait for timer in timers} == waits.keys()
    assert all(timer.due_at == waits[timer.wait] or timer.error is not None for timer in timers)


def _nothing_is_forgotten(case: Case) -> None:
    """A case whose process is over has no item that waits for somebody, and nothing granted that nobody hands out."""
    for item in case.items:
        assert item.status not in UNSETTLED | {ItemStatus.GRANTED}, f"{case.number}: {item.code} is {item.status}"
    assert case.ended_at is not None


def _it_has_ended(case: Case) -> None:
    """A case that has ended waits for nobody: neither for a decision, nor for a material that was promised."""
    if case.ended_at is not None:
        waits = [item.code for item in case_items.live(case) if item.status in UNSETTLED | {ItemStatus.GRANTED}]
        assert [*waits, *(tolerance.code for tolerance in case_items.open_tolerances(case))] == [], case.number


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
    open_pauses = [] if (ledger := item_clock.ledger(session, item)) is None else [p for p in ledger.pauses if p.until is None]
    assert bool(open_pauses) == (item.clock is ClockStatus.PAUSED), item.number


def _dials_follow(session: Session, item: Item) -> None:
    ledger = item_clock.ledger(session, item)
    _dial_follows_the_ledger(item, item_clock.of(session, item, ledger))
    statute = item_clock.of(session, item, ledger, LimitKind.STATUTORY)
    assert dials.statutory(item) == (statute and statute.due()), item.number


def _dial_follows_the_ledger(row: Item | Case, clock: Clock | None) -> None:
    """What is kept of a clock is what its ledger gives."""
    dial = clock.dial() if clock else None
    assert dials.promised(row) == (dial.due if dial else None), row.number
    kept = (row.green_from, row.yellow_from, row.red_from)
    assert kept == ((dial.green_from, dial.yellow_from, dial.red_from) if dial else (None, None, None)), row.number
    if clock:
        assert dials.light(row, dials.today()) == _light(clock, dials.today()), row.number


def _light(clock: Clock, today: date) -> Light:
    """The colour as the rule says it, which knows no dial: a clock that has stopped stays as it was on that day, and is not yellow."""
    stopped_on = clock.ledger.stopped_on
    day = today if stopped_on is None else min(today, stopped_on)
    due, yellow = clock.due(), clock.turns_yellow()
    if due is not None and day > due.date:
        return Light.RED
    return Light.YELLOW if stopped_on is None and yellow is not None and day >= yellow else Light.GREEN


def _a_list_finds_them(session: Session, whole: Whole) -> None:
    """A task has the light of its item or its bundle, and knows its group."""
    for task, groups in whole.tasks():
        row = session.get_one(Item, task.item_id) if task.item_id else session.get_one(Case, task.case_id)
        assert dials.lights(task) == dials.lights(row), f"{task.name} of {row.number}"
        assert task.sole_group == (groups[0] if len(groups) == 1 else None), f"{task.name} of {row.number}"
