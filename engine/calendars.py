"""Working calendars (工作日历): which days count, and when a day begins and ends.

calendar = calendars.load(Path("workflows/calendars"))
calendar.add(date(2026, 2, 12), 5)  # → 2026-02-26: the day of receipt does not count, make-up days do
"""

from __future__ import annotations

import hashlib
import itertools
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from engine import calendar_years
from engine.calendar_years import FIRST_YEAR, LAST_YEAR, SATURDAY, CalendarYear, DayKind
from engine.errors import InvalidInput

#: The legal local time, Asia/Shanghai.  Without summer time since 1991, so no time zone database is needed.
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

#: Statutory holidays with a fixed date (全国年节及纪念日放假办法, 2024 revision, art. 2): month and day.
#: The others follow the moon or the solar terms, and make-up days follow nothing: both must be published.
FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))

#: When the notice of the next year should be there, month and day: it comes in October or November, as a rule.
EXPECTED = (11, 15)


class WorkingCalendar:
    """Working days (工作日) of the published years, and a provisional guess for all others.

    Immutable.  A year without a published arrangement is taken to work from Monday to Friday except on
    `FIXED_HOLIDAYS`; dates that rest on it are provisional and must be computed again with the next version.
    """

    def __init__(self, years: Iterable[CalendarYear]) -> None:
        """Raise InvalidInput unless the years are at least one, distinct and consecutive."""
        #: The published years, in order.
        self.years = tuple(sorted(years, key=lambda year: year.year))
        _refuse_gaps([year.year for year in self.years])
        #: The first and the last day for which this calendar is published.
        self.published_from = date(self.years[0].year, 1, 1)
        self.provisional_after = date(self.years[-1].year, 12, 31)
        #: Names the content: equal versions give equal answers.
        self.version = _version(self.years)
        self._ordinals = _working_ordinals(self.years)

    def is_working_day(self, day: date) -> bool:
        """Tell whether the day counts."""
        ordinal = _ordinal(day)
        place = bisect_left(self._ordinals, ordinal)
        return place < len(self._ordinals) and self._ordinals[place] == ordinal

    def add(self, day: date, n: int) -> date:
        """Give the n-th working day after `day`, which itself does not count; before it when n is negative.

        Zero gives `day` itself, working or not.
        """
        if n == 0:
            return day
        place = bisect_right(self._ordinals, _ordinal(day)) + n - 1 if n > 0 else bisect_left(self._ordinals, _ordinal(day)) + n
        if not 0 <= place < len(self._ordinals):
            raise InvalidInput(f"Expected a date from {FIRST_YEAR} to {LAST_YEAR}, but {n} working days from {day} lie outside")
        return date.fromordinal(self._ordinals[place])

    def count(self, a: date, b: date) -> int:
        """Count the working days after `a` up to and including `b`; negative when `b` is the earlier one.

        `count(a, b) + count(b, c) == count(a, c)`, and `count(a, add(a, n)) == n` for n ≥ 0.
        """
        return bisect_right(self._ordinals, _ordinal(b)) - bisect_right(self._ordinals, _ordinal(a))

    def at_or_after(self, day: date) -> date:
        """Give the day itself when it is a working day, else the next one that is."""
        return day if self.is_working_day(day) else self.add(day, 1)

    def is_provisional(self, day: date) -> bool:
        """Tell whether the day lies in a year whose arrangement is not published here."""
        return not self.published_from <= day <= self.provisional_after

    def missing(self, day: date) -> int | None:
        """Give the first year whose arrangement should be published here by a day, and is not: from `EXPECTED` on the next."""
        year = self.provisional_after.year + 1
        return year if (day.year, (day.month, day.day)) >= (year - 1, EXPECTED) else None

    def relies_on_guess(self, a: date, b: date) -> bool:
        """Tell whether any day after `a` up to and including `b` is provisional."""
        return a < b and (self.is_provisional(a + timedelta(days=1)) or self.is_provisional(b))


def load(source: Path | Sequence[Mapping[str, Any]]) -> WorkingCalendar:
    """Build the calendar from a folder of year files, one such file, or parsed year documents.

    Raises InvalidInput, naming file, field and date; nothing is skipped or repaired.
    """
    if not isinstance(source, Path):
        return WorkingCalendar(calendar_years.read(document, name=f"calendar {i}") for i, document in enumerate(source))
    paths = sorted(source.glob("*.json")) if source.is_dir() else [source]
    return WorkingCalendar([calendar_years.read_file(path) for path in paths])


def local_date(moment: datetime) -> date:
    """Give the Beijing date of an aware moment."""
    if moment.tzinfo is None:
        raise ValueError(f"Expected a moment with a time zone, but {moment} has none")
    return moment.astimezone(BEIJING).date()


def start_of(day: date) -> datetime:
    """Give the moment (UTC) at which the day begins: 00:00 in Beijing."""
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Give the moment (UTC) at which the day is over: 24:00 in Beijing, which is no longer part of it."""
    return start_of(day + timedelta(days=1))


def _refuse_gaps(years: Sequence[int]) -> None:
    if not years:
        raise InvalidInput("Expected the calendar of at least one year, but there is none")
    for earlier, later in itertools.pairwise(years):
        if later == earlier:
            raise InvalidInput(f"Expected one calendar for each year, but there are two for {later}")
        if later != earlier + 1:
            raise InvalidInput(f"Expected calendars of consecutive years, but {earlier + 1} is missing before {later}")


def _version(years: Iterable[CalendarYear]) -> str:
    # The sources do not count: a corrected title must not make every deadline look stale.
    content = [[year.year, [[day.date.isoformat(), day.kind] for day in year.days]] for year in years]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _working_ordinals(years: Iterable[CalendarYear]) -> list[int]:
    """Days are counted here, not made: each process does this before its first answer, for a hundred years."""
    published = {year.year: year for year in years}
    guessed = [year for year in range(FIRST_YEAR, LAST_YEAR + 1) if year not in published]
    works = {date(year, *day).toordinal(): False for year in guessed for day in FIXED_HOLIDAYS}
    works |= {day.date.toordinal(): day.kind == DayKind.MAKE_UP_DAY for year in published.values() for day in year.days}
    first, last = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
    # They begin with a Monday.
    return [ordinal for ordinal in range(first, last + 1) if works.get(ordinal, (ordinal - 1) % 7 < SATURDAY)]


def _ordinal(day: date) -> int:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput(f"Expected a date from {FIRST_YEAR} to {LAST_YEAR}, but found {day}")
    return day.toordinal()
