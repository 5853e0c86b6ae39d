"""The legal clock: laws that hold whatever happened."""

import itertools
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import DayUnit, Ledger, Light, LimitKind, TimeLimit, merged
from tests.clocks import CALENDAR, clock, due_date, light, pause, working

STARTS = st.dates(date(2024, 1, 1), date(2026, 12, 31))
LIMITS = st.builds(TimeLimit, kind=st.just(LimitKind.PROMISED), days=st.integers(0, 60), unit=st.sampled_from(DayUnit))


@st.composite
def ledgers(draw, *, open_pauses=False):
    start = draw(STARTS)
    pauses = []
    for _ in range(draw(st.integers(0, 4))):
        since = start + timedelta(days=draw(st.integers(0, 60)))
        until = since + timedelta(days=draw(st.integers(0, 30)))
        pauses.append(pause(since, None if open_pauses and draw(st.booleans()) else until))
    return Ledger(started_on=start, pauses=tuple(pauses))


def is_paused(ledger, day):
    return any(p.since <= day and (p.until is None or day <= p.until) for p in ledger.pauses)


@given(ledgers(), LIMITS)
def test_due__is_found_day_by_day(ledger, limit):
    day, left = ledger.started_on, limit.days
    while left:
        day += timedelta(days=1)
        counts = limit.unit == DayUnit.CALENDAR or CALENDAR.is_working_day(day)
        left -= counts and not is_paused(ledger, day)
    postponed = limit.unit == DayUnit.CALENDAR and not CALENDAR.is_working_day(day)
    while postponed and (not CALENDAR.is_working_day(day) or is_paused(ledger, day)):
        day += timedelta(days=1)

    assert due_date(ledger, limit) == day


@given(ledgers(), LIMITS, st.integers(0, 60), st.integers(0, 30))
def test_due__a_pause_never_brings_it_forward(ledger, limit, offset, length):
    since = ledger.started_on + timedelta(days=offset)
    paused_more = Ledger(started_on=ledger.started_on, pauses=(*ledger.pauses, pause(since, since + timedelta(days=length))))

    assert due_date(paused_more, limit) >= due_date(ledger, limit)


@given(ledgers(open_pauses=True), LIMITS, st.randoms(use_true_random=False))
def test_due__order_and_overlap_of_pauses_do_not_matter(ledger, limit, random):
    shuffled = list(ledger.pauses)
    random.shuffle(shuffled)
    union = tuple(pause(since, until) for since, until in merged(ledger.pauses))

    assert due_date(Ledger(started_on=ledger.started_on, pauses=tuple(shuffled)), limit) == due_date(ledger, limit)
    assert due_date(Ledger(started_on=ledger.started_on, pauses=union), limit) == due_date(ledger, limit)
    assert due_date(Ledger(started_on=ledger.started_on, pauses=ledger.pauses * 2), limit) == due_date(ledger, limit)


@given(ledgers(open_pauses=True))
def test_merged__is_disjoint_ordered_and_covers_the_same_days(ledger):
    union = merged(ledger.pauses)
    days = [ledger.started_on + timedelta(days=i) for i in range(100)]

    assert all(a[1] is not None and a[1] < b[0] for a, b in itertools.pairwise(union))
    assert [any(since <= day and (until is None or day <= until) for since, until in union) for day in days] == [
        is_paused(ledger, d) for d in days
    ]


@given(ledgers(), st.integers(0, 60), st.integers(0, 60))
def test_due__a_pause_of_no_working_days_changes_nothing(ledger, days, offset):
    since = ledger.started_on + timedelta(days=offset)
    until = CALENDAR.at_or_after(since) - timedelta(days=1)
    if until < since:
        return  # a working day: there is no such pause
    paused_more = Ledger(started_on=ledger.started_on, pauses=(*ledger.pauses, pause(since, until)))

    assert due_date(paused_more, working(days)) == due_date(ledger, working(days))


@given(ledgers(open_pauses=True), st.integers(0, 60), st.integers(0, 150))
def test_remaining__and_used_make_up_the_limit_until_it_runs_out(ledger, days, offset):
    today = ledger.started_on + timedelta(days=offset)
    used = clock(ledger, working(days)).used(today)
    remaining = clock(ledger, working(days)).remaining(today)

    assert used <= days or remaining < 0
    assert used + remaining == days or remaining < 0


@given(ledgers(open_pauses=True), LIMITS, st.integers(0, 150))
def test_light__is_red_exactly_when_nothing_remains(ledger, limit, offset):
    today = ledger.started_on + timedelta(days=offset)
    due = due_date(ledger, limit)

    assert (light(ledger, limit, today) == Light.RED) == (due is not None and today > due)


@given(ledgers(open_pauses=True), LIMITS)
def test_light__never_turns_back_by_itself(ledger, limit):
    order = list(Light)
    colours = [order.index(light(ledger, limit, ledger.started_on + timedelta(days=i))) for i in range(150)]

    assert colours == sorted(colours)
