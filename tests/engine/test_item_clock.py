"""Clocks of items as rows: verbs, guards and what the ledger says, on both databases."""

from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select

from engine import deadlines, holidays, item_clock
from engine.actors import Actor
from engine.case_models import ClockEntry
from engine.clock import DueDate, Light, LimitKind, PauseKind
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.item_clock import Approver
from engine.models import Hall
from engine.states import ClockStatus
from tests.clocks import due_of
from tests.rows import RECEIVED, new_case, new_item, new_notice

CALENDARS = Path(__file__).parents[2] / "workflows" / "calendars"
OFFICER = Actor(name="officer-food")


@contextmanager
def on(month, day, hour=9):
    """It is that day of 2026, by the clock in Beijing."""
    with time_machine.travel(datetime(2026, month, day, hour - 8, tzinfo=UTC), tick=False):
        yield


def shown(session, item):
    """What lists show of the clock of an item."""
    return deadlines.of_item(session, item, "", item_clock.ledger(session, item))


def moment(session, item, kind):
    """When its clock says so."""
    return item_clock.count(session, item, item_clock.ledger(session, item)).moment(kind)


@pytest.fixture
def session(database):
    with database.transaction() as session:
        holidays.publish_shipped(session, CALENDARS)
        session.add(Hall(code="city", name="市民中心", level="city"))
        session.flush()
        yield session


@pytest.fixture
def case(session):
    return new_case(session)


@pytest.fixture
def notice(session, case):
    return new_notice(session, case)


@pytest.fixture
def item(session, case):
    return new_item(session, case)


@pytest.fixture
def running(session, item):
    with on(9, 14):
        item_clock.start(session, item, actor=OFFICER)
    return item


def pause(session, item, notice, kind=PauseKind.EXPERT_REVIEW, **changes):
    return item_clock.pause(
        session, item, **({"kind": kind, "reason": "专家评审", "days": 5, "notice": notice, "actor": OFFICER} | changes)
    )


def extend(session, item, notice, **changes):
    rule = {"days": 10, "approver": Approver.ORGAN_HEAD, "reason": "情况复杂", "notice": notice, "actor": OFFICER}
    return item_clock.extend(session, item, **(rule | changes))


def entries(session, item):
    return session.scalars(select(ClockEntry).where(ClockEntry.item_id == item.id)).all()


# Start and due dates


def test_start__today_by_the_clock_in_beijing(session, item):
    with time_machine.travel(datetime(2026, 9, 14, 16, 30, tzinfo=UTC), tick=False):  # half past midnight in Beijing
        item_clock.start(session, item, actor=OFFICER)

    assert item.clock == ClockStatus.RUNNING
    assert item_clock.ledger(session, item).started_on == date(2026, 9, 15)


def test_due__of_both_limits(session, running):
    assert due_of(session, running) == DueDate(date=date(2026, 9, 28), provisional=False)
    assert due_of(session, running, LimitKind.STATUTORY) == DueDate(date=date(2026, 10, 16), provisional=False)
    assert moment(session, running, "promised") == datetime(2026, 9, 28, 16, tzinfo=UTC)
    assert moment(session, running, "warning") == datetime(2026, 9, 23, 16, tzinfo=UTC)


def test_start__on_the_day_of_receipt_when_accepted_by_law(session, item):
    with on(9, 21):
        item_clock.start(session, item, actor=OFFICER, on=item.received_on)

    assert due_of(session, item).date == date(2026, 9, 28)


def test_start__twice_or_in_the_future(session, item):
    with on(9, 14), pytest.raises(InvalidInput, match="today or earlier, but 2026-09-15 is to come"):
        item_clock.start(session, item, actor=OFFICER, on=date(2026, 9, 15))
    with on(9, 14):
        item_clock.start(session, item, actor=OFFICER)
    with on(9, 15), pytest.raises(InvalidState, match=r"Expected to move the clock of item .* to running, but it is running"):
        item_clock.start(session, item, actor=OFFICER)

    assert [entry.on for entry in entries(session, item)] == [RECEIVED]


def test_due__before_the_start_and_without_a_limit(session, case, item):
    unlimited = new_item(session, case, limits=[])
    with on(9, 14):
        item_clock.start(session, unlimited, actor=OFFICER)

    assert item_clock.ledger(session, item) is None
    for other in (item, unlimited):
        assert due_of(session, other) is None
        assert moment(session, other, "promised") is None
        assert moment(session, other, "warning") is None
        assert shown(session, other).remaining is None
        assert shown(session, other).light is None


