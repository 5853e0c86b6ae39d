"""The legal clock: due dates, pauses, lights."""

from datetime import date, timedelta

import pytest

from engine.clock import DueDate, Extension, Forewarning, Ledger, Light
from tests import clocks
from tests.clocks import CALENDAR, clock, due_date, natural, pause, working


def extension(days):
    return Extension(on=date(2026, 9, 20), days=days, reason="情况复杂", notice="Y-1")


def september(day):
    return date(2026, 9, day)


# Due dates


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 2, 12), 5, date(2026, 2, 26)),
        (date(2026, 2, 13), 10, date(2026, 3, 5)),
        (date(2026, 4, 30), 5, date(2026, 5, 11)),
        (date(2026, 9, 30), 5, date(2026, 10, 13)),
        (date(2026, 9, 14), 10, date(2026, 9, 28)),
        (date(2026, 9, 14), 0, date(2026, 9, 14)),  # on the spot
    ],
)
def test_due__without_pauses(start, days, due):
    assert clock(Ledger(started_on=start), working(days)).due() == DueDate(date=due, provisional=False)


@pytest.mark.parametrize(
    "pauses",
    [
        [(18, 24)],
        [(18, 22), (21, 24)],  # overlapping: no day is subtracted twice
        [(21, 24), (18, 22)],
        [(18, 24), (20, 21)],  # one within the other
        [(18, 20), (21, 24)],  # one right after the other
        [(18, 24), (18, 24)],
        [(18, 27)],  # 25 to 27 are days off
    ],
)
def test_due__with_pauses(pauses):
    ledger = Ledger(started_on=september(14), pauses=tuple(pause(september(a), september(b)) for a, b in pauses))

    assert due_date(ledger, working(10)) == date(2026, 10, 12)


def test_due__the_days_of_pausing_and_resuming_do_not_count():
    one_day = Ledger(started_on=september(14), pauses=(pause(september(18), september(18)),))

    assert clock(one_day, working(10)).used(september(17)) == 3
    assert clock(one_day, working(10)).used(september(18)) == 3
    assert due_date(one_day, working(10)) == september(29)


def test_due__paused_on_the_day_of_the_start():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(14), september(15)),))

    assert due_date(ledger, working(1)) == september(16)


def test_due__while_a_pause_is_open():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(18)),))

    assert clock(ledger, working(10)).due() is None
    assert clock(ledger, working(10)).turns_yellow() is None
    assert clock(ledger, working(10)).used(september(30)) == 3
    assert clock(ledger, working(10)).remaining(september(30)) == 7


def test_due__a_pause_that_begins_after_the_limit_ran_out():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(29)),))

    assert due_date(ledger, working(10)) == september(28)
    assert clocks.light(ledger, working(10), september(29)) == Light.RED


def test_due__a_pause_that_begins_on_the_last_day():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(28), september(29)),))

    assert due_date(ledger, working(10)) == september(30)


def test_due__extended():
    ledger = Ledger(started_on=september(14), extensions=(extension(2), extension(1)))

    assert due_date(ledger, working(10)) == CALENDAR.add(september(14), 13)


def test_due__crossing_into_a_year_that_is_not_published():
    ledger = Ledger(started_on=date(2026, 12, 28))

    assert clock(ledger, working(3)).due() == DueDate(date=date(2026, 12, 31), provisional=False)
    assert clock(ledger, working(4)).due() == DueDate(date=date(2027, 1, 4), provisional=True)


def test_due__a_pause_that_reaches_into_a_year_that_is_not_published():
    ledger = Ledger(started_on=date(2026, 12, 1), pauses=(pause(date(2026, 12, 2), date(2027, 1, 10)),))

    assert clock(ledger, working(1)).due() == DueDate(date=date(2027, 1, 11), provisional=True)


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (0, date(2026, 9, 18)),
        (5, date(2026, 9, 23)),
        (6, date(2026, 9, 24)),
        (7, date(2026, 9, 28)),  # 25 to 27 are days off
        (12, date(2026, 9, 30)),
        (13, date(2026, 10, 8)),  # 1 to 7 October are days off
    ],
)
def test_due__in_calendar_days_ends_on_a_working_day(days, due):
    assert due_date(Ledger(started_on=september(18)), natural(days)) == due


def test_due__in_calendar_days_with_a_pause():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(16), september(18)),))

    assert due_date(ledger, natural(6)) == september(23)


@pytest.mark.parametrize(
    ("paused", "due"),
    [
        (pause(september(26), september(27)), september(28)),  # over before the limit is
        (pause(september(26), september(28)), september(29)),
        (pause(september(28), september(30)), date(2026, 10, 8)),  # 1 to 7 October are days off
        (pause(september(28)), None),
        (pause(september(29)), september(28)),  # it had run out
    ],
)
def test_due__in_calendar_days_with_a_pause_on_the_working_day_to_which_it_moved(paused, due):
    """The seventh day is the 25th, a day off like the next two: until the end of the 28th the limit has not run out."""
    ledger = Ledger(started_on=september(18), pauses=(paused,))

    assert due_date(ledger, natural(7)) == due
    assert (clocks.light(ledger, natural(7), september(29)) == Light.RED) == (due == september(28))


# Used and remaining


