"""Working calendars: what the year files say, what counts, and what is refused."""

import copy
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import calendars
from engine.errors import InvalidInput

FOLDER = Path(__file__).parents[2] / "workflows" / "calendars"
CALENDAR = calendars.load(FOLDER)
DAYS = st.dates(date(2005, 1, 1), date(2060, 12, 31))


def document(year=2026, **changes):
    """A small year that is right, with some fields replaced."""
    sources = [
        {
            "number": "国办发明电〔2025〕7号",
            "title": "通知",
            "issued_by": "国务院办公厅",
            "date": "2025-11-04",
            "url": "https://www.gov.cn/",
        }
    ]
    days = [
        {"date": "2026-01-01", "weekday": "周四", "kind": "day_off", "holiday": "元旦"},
        {"date": "2026-01-04", "weekday": "周日", "kind": "make_up_day", "holiday": "元旦"},
    ]
    return {"year": year, "sources": sources, "days": days} | changes


def with_day(**changes):
    """A small year whose second day is changed."""
    changed = copy.deepcopy(document())
    changed["days"][1] |= changes
    return changed


# The shipped years


@pytest.mark.parametrize(("year", "working_days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_count__a_published_year(year, working_days):
    assert CALENDAR.count(date(year - 1, 12, 31), date(year, 12, 31)) == working_days


def test_is_working_day__agrees_with_an_independent_copy_of_the_notices():
    every_day = [date(2024, 1, 1) + timedelta(days=i) for i in range(366 + 365 + 365)]

    ours = [day for day in every_day if CALENDAR.is_working_day(day)]

    assert ours == [day for day in every_day if chinese_calendar.is_workday(day)]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_load__a_shipped_year_names_its_notice(path):
    (year,) = calendars.load(path).years

    assert path.stem == str(year.year)
    assert year.sources[0].title == f"国务院办公厅关于{year.year}年部分节假日安排的通知"
    assert year.sources[0].number.startswith("国办发明电〔")
    assert year.sources[0].date.year == year.year - 1


@pytest.mark.parametrize(
    ("receipt", "n", "due"),
    [
        (date(2026, 2, 12), 5, date(2026, 2, 26)),  # over the Spring Festival; Saturday 02-14 is worked
        (date(2026, 2, 13), 10, date(2026, 3, 5)),
        (date(2026, 4, 30), 5, date(2026, 5, 11)),  # Saturday 05-09 is worked
        (date(2026, 9, 30), 5, date(2026, 10, 13)),  # Saturday 10-10 is worked
        (date(2026, 9, 14), 10, date(2026, 9, 28)),  # Sunday 09-20 is worked
        (date(2026, 2, 15), 1, date(2026, 2, 24)),  # received on a day off
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # received on a make-up day
    ],
)
def test_add__the_day_of_receipt_does_not_count(receipt, n, due):
    assert CALENDAR.add(receipt, n) == due


# Laws of counting


@given(DAYS, st.integers(0, 400))
def test_count__what_was_added(day, n):
    assert CALENDAR.count(day, CALENDAR.add(day, n)) == n


@given(DAYS, st.integers(1, 400))
def test_add__lands_on_a_working_day(day, n):
    assert CALENDAR.is_working_day(CALENDAR.add(day, n))
    assert CALENDAR.is_working_day(CALENDAR.add(day, -n))


@given(DAYS, st.integers(1, 400))
def test_add__backwards_undoes_forwards_from_a_working_day(day, n):
    working = CALENDAR.at_or_after(day)

    assert CALENDAR.add(CALENDAR.add(working, n), -n) == working


@given(DAYS, DAYS, DAYS)
def test_count__is_additive(a, b, c):
    assert CALENDAR.count(a, b) + CALENDAR.count(b, c) == CALENDAR.count(a, c)


@given(DAYS, st.integers(0, 60))
def test_count__day_by_day(day, length):
    days = [day + timedelta(days=i + 1) for i in range(length)]

    assert CALENDAR.count(day, day + timedelta(days=length)) == sum(map(CALENDAR.is_working_day, days))


@pytest.mark.parametrize(
    ("day", "n"), [(date(1999, 12, 31), 1), (date(2101, 1, 1), 1), (date(2100, 12, 1), 100), (date(2000, 1, 10), -100)]
)
def test_add__outside_the_years_that_a_calendar_speaks_of(day, n):
    with pytest.raises(InvalidInput, match="Expected a date from 2000 to 2100, but"):
        CALENDAR.add(day, n)


# Years that are not published


def test_is_provisional__before_and_after_the_published_years():
    assert CALENDAR.provisional_after == date(2026, 12, 31)
    assert not CALENDAR.is_provisional(date(2024, 1, 1))
    assert not CALENDAR.is_provisional(date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2023, 12, 31))
    assert CALENDAR.is_provisional(date(2027, 1, 1))


def test_is_working_day__of_an_unpublished_year_knows_only_fixed_holidays():
    off = [
        day for day in (date(2027, 1, 1) + timedelta(days=i) for i in range(365)) if day.weekday() < 5 and not CALENDAR.is_working_day(day)
    ]

    assert off == [date(2027, 1, 1), date(2027, 10, 1)]  # 05-01, 05-02, 10-02 and 10-03 fall on a weekend


def test_add__a_year_arrives_and_the_answer_changes():
    published = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    before, after = calendars.load(published[:2]), calendars.load(published)

    assert before.relies_on_guess(date(2025, 12, 31), before.add(date(2025, 12, 31), 1))
    assert before.add(date(2025, 12, 31), 1) == date(2026, 1, 2)
    assert after.add(date(2025, 12, 31), 1) == date(2026, 1, 4)
    assert before.version != after.version


@pytest.mark.parametrize(
    ("a", "b", "guessed"),
    [
        (date(2023, 12, 31), date(2024, 1, 5), False),  # the day of receipt itself does not count
        (date(2023, 12, 30), date(2024, 1, 5), True),
        (date(2026, 12, 30), date(2026, 12, 31), False),
        (date(2026, 12, 31), date(2027, 1, 4), True),
        (date(2027, 5, 5), date(2027, 5, 5), False),  # no day was counted
    ],
)
def test_relies_on_guess__any_counted_day_is_provisional(a, b, guessed):
    assert CALENDAR.relies_on_guess(a, b) is guessed


# Version


def test_version__does_not_depend_on_the_order_or_the_words_of_the_sources():
    sources = copy.deepcopy(document()["sources"])
    sources[0]["title"] = "a better title"

    same = calendars.load([document(sources=sources, days=list(reversed(document()["days"])))])

    assert same.version == calendars.load([document()]).version
    assert same.version != calendars.load([document(days=document()["days"][:1])]).version


# What is refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (with_day(weekday="周六"), r"days\[1\]\.weekday: Expected 周日 for 2026-01-04, but found '周六'"),
        (with_day(weekday=None), r"days\[1\]\.weekday: Expected 周日 for 2026-01-04, but found None"),
        (
            with_day(date="2026-01-05", weekday="周一"),
            r"days\[1\]\.date: Expected a make-up day to be 周六 or 周日, but 2026-01-05 is 周一",
        ),
        (
            with_day(date="2026-01-01", weekday="周四", kind="day_off"),
            r"days\[1\]\.date: Expected each date once, but 2026-01-01 is there again",
        ),
        (with_day(date="2027-01-03"), r"days\[1\]\.date: Expected a date of 2026, but found 2027-01-03"),
        (with_day(kind="holiday"), r"days\[1\]\.kind: Expected one of day_off, make_up_day for 2026-01-04, but found 'holiday'"),
        (with_day(kind=["day_off"]), r"days\[1\]\.kind: Expected one of"),
        (with_day(holiday=" "), r"days\[1\]\.holiday: Expected a text, but found ' '"),
        (with_day(date="20260104"), r"days\[1\]\.date: Expected a date as in 2026-01-31, but found '20260104'"),
        (with_day(date="2026-02-30"), r"days\[1\]\.date: Expected a date as in 2026-01-31, but found '2026-02-30'"),
        (with_day(date=20260104), r"days\[1\]\.date: Expected a text, but found 20260104"),
        (with_day(note="x"), r"days\[1\]: Expected only the fields date, weekday, kind, holiday, but found 'note'"),
        (document(days=[]), "days: Expected a list with at least one entry, but found"),
        (document(days={"a": 1}), "days: Expected a list with at least one entry, but found"),
        (document(days=["2026-01-01"]), r"days\[0\]: Expected an object with date, weekday, kind, holiday, but found '2026-01-01'"),
        (document(sources=[]), "sources: Expected a list with at least one entry"),
        (document(sources=[{"number": "x"}]), r"sources\[0\]: Expected the field title, but it is missing"),
        (document(year="2026"), "year: Expected a year from 2000 to 2100, but found '2026'"),
        (document(year=True), "year: Expected a year from 2000 to 2100, but found True"),
        (document(year=1999), "year: Expected a year from 2000 to 2100, but found 1999"),
        ({"year": 2026}, "Expected the field sources, but it is missing"),
        ([], r"Expected an object with year, sources, days, but found \[\]"),
    ],
)
def test_load__a_wrong_document(wrong, message):
    with pytest.raises(InvalidInput, match="^calendar 0: " + message):
        calendars.load([wrong])