def test_limit__in_working_days_unless_it_says_otherwise(session, case):
    item = new_item(session, case, limits=[{"kind": "promised", "days": 7}, {"kind": "statutory", "days": 7, "unit": "calendar"}])
    with on(9, 18):
        item_clock.start(session, item, actor=OFFICER)

    assert due_of(session, item).date == date(2026, 9, 29)
    assert due_of(session, item, LimitKind.STATUTORY).date == date(2026, 9, 28)


# Pause and resume


def test_pause__two_overlapping_each_resumed_by_itself(session, running, notice):
    with on(9, 18):
        review = pause(session, running, notice)
    with on(9, 21):
        hearing = pause(session, running, notice, PauseKind.HEARING)
    with on(9, 22):
        item_clock.resume(session, running, pause_id=review.id)
        assert running.clock == ClockStatus.PAUSED
        assert due_of(session, running) is None
        assert shown(session, running).remaining == 7
    with on(9, 24):
        item_clock.resume(session, running, pause_id=hearing.id)

    assert running.clock == ClockStatus.RUNNING
    assert due_of(session, running).date == date(2026, 10, 12)
    assert [(p.kind, p.notice) for p in item_clock.ledger(session, running).pauses] == [
        (PauseKind.EXPERT_REVIEW, "T-1"),
        (PauseKind.HEARING, "T-1"),
    ]


def test_resume__the_only_open_pause_need_not_be_named(session, running, notice):
    with on(9, 18):
        pause(session, running, notice)
    with on(9, 24):
        ended = item_clock.resume(session, running)

    assert ended.until == date(2026, 9, 24)
    assert due_of(session, running).date == date(2026, 10, 12)


def test_resume__which_of_two(session, running, notice):
    """Whoever is asked is told between which."""
    with on(9, 18):
        first = pause(session, running, notice)
    with on(9, 21):
        second = pause(session, running, notice, PauseKind.HEARING)

    which = rf"{first.procedure} since 2026-09-18 \({first.id}\), hearing since 2026-09-21 \({second.id}\)"
    with (
        on(9, 21),
        pytest.raises(InvalidInput, match=rf"Expected to be told which pause of the clock of item .* ends, but 2 are open: {which}$"),
    ):
        item_clock.resume(session, running)


def test_resume__one_that_is_not_open(session, case, running, notice):
    other = new_item(session, case)
    with on(9, 14):
        item_clock.start(session, other, actor=OFFICER)
        of_other = pause(session, other, notice)
    with on(9, 18):
        ended = pause(session, running, notice)
        item_clock.resume(session, running)
        with pytest.raises(InvalidState, match=r"Expected to resume the clock of item .*, but it is running"):
            item_clock.resume(session, running)
        pause(session, running, notice)

    for wrong in (ended.id, of_other.id, uuid4()):
        with on(9, 21), pytest.raises(NotFound, match="to have the open pause"):
            item_clock.resume(session, running, pause_id=wrong)
    assert running.clock == ClockStatus.PAUSED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": " "}, "Expected a reason to pause the clock of item .*, but there is none"),
        ({"days": 0}, "for an estimate of at least one working day, but it is 0"),
    ],
)
def test_pause__without_reason_or_estimate(session, running, notice, changes, message):
    with on(9, 18), pytest.raises(InvalidInput, match=message) as told:
        pause(session, running, notice, **changes)

    assert [error["field"] for error in told.value.details["errors"]] == list(changes)
    assert running.clock == ClockStatus.RUNNING
    assert len(entries(session, running)) == 1


def test_pause__with_the_notice_of_another_case(session, running):
    foreign = new_notice(session, new_case(session))

    with on(9, 18), pytest.raises(InvalidInput, match="with a notice of its case, but notice T-1 belongs to another"):
        pause(session, running, foreign)
    with on(9, 18), pytest.raises(InvalidInput, match="with a notice of its case, but notice T-1 belongs to another"):
        extend(session, running, foreign)


def test_pause__a_clock_that_does_not_run(session, item, notice):
    with on(9, 14), pytest.raises(InvalidState, match="to paused, but it is not_started"):
        pause(session, item, notice)
    with on(9, 14):
        item_clock.stop(session, item, actor=OFFICER)
    with on(9, 14), pytest.raises(InvalidState, match="to paused, but it is stopped"):
        pause(session, item, notice)


# Extend


def test_extend__both_limits(session, running, notice):
    with on(9, 28):
        extend(session, running, notice)

    assert due_of(session, running).date == date(2026, 10, 16)
    assert due_of(session, running, LimitKind.STATUTORY).date == date(2026, 10, 30)


def test_extend__while_paused(session, running, notice):
    with on(9, 18):
        pause(session, running, notice)
        extend(session, running, notice, days=1)
        item_clock.resume(session, running)

    assert due_of(session, running).date == date(2026, 9, 30)


