"""What time it is: whatever becomes of a clock, nothing that is due goes off early, and nothing twice."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine import accounts, calendars, database, holidays, idempotency, moments, numbers, retention, samples, scheduler, worklists
from engine.account_models import LogIn
from engine.case_models import ClockEntry, Notice
from engine.command_models import IdempotentAnswer, Reservation
from engine.errors import Unavailable
from engine.idempotency import Answer, Command
from engine.models import Task, Timer
from engine.moments import Keeper
from engine.settings import Environment
from engine.worklists import CaseFilter
from tests import tiny
from tests.bpmn import diagrams as d

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """A steady clock, which passes only here, and one beside it that anybody may set."""

    def __init__(self):
        self.passed = 0.0
        self.set = timedelta(0)
        self.keeper = Keeper(lambda: self.passed)
        self.keeper.hear(self.told)

    @property
    def told(self):
        return self.right + self.set

    @property
    def right(self):
        return NOON + timedelta(seconds=self.passed)

    def wait(self, **time):
        """Let time pass, and tell it."""
        self.passed += timedelta(**time).total_seconds()
        self.keeper.hear(self.told)

    @property
    def ahead(self):
        """By how much the time that is kept is ahead of the right one."""
        return self.keeper.now() - self.right


def test_now__carried_on_between_two_looks():
    clock = Clock()

    clock.passed += 7.5

    assert clock.keeper.now() == NOON + timedelta(seconds=7.5)
    assert clock.keeper.age == 7.5


def test_now__nothing_told_yet():
    assert abs(Keeper().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_hear__a_clock_that_goes_a_little_wrong_is_followed():
    clock = Clock()

    for _ in range(20):
        clock.set += timedelta(milliseconds=100)
        clock.wait(seconds=10)

    assert clock.ahead == timedelta(seconds=2)


@pytest.mark.parametrize("minutes", [1, 30, 59])
def test_hear__set_forward_by_mistake(minutes):
    """Nothing of it is believed, and when it is mended, all is as it was."""
    clock = Clock()

    clock.set = HOUR
    clock.wait(minutes=minutes)
    meanwhile = clock.ahead
    clock.set = timedelta(0)
    clock.wait(minutes=1)

    assert (meanwhile, clock.ahead) == (timedelta(0), timedelta(0))


def test_hear__set_back_by_mistake():
    """The earlier counts, at once; when it is mended, nobody has to wait."""
    clock = Clock()

    clock.set = -HOUR
    clock.wait(minutes=1)
    meanwhile = clock.ahead
    clock.set = timedelta(0)
    clock.wait(minutes=1)

    assert (meanwhile, clock.ahead) == (-HOUR, timedelta(0))


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_hear__set_for_good(by):
    """What was told before was wrong: it is believed once it has stood for as long."""
    clock = Clock()

    clock.set = by
    for _ in range(61):
        clock.wait(minutes=1)

    assert clock.ahead == by


@pytest.fixture
def following(stage):
    """A node that goes by the time of the database."""
    leave = moments.follow(stage.database.bind)
    yield stage
    leave()


def start(stage, designer, **variables):
    """Start a process whose task has a timer that is due in half an hour, and one that says when."""
    content = [d.start("s"), d.user("work", name="办理"), d.end("e"), d.flows("s -> work -> e")]
    for name, due in (("late", {"duration": "PT30M"}), ("then", {"date": "${when}"})):
        content += [d.timer_boundary(name, on="work", interrupting=False, **due), d.user(f"after_{name}", name=name), d.end(f"end_{name}")]
        content += [d.flows(f"{name} -> after_{name} -> end_{name}")]
    stage.deploy("p", p_bpmn=d.diagram(*content, key="p"))
    return designer.start("p", **variables)


@pytest.mark.parametrize("by", [HOUR, 2 * HOUR, -HOUR])
def test_tick__the_clock_of_the_host_is_set(following, designer, by):
    """Half an hour is half an hour."""
    stage, later = following, moments.now() + timedelta(days=1)
    instance = start(stage, designer, when=later.isoformat())

    stage.traveller.shift(by)

    assert scheduler.tick(stage.database) == 0
    assert stage.tasks(stage.of(instance)) == ["办理"]


@contextmanager
def node(stage, ahead):
    """Be a node of its own, the clock of whose host is so much ahead: it has been told nothing yet."""
    stage.traveller.shift(ahead)
    leave = moments.follow(stage.database.bind)
    try:
        yield
    finally:
        leave()
        stage.traveller.shift(-ahead)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by", [HOUR, timedelta(seconds=5), timedelta(seconds=-5), -HOUR])
def test_tick__the_clocks_of_nodes_differ(following, designer, by):
    """What is due by the time of the database goes off, once, whatever the clock of a node says; what is due in four seconds does not."""
    stage = following
    due, not_yet = (start(stage, designer, when=(moments.now() + timedelta(seconds=s)).isoformat()) for s in (-1, 4))

    done = []
    for ahead in (by, timedelta(0), by):
        with node(stage, ahead):
            done.append(scheduler.tick(stage.database))

    assert done == [1, 0, 0]
    assert stage.tasks(stage.of(due)) == ["then", "办理"]
    assert stage.tasks(stage.of(not_yet)) == ["办理"]


def told(stage):
    """What time it is by the database."""
    with stage.reading() as session:
        return session.scalar(select(func.clock_timestamp()))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by", [HOUR, -HOUR, timedelta(days=1), timedelta(days=-1)])
def test_submit__the_clock_of_the_host_is_set(stage, clerk, by):
    """Numbers, dates, lights and timers of what a node begins are those of the time of the database."""
    items = {"alpha": {"promised": 5, "statutory": 20}}
    stage.deploy("tiny", **tiny.folder(items, promised="7", processes={"alpha": tiny.inspected("alpha")}))
    before = told(stage)
    with node(stage, by):
        case = clerk.take_in("tiny")
    after, item = told(stage), stage.item(case, "alpha")
    case = stage.case(case)

    days = {calendars.local_date(moment) for moment in (before, after)}
    [entry] = stage.all(ClockEntry, case)
    moments_there = [case.submitted_at, item.accepted_at, item.dispatched_at, entry.recorded_at]
    moments_there += [task.created_at for task in stage.all(Task, case)] + [notice.issued_at for notice in stage.all(Notice, case)]
    assert [moment for moment in moments_there if not before <= moment <= after] == []
    assert {entry.on, item.received_on, item.green_from, case.clock_started_on} <= days
    assert case.number[6:14] in {day.strftime("%Y%m%d") for day in days}
    with stage.reading() as session:
        calendar = holidays.calendar(session)
    assert (case.promised_on, item.statutory_on) == (calendar.add(case.clock_started_on, 7), calendar.add(entry.on, 20))
    task, [timer] = stage.task(case, "alpha审批"), stage.all(Timer, case, element="late")
    assert item.promised_on == task.red_from - timedelta(days=1) == calendar.add(entry.on, 5)
    assert timer.due_at == task.due_at == calendars.end_of(item.promised_on)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_sweep__the_clock_of_the_host_is_years_ahead(stage):
    """What a node looks for as it begins, before it has asked the database for anything, goes by the time of the database, too."""
    with node(stage, timedelta(0)):
        with stage.database.transaction() as session:
            samples.seed(session, Environment.DEVELOPMENT)
            accounts.begin(session, "clerk")
        with idempotency.transaction(stage.database, Command(key="k", actor="clerk", request_hash="a")) as session:
            numbers.next_case(session, "430100")
            idempotency.keep(session, Answer(status=201, body="{}"))

    with node(stage, timedelta(days=3650)):
        retention.sweep(stage.database, answers=timedelta(days=3))

    with stage.reading() as session:
        assert [session.scalar(select(func.count()).select_from(kept)) for kept in (IdempotentAnswer, Reservation, LogIn)] == [1, 1, 1]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by", [timedelta(days=3650), timedelta(days=-3650)])
def test_find_cases__the_clock_of_the_host_is_years_apart(stage, clerk, by):
    """A list of one day, which is read by ids, has what a node began whose clock says another; ids go on from those before."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 5, "statutory": 20}}, processes={"alpha": tiny.inspected("alpha")}))
    found = []
    for ahead in (timedelta(0), by, timedelta(0)):
        with node(stage, ahead):
            found.append(clerk.submit("tiny").id)

    today = calendars.local_date(told(stage))
    with stage.reading() as session:
        wanted = CaseFilter(since=today, until=today)
        shown = [case.id for case in worklists.find_cases(session, clerk.actor, wanted, after=None, limit=9)]
    assert shown == found[::-1] == sorted(found, reverse=True)