@pytest.mark.parametrize(
    ("today", "used", "remaining"),
    [
        (september(13), 0, 10),
        (september(14), 0, 10),
        (september(15), 1, 9),
        (september(19), 4, 6),  # a Saturday off
        (september(20), 5, 5),  # a Sunday that is worked
        (september(28), 10, 0),
        (september(29), 11, -1),
    ],
)
def test_remaining__as_days_go_by(today, used, remaining):
    ledger = Ledger(started_on=september(14))

    assert clock(ledger, working(10)).used(today) == used
    assert clock(ledger, working(10)).remaining(today) == remaining


def test_remaining__does_not_count_a_pause_to_come():
    ledger = Ledger(started_on=september(14), pauses=(pause(september(18), september(24)),))

    assert clock(ledger, working(10)).remaining(september(17)) == 7
    assert clock(ledger, working(10)).remaining(september(24)) == 7


def test_remaining__in_calendar_days_over_days_off_at_the_end():
    ledger = Ledger(started_on=september(18))

    assert clock(ledger, natural(7)).remaining(september(25)) == 3
    assert clock(ledger, natural(7)).remaining(september(28)) == 0
    assert clock(ledger, natural(7)).remaining(september(29)) == -1


def test_remaining__after_the_clock_has_stopped():
    ledger = Ledger(started_on=september(14), stopped_on=september(16))

    assert clock(ledger, working(10)).used(september(30)) == 2
    assert clock(ledger, working(10)).remaining(september(30)) == 8


# Lights


@pytest.mark.parametrize(
    ("days", "first_yellow", "first_red"),
    [
        (0, september(14), september(15)),
        (1, september(15), september(16)),
        (5, september(20), september(21)),  # 90 % of five days is the fifth
        (10, september(24), september(29)),  # nine of ten days are 90 %, and one is left
        (20, date(2026, 10, 15), date(2026, 10, 17)),  # 90 % is earlier, but two days are left then
    ],
)
def test_light__turns_yellow_and_red(days, first_yellow, first_red):
    ledger = Ledger(started_on=september(14))
    day_before = timedelta(days=1)

    def light(today):
        return clocks.light(ledger, working(days), today)

    assert clock(ledger, working(days)).turns_yellow() == first_yellow
    assert light(first_yellow - day_before) == Light.GREEN
    assert light(first_yellow) == Light.YELLOW
    assert light(first_red - day_before) == Light.YELLOW
    assert light(first_red) == Light.RED


@pytest.mark.parametrize(
    ("forewarning", "first_yellow"),
    [
        (Forewarning(days_left=1, used_percent=0), date(2026, 10, 15)),  # only: one working day before
        (Forewarning(days_left=99, used_percent=90), date(2026, 10, 14)),  # only: 90 % of the promise
        (Forewarning(days_left=3, used_percent=0), date(2026, 10, 13)),
        (Forewarning(days_left=99, used_percent=0), september(14)),
    ],
)
def test_turns_yellow__by_the_rule_of_the_place(forewarning, first_yellow):
    ledger = Ledger(started_on=september(14))

    assert clock(ledger, working(20)).turns_yellow(forewarning) == first_yellow
    assert clocks.light(ledger, working(20), first_yellow, forewarning) == Light.YELLOW


def test_light__over_the_spring_festival_with_an_inspection_in_between():
    ledger = Ledger(started_on=date(2026, 2, 11), pauses=(pause(date(2026, 2, 13), date(2026, 2, 25)),))

    assert due_date(ledger, working(5)) == date(2026, 3, 2)  # 02-12, 02-26, 02-27, Saturday 02-28, 03-02
    assert clock(ledger, working(5)).turns_yellow() == date(2026, 3, 2)


def test_light__while_a_pause_is_open():
    early = Ledger(started_on=september(14), pauses=(pause(september(18)),))
    late = Ledger(started_on=september(14), pauses=(pause(september(28)),))

    assert clocks.light(early, working(10), date(2026, 12, 31)) == Light.GREEN
    assert clocks.light(late, working(10), date(2026, 12, 31)) == Light.YELLOW


def test_light__after_the_clock_has_stopped():
    in_time = Ledger(started_on=september(14), stopped_on=september(16))
    on_the_last_day = Ledger(started_on=september(14), stopped_on=september(28))
    late = Ledger(started_on=september(14), stopped_on=september(29))

    assert clocks.light(in_time, working(10), date(2026, 12, 31)) == Light.GREEN
    assert clocks.light(on_the_last_day, working(10), date(2026, 12, 31)) == Light.GREEN
    assert clocks.light(late, working(10), date(2026, 12, 31)) == Light.RED


# What is refused


def test_ledger__nothing_happens_before_the_start():
    with pytest.raises(ValueError, match="Expected nothing before the clock started on 2026-09-14, but found 2026-09-13"):
        Ledger(started_on=september(14), pauses=(pause(september(13)),))
    with pytest.raises(ValueError, match="but found 2026-09-13"):
        Ledger(started_on=september(14), stopped_on=september(13))


def test_pause__that_ends_before_it_begins():
    with pytest.raises(ValueError, match="Expected a pause since 2026-09-18 to end on that day or later, but it ends on 2026-09-17"):
        pause(september(18), september(17))


def test_extension__of_no_days():
    with pytest.raises(ValueError, match="Expected an extension of at least one day, but found 0"):
        extension(0)


def test_time_limit__of_less_than_nothing():
    with pytest.raises(ValueError, match="Expected a time limit of zero or more days, but found -1"):
        working(-1)