def test_extend__once(session, running, notice):
    with on(9, 21):
        extend(session, running, notice, days=1)

    with on(9, 22), pytest.raises(InvalidState, match="once, but it was extended on 2026-09-21"):
        extend(session, running, notice, days=1)


@pytest.mark.parametrize("days", [0, -1, 11])
def test_extend__by_what_the_law_does_not_allow(session, running, notice, days):
    with on(9, 21), pytest.raises(InvalidInput, match=f"by 1 to 10 working days with the consent of organ_head, but it is {days}"):
        extend(session, running, notice, days=days)

    assert len(entries(session, running)) == 1


def test_extend__by_what_the_item_does_not_allow(session, case, notice):
    item = new_item(session, case, rules={"extension": 5})
    with on(9, 14):
        item_clock.start(session, item, actor=OFFICER)

    with on(9, 21), pytest.raises(InvalidInput, match="by 1 to 5 working days"):
        extend(session, item, notice, days=6)


def test_extend__an_item_whose_rules_allow_none(session, case, notice):
    item = new_item(session, case, rules={"extension": 0})
    with on(9, 14):
        item_clock.start(session, item, actor=OFFICER)

    with on(9, 21), pytest.raises(InvalidState, match="but the rules of food_permit allow no extension"):
        extend(session, item, notice, days=1)


def test_extend__by_the_government_head_in_joint_handling_only(session, case, running, notice):
    with on(9, 21), pytest.raises(InvalidInput, match="of government_head in joint handling, but one department handles alone") as told:
        extend(session, running, notice, days=15, approver=Approver.GOVERNMENT_HEAD)
    assert [error["field"] for error in told.value.details["errors"]] == ["approver"]

    new_item(session, case, department="fire")
    with on(9, 21), pytest.raises(InvalidInput, match="by 1 to 15 working days with the consent of government_head, but it is 16"):
        extend(session, running, notice, days=16, approver=Approver.GOVERNMENT_HEAD)
    with on(9, 21):
        extend(session, running, notice, days=15, approver=Approver.GOVERNMENT_HEAD)

    assert due_of(session, running).date == date(2026, 10, 23)


def test_extend__as_long_as_one_limit_has_not_run_out(session, running, notice):
    with on(10, 17), pytest.raises(InvalidState, match="before its limit has run out, but that was on 2026-10-16"):
        extend(session, running, notice)
    with on(10, 16):
        extend(session, running, notice)

    assert due_of(session, running, LimitKind.STATUTORY).date == date(2026, 10, 30)


def test_extend__a_clock_that_does_not_run_or_has_no_limit(session, case, item, notice):
    unlimited = new_item(session, case, limits=[])
    with on(9, 14):
        item_clock.start(session, unlimited, actor=OFFICER)

    with on(9, 21), pytest.raises(InvalidState, match="while it runs, but it is not_started"):
        extend(session, item, notice)
    with on(9, 21), pytest.raises(InvalidState, match=r"Expected to extend a limit of item .*, but it has none"):
        extend(session, unlimited, notice)


# Stop and lights


def test_stop__ends_open_pauses_and_keeps_the_light(session, running, notice):
    with on(9, 18):
        pause(session, running, notice)
    with on(9, 24):
        item_clock.stop(session, running, actor=OFFICER)

    assert running.clock == ClockStatus.STOPPED
    assert due_of(session, running).date == date(2026, 10, 12)
    with on(12, 31):
        assert shown(session, running).light == Light.GREEN
        assert shown(session, running).remaining == 7


def test_stop__a_clock_that_never_started(session, item):
    with on(9, 14):
        item_clock.stop(session, item, actor=OFFICER)

    assert item_clock.ledger(session, item) is None
    with on(9, 14), pytest.raises(InvalidState, match="to stopped, but it is stopped"):
        item_clock.stop(session, item, actor=OFFICER)


def test_ledger__nodes_that_disagree_about_midnight(session, running, notice):
    with on(9, 13, hour=23):  # the clock was started on the 14th, by a node that was ahead
        pause(session, running, notice)
        item_clock.stop(session, running, actor=OFFICER)

    kept = item_clock.ledger(session, running)
    assert [(p.since, p.until) for p in kept.pauses] == [(RECEIVED, RECEIVED)]
    assert kept.stopped_on == RECEIVED


@pytest.mark.parametrize(
    ("day", "light"),
    [
        ((9, 23), Light.GREEN),
        ((9, 24), Light.YELLOW),
        ((9, 28), Light.YELLOW),
        ((9, 29), Light.RED),
    ],
)
def test_light__as_days_go_by(session, running, day, light):
    with on(*day):
        assert shown(session, running).light == light