def test_load__no_year_two_of_one_year_and_a_gap():
    year_2028 = document(2028, days=[{"date": "2028-01-01", "weekday": "周六", "kind": "day_off", "holiday": "元旦"}])

    with pytest.raises(InvalidInput, match="Expected the calendar of at least one year, but there is none"):
        calendars.load([])
    with pytest.raises(InvalidInput, match="Expected one calendar for each year, but there are two for 2026"):
        calendars.load([document(), document()])
    with pytest.raises(InvalidInput, match="Expected calendars of consecutive years, but 2027 is missing before 2028"):
        calendars.load([document(), year_2028])


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2", b"[" * 100_000], ids=["empty", "cut", "not UTF-8", "open", "deep"])
def test_load__a_file_that_is_no_json_is_named(tmp_path, content):
    (tmp_path / "2026.json").write_bytes(content)

    with pytest.raises(InvalidInput, match=r"^2026\.json: Expected to read a JSON document, but"):
        calendars.load(tmp_path)


def test_load__a_file_that_is_not_there(tmp_path):
    with pytest.raises(InvalidInput, match=r"^2099\.json: Expected to read a JSON document, but"):
        calendars.load(tmp_path / "2099.json")


# The legal day


def test_local_date__just_before_and_at_midnight_in_beijing():
    midnight = datetime(2026, 2, 12, 16, 0, tzinfo=UTC)

    assert calendars.local_date(midnight - timedelta(microseconds=1)) == date(2026, 2, 12)
    assert calendars.local_date(midnight) == date(2026, 2, 13)
    assert calendars.local_date(midnight.astimezone(timezone(timedelta(hours=-5)))) == date(2026, 2, 13)


def test_local_date__without_a_time_zone():
    with pytest.raises(ValueError, match="Expected a moment with a time zone, but 2026-02-12 00:00:00 has none"):
        calendars.local_date(datetime(2026, 2, 12))  # noqa: DTZ001 — that is the point


@given(DAYS)
def test_end_of__is_the_first_moment_of_the_next_day(day):
    end = calendars.end_of(day)

    assert end == calendars.start_of(day + timedelta(days=1))
    assert end - calendars.start_of(day) == timedelta(days=1)
    assert end.tzinfo is UTC
    assert calendars.local_date(calendars.start_of(day)) == day
    assert calendars.local_date(end) == day + timedelta(days=1)


def test_end_of__in_utc():
    assert calendars.end_of(date(2026, 2, 26)) == datetime(2026, 2, 26, 16, 0, tzinfo=UTC)