def test_now__nothing_told_yet_and_the_database_is_away(tmp_path):
    bind = database.connect(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")
    leave = moments.follow(bind)

    with pytest.raises(Unavailable):
        moments.now()

    leave()
    bind.dispose()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("by", "meanwhile"), [(60, 2), (-60, 1)])
def test_tick__the_clock_of_the_database_is_set(stage, designer, monkeypatch, by, meanwhile):
    """Every ten minutes is every ten minutes: what has gone off does not go off again, and what comes next is late at worst."""
    clock = Clock()
    monkeypatch.setattr(moments, "Keeper", lambda **_: Keeper(lambda: clock.passed))
    leave = moments.follow(stage.database.bind)
    content = (d.start("s"), d.user("work", name="办理"), d.timer_boundary("again", on="work", cycle="R/PT10M", interrupting=False))
    content += (d.user("reminder", name="催办"), d.end("e"), d.flows("s -> work -> e", "again -> reminder"))
    stage.deploy("p", p_bpmn=d.diagram(*content, key="p"))
    case, told = stage.of(designer.start("p")), []

    # Minutes by which the clock is set, and minutes that pass.
    for change, minutes in ((0, 0), (0, 10), (by, 0), (0, 9), (0, 1), (-by, 0), (0, 0)):
        clock.passed += 60 * minutes
        stage.traveller.shift(timedelta(minutes=change + minutes))
        scheduler.drain(stage.database)
        told.append(stage.tasks(case).count("催办"))

    leave()
    assert told == [0, 1, 1, 1, meanwhile, 2, 2]
