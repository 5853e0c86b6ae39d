"""Timers: when they are due, how often, and those that are bound to functions whose value moves with the world."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.waits import Context, WaitKind
from tests.bpmn.diagrams import end, flows, start, timer_boundary, timer_catch, user
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, definition, fire, incidents, standing, wait

DAY = 24 * HOUR


def catching(variables=None, **timer):
    context = {key: timer.pop(key) for key in ("functions", "live") if key in timer}
    return begin(start("s"), timer_catch("t", **timer), end("e"), flows("s -> t -> e"), variables=variables, **context)


@pytest.mark.parametrize(
    ("timer", "due_at"),
    [
        ({"duration": "PT1H"}, NOW + HOUR),
        ({"duration": "P1DT30M"}, NOW + DAY + HOUR / 2),
        ({"duration": "P1M"}, datetime(2026, 12, 25, 8, tzinfo=UTC)),
        ({"date": "2026-12-01T08:00:00+08:00"}, datetime(2026, 12, 1, tzinfo=UTC)),
        ({"cycle": "R3/PT1H"}, NOW + HOUR),
        ({"cycle": "R/2026-12-01T00:00:00Z/P1D"}, datetime(2026, 12, 1, tzinfo=UTC)),
        ({"duration": "${wait}"}, NOW + 2 * HOUR),
        ({"date": "${at}"}, datetime(2027, 1, 1, tzinfo=UTC)),
        ({"duration": "${at}"}, datetime(2027, 1, 1, tzinfo=UTC)),
        ({"duration": '=duration("PT2H") * 2'}, NOW + 4 * HOUR),
        ({"duration": '=duration("P1M")'}, datetime(2026, 12, 25, 8, tzinfo=UTC)),
        ({"date": '=date and time(at) - duration("PT1H")'}, datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_catch__is_due(timer, due_at):
    instance = catching({"wait": "PT2H", "at": "2027-01-01T00:00:00Z"}, **timer)

    timer_wait = wait(instance, "t")

    assert (timer_wait.kind, timer_wait.due_at, timer_wait.repeats) == (WaitKind.TIMER, due_at, False)


def test_catch__fixed_at_arrival():
    instance = catching({"wait": "PT2H"}, duration="${wait}")
    instance.variables["wait"] = "PT9H"
    instance.context.now = NOW + HOUR

    assert wait(instance, "t").due_at == NOW + 2 * HOUR
    assert wait(again(instance), "t").due_at == NOW + 2 * HOUR


def test_catch__only_fire_moves_it():
    instance = catching(duration="PT1H")
    instance.context.now = NOW + 5 * DAY
    assert standing(instance) == ["t"]

    fire(instance, "t")

    assert instance.ended


BAD = [
    (None, "null"),
    ("", "Expected a date and time with an offset"),
    ("tomorrow", "Expected a date and time with an offset"),
    ("2026-12-01", "Expected a date and time with an offset"),
    ("2026-12-01T10:00:00", "Expected a date and time with an offset"),
    ("2026-02-30T10:00:00Z", "Expected a date and time with an offset"),
    ("0001-01-01T00:00:00+14:00", "Expected a date and time with an offset"),
    ("P", "Expected a duration"),
    ("PT", "Expected a duration"),
    ("P1DT", "Expected a duration"),
    ("-P1D", "Expected a date and time with an offset"),
    ("P1H", "Expected a duration"),
    ("P999999999Y", "Expected a date"),
    ("P99999999999Y", "Expected a duration"),
    ("P999999999D", "Expected a date"),
    ("PT999999999H", "Expected a date"),
    ("R3/PT1H", "Expected a date and time with an offset"),
    (timedelta.max, "Expected a date"),
    (7, "Expected a date and time or a duration"),
    (True, "Expected a date and time or a duration"),
    (["PT1H"], "Expected a date and time or a duration"),
    (date(2026, 12, 1), "Expected an exact date and time"),
    (datetime(2026, 12, 1), "without an offset"),  # noqa: DTZ001 - it must be refused
    (datetime(1, 1, 1, tzinfo=timezone(8 * HOUR)), "Expected a date between the years 1 and 9999"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_catch__what_is_no_moment_is_an_incident(value, message):
    instance = catching({"when": value}, duration="${when}")

    assert message in incidents(instance)["t"]


@pytest.mark.parametrize("text", ["PT1H", "R0/PT1H", "R3", "R/PT0S", "R3/P0D", "R-1/PT1H", "0 0 * * *", "R3/2026-12-01/PT1H", "R/P1D/P1D"])
def test_catch__what_is_no_cycle_is_an_incident(text):
    instance = catching({"when": text}, cycle="${when}")

    assert "Expected a" in incidents(instance)["t"]


def test_retry__a_timer_counts_from_its_arrival():
    instance = catching({}, duration="${wait}")
    instance.context.now = NOW + HOUR
    instance.variables["wait"] = "PT3H"

    instance.retry(wait(instance, "t").id)

    assert wait(instance, "t").due_at == NOW + 3 * HOUR


def beside(variables=None, *, functions=None, live=frozenset(), interrupting=False, **timer):
    content = (start("s"), user("a"), timer_boundary("t", on="a", interrupting=interrupting, **timer), user("r"), end("e"))
    functions = functions or {}
    return begin(*content, flows("s -> a -> e", "t -> r -> e"), variables=variables, functions=functions, live=frozenset(live))


@pytest.mark.parametrize("cold", [False, True])
def test_boundary__a_cycle_fires_its_number_of_times(cold):
    instance = beside(cycle="R3/PT1H")

    for count in (1, 2, 3):
        timer = wait(instance, "t")
        assert (timer.due_at, timer.repeats) == (NOW + count * HOUR, count < 3)
        fire(instance, "t", at=timer.due_at + timedelta(minutes=5))
        assert standing(instance, WaitKind.USER_TASK) == ["a", *["r"] * count]
        instance = again(instance) if cold else instance

    assert "t" not in standing(instance)


def test_boundary__a_cycle_without_end():
    instance = beside(cycle="R/P1D")

    for count in range(1, 50):
        timer = wait(instance, "t")
        assert (timer.due_at, timer.repeats) == (NOW + count * DAY, True)
        fire(instance, "t", at=timer.due_at)


def test_boundary__missed_occurrences_are_one():
    instance = beside(cycle="R5/PT1H")

    fire(instance, "t", at=NOW + 10 * HOUR)

    assert wait(instance, "t").due_at == NOW + 11 * HOUR
    assert standing(instance, WaitKind.USER_TASK) == ["a", "r"]


def test_boundary__months_are_counted_from_the_first():
    content = (
        start("s"),
        user("a"),
        timer_boundary("t", on="a", interrupting=False, cycle="R/P1M"),
        end("e"),
        flows("s -> a -> e", "t -> e"),
    )
    instance = begin(*content, now=datetime(2027, 1, 31, 8, tzinfo=UTC))
    seen = []

    for _ in range(4):
        seen.append(wait(instance, "t").due_at)
        fire(instance, "t", at=seen[-1])

    assert [(moment.month, moment.day) for moment in seen] == [(2, 28), (3, 31), (4, 30), (5, 31)]


def test_boundary__a_cycle_ends_with_the_calendar():
    instance = beside(cycle="R/P5000Y")

    fire(instance, "t")

    assert standing(instance) == ["a", "r"]


def test_boundary__a_duration_fires_once():
    instance = beside(duration="PT1H")
    assert wait(instance, "t").repeats is False

    fire(instance, "t")

    assert standing(instance) == ["a", "r"]


def test_boundary__a_cycle_that_interrupts_fires_once():
    instance = beside(cycle="R3/PT1H", interrupting=True)
    assert wait(instance, "t").repeats is False

    fire(instance, "t")

    assert standing(instance) == ["r"]


def test_boundary__its_incident_leaves_the_activity_alone():
    instance = beside(duration="${wait}")
    assert standing(instance) == ["a", "t"]
    assert wait(instance, "t").attached_to == wait(instance, "a").id

    instance.variables["wait"] = "PT1H"
    instance.retry(wait(instance, "t").id)

    assert wait(instance, "t").due_at == NOW + HOUR
    complete(instance, "a")
    assert instance.ended


class Clock:
    """A deadline that somebody moves."""

    def __init__(self, due_at):
        self.due_at = due_at
        self.asked = []

    def deadline(self, kind):
        self.asked.append(kind)
        if isinstance(self.due_at, Exception):
            raise self.due_at
        return self.due_at


def bound(clock, *, interrupting=True):
    functions = {"deadline": clock.deadline}
    return beside(functions=functions, live={"deadline"}, interrupting=interrupting, date="${deadline('promised')}")


@pytest.mark.parametrize("cold", [False, True])
def test_bound__moves_with_the_world(cold):
    clock = Clock(NOW + DAY)
    instance = bound(clock)
    instance = again(instance) if cold else instance
    assert wait(instance, "t").due_at == NOW + DAY

    clock.due_at = NOW + 2 * DAY
    assert wait(instance, "t").due_at == NOW + 2 * DAY
    clock.due_at = None
    assert wait(instance, "t").due_at is None
    clock.due_at = "PT3H"
    assert wait(instance, "t").due_at == NOW + 3 * HOUR
    clock.due_at = "2026-12-24T00:00:00+08:00"
    assert wait(instance, "t").due_at == datetime(2026, 12, 23, 16, tzinfo=UTC)


def test_bound__is_evaluated_as_of_the_arrival():
    seen = []

    def workdays(count):
        seen.append(context.since)
        return context.since + count * DAY

    content = (start("s"), user("a"), timer_boundary("t", on="a", duration="${workdays(5)}"), end("e"), flows("s -> a -> e", "t -> e"))
    context = Context(now=NOW, functions={"workdays": workdays}, live=frozenset({"workdays"}))
    instance = Instance.start(definition(*content), {}, context)

    context.now = NOW + 3 * HOUR
    assert wait(instance, "t").due_at == NOW + 5 * DAY

    assert set(seen) == {NOW}
    assert context.since is None


def test_bound__that_interrupts_fires_once():
    clock = Clock(NOW + DAY)
    instance = bound(clock)
    assert wait(instance, "t").repeats is False

    fire(instance, "t", at=NOW + DAY)

    assert standing(instance) == ["r"]


@pytest.mark.parametrize("cold", [False, True])
def test_bound__beside_its_activity_sleeps_until_a_later_date(cold):
    clock = Clock(NOW + DAY)
    instance = bound(clock, interrupting=False)
    assert wait(instance, "t").repeats is True

    fire(instance, "t", at=NOW + DAY + HOUR)
    instance = again(instance) if cold else instance
    assert standing(instance) == ["a", "t", "r"]
    assert wait(instance, "t").due_at is None

    clock.due_at = NOW + DAY - HOUR  # earlier: it has fired for that already
    assert wait(instance, "t").due_at is None
    clock.due_at = NOW + 3 * DAY
    assert wait(instance, "t").due_at == NOW + 3 * DAY
    fire(instance, "t", at=NOW + 3 * DAY)
    assert wait(instance, "t").due_at is None
    assert standing(instance, WaitKind.USER_TASK) == ["a", "r", "r"]


def test_bound__moved_away_while_it_was_fired():
    clock = Clock(NOW + DAY)
    instance = bound(clock, interrupting=False)
    instance.context.now = NOW + DAY
    clock.due_at = NOW + 2 * DAY

    instance.fire(wait(instance, "t").id)

    assert wait(instance, "t").due_at == NOW + 2 * DAY


def test_bound__a_failure_is_an_incident_while_it_lasts():
    clock = Clock(LookupError("no calendar of 2027"))
    instance = bound(clock)
    assert "no calendar of 2027" in incidents(instance)["t"]

    clock.due_at = NOW + DAY
    instance.retry(wait(instance, "t").id)
    assert wait(instance, "t").due_at == NOW + DAY

    clock.due_at = date(2026, 12, 1)
    assert "Expected an exact date and time" in incidents(instance)["t"]
    with pytest.raises(InstanceError, match="Expected to fire timer 3, but it is incident t"):
        instance.fire(wait(instance, "t").id)
    clock.due_at = NOW + 2 * DAY
    assert wait(instance, "t").due_at == NOW + 2 * DAY


def test_due__at_a_glance():
    """What is due is looked at without all that its wait says; who lets it go off sees the rest."""
    fixed, clock = beside(duration="PT1H"), Clock(NOW + DAY)
    timer, task = wait(fixed, "t").id, wait(fixed, "a").id
    assert (fixed.due(timer), fixed.due(task), fixed.due(99)) == (("t", NOW + HOUR), None, None)
    fixed.reschedule(timer, NOW + DAY)
    assert again(fixed).due(timer) == ("t", NOW + DAY)

    moving = bound(clock)
    clock.due_at = NOW + 2 * DAY
    assert moving.due(timer) == ("t", NOW + 2 * DAY)
    for value in (None, LookupError("no calendar of 2027")):  # not known yet; not to be told
        clock.due_at = value
        assert moving.due(timer) == ("t", None)
    fire(fixed, "t", at=NOW + DAY)
    assert fixed.due(timer) is None


def test_retry__a_bound_timer_that_has_recovered_by_itself():
    clock = Clock(NOW + DAY)
    instance = bound(clock)
    clock.due_at = LookupError("no calendar of 2027")
    failed = wait(instance, "t")
    clock.due_at = NOW + DAY

    instance.retry(failed.id)

    assert wait(instance, "t").kind is WaitKind.TIMER


def test_bound__only_where_it_calls_what_is_live():
    clock = Clock(NOW + DAY)
    instance = beside(functions={"deadline": clock.deadline}, live={"other"}, date="${deadline('promised')}")
    clock.due_at = NOW + 9 * DAY

    assert wait(instance, "t").due_at == NOW + DAY
    assert clock.asked == ["promised"]


def cycling(clock, cycle):
    return beside(functions={"deadline": clock.deadline}, live={"deadline"}, interrupting=False, cycle=cycle)


@pytest.mark.parametrize("cold", [False, True])
def test_bound__a_cycle_goes_on_from_a_date_that_moves(cold):
    clock = Clock(None)
    instance = cycling(clock, "R3/${deadline('warning')}/P1D")
    assert wait(instance, "t").due_at is None

    clock.due_at = NOW + 2 * DAY
    assert wait(instance, "t").due_at == NOW + 2 * DAY
    clock.due_at = NOW + 4 * DAY
    for day in (4, 5, 6):
        instance = again(instance) if cold else instance
        assert (wait(instance, "t").due_at, wait(instance, "t").repeats) == (NOW + day * DAY, True)
        fire(instance, "t", at=NOW + day * DAY)
    assert wait(instance, "t").due_at is None
    assert standing(instance, WaitKind.USER_TASK) == ["a", "r", "r", "r"]

    clock.due_at = NOW + 10 * DAY
    assert wait(instance, "t").due_at == NOW + 10 * DAY


def test_bound__a_cycle_makes_one_of_what_it_has_missed():
    instance = cycling(Clock(NOW + DAY), "R/${deadline('warning')}/P1D")

    fire(instance, "t", at=NOW + 5 * DAY + HOUR)

    assert wait(instance, "t").due_at == NOW + 6 * DAY
