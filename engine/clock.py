"""The legal clock (时限): how days are counted, from a ledger of intervals to dates and lights.  No database, no wall clock.

`item_clock` and `bundle_clock` say which ledger and which limit a `Clock` is made of; `moments` says what time it is.

The day on which the clock starts does not count (民法典 art. 201), and neither does a day on which the clock is
paused at any time: the days of pausing and of resuming are both paused days.  Overlapping pauses are one pause.
A new pause or a new calendar gives a new answer; what is kept of an answer, so that lists can be sorted by it, is a `Dial`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from engine.calendars import WorkingCalendar


class LimitKind(StrEnum):
    """Who set a time limit."""

    STATUTORY = "statutory"  #: 法定时限: the law
    PROMISED = "promised"  #: 承诺时限: the department's published promise


class DayUnit(StrEnum):
    """Which days count."""

    WORKING = "working"  #: 工作日 (行政许可法 art. 82)
    CALENDAR = "calendar"  #: 自然日; a last day that is no working day moves to the next one (民法典 art. 203)


class EntryKind(StrEnum):
    """What an entry of a ledger says."""

    STARTED = "started"
    PAUSED = "paused"
    EXTENDED = "extended"
    STOPPED = "stopped"


class PauseKind(StrEnum):
    """Why the days do not count: the special procedures of 行政许可法 art. 45, and waiting for the applicant."""

    HEARING = "hearing"  #: 听证
    TENDER = "tender"  #: 招标
    AUCTION = "auction"  #: 拍卖
    INSPECTION = "inspection"  #: 检验
    SITE_INSPECTION = "site_inspection"  #: 现场核查、勘验
    TESTING = "testing"  #: 检测
    QUARANTINE = "quarantine"  #: 检疫
    APPRAISAL = "appraisal"  #: 鉴定
    EXPERT_REVIEW = "expert_review"  #: 专家评审
    SUPPLEMENT = "supplement"  #: 补正: the applicant was asked to complete the materials
    TOLERANCE_OVERDUE = "tolerance_overdue"  #: 容缺逾期: a promised material has not come
    OTHER = "other"  #: 其他特别程序, with its legal basis in the reason


class Light(StrEnum):
    """How a clock looks to a supervisor (红黄灯)."""

    GREEN = "green"  #: in time
    YELLOW = "yellow"  #: about to run out
    RED = "red"  #: has run out


@dataclass(frozen=True, kw_only=True)
class TimeLimit:
    """A time limit (时限) as published: a kind and a number of days."""

    kind: LimitKind
    #: Zero: on the spot, the day of receipt itself.
    days: int
    unit: DayUnit = DayUnit.WORKING

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError(f"Expected a time limit of zero or more days, but found {self.days}")


@dataclass(frozen=True, kw_only=True)
class Pause:
    """An interval in which no day counts."""

    #: First and last paused day; None while the pause is open.
    since: date
    until: date | None
    kind: PauseKind
    #: Why, in words that the applicant reads.
    reason: str
    #: Number of the written notice that told the applicant how long it will take, and the working days that it says; None: not known.
    notice: str
    days: int | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise ValueError(f"Expected a pause since {self.since} to end on that day or later, but it ends on {self.until}")


@dataclass(frozen=True, kw_only=True)
class Extension:
    """Days added to the limit (延长), in the unit of the limit."""

    #: When it was approved.
    on: date
    days: int
    reason: str
    notice: str

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"Expected an extension of at least one day, but found {self.days}")


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What happened to one clock that has started; the order of its entries does not matter."""

    started_on: date
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()
    #: The day of the decision, or of another end; no day after it counts.
    stopped_on: date | None = None

    def __post_init__(self) -> None:
        for day in (self.stopped_on, *(pause.since for pause in self.pauses)):
            if day is not None and day < self.started_on:
                raise ValueError(f"Expected nothing before the clock started on {self.started_on}, but found {day}")


@dataclass(frozen=True, kw_only=True)
class DueDate:
    """The last day of a time limit (到期日)."""

    date: date
    #: Whether it rests on a year whose calendar is not published yet; it may move.
    provisional: bool


@dataclass(frozen=True, kw_only=True)
class Forewarning:
    """When a clock turns yellow (预警): as soon as *both* hold.

    Places that know only one of the two rules set the other to what always holds: `used_percent=0`, or a
    `days_left` of more than any limit.
    """

    #: At most so many days are left after today.
    days_left: int = 1
    #: At least so much of the limit is used.
    used_percent: int = 90


USUAL = Forewarning()


@dataclass(frozen=True, kw_only=True)
class Dial:
    """What a clock that has started gives until its ledger or the calendar changes (表盘)."""

    #: None while an open pause keeps it unknown.
    due: DueDate | None
    green_from: date
    #: None: never, as things stand.
    yellow_from: date | None
    red_from: date | None

    def stopped(self, on: date) -> Dial:
        """Give the dial of the clock once it has stopped: red for good when that was too late, else green for good."""
        late = self.red_from is not None and self.red_from <= on
        return self if late else replace(self, yellow_from=None, red_from=None)


class _Days(Protocol):
    """Days that count, numbered one after the other."""

    def add(self, day: date, n: int) -> date: ...
    def count(self, a: date, b: date) -> int: ...


class _CalendarDays:
    """Every day counts."""

    def add(self, day: date, n: int) -> date:
        return day + timedelta(days=n)

    def count(self, a: date, b: date) -> int:
        return (b - a).days


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock that has started: what has happened to it, the limit that it counts to, and the calendar that says which days count."""

    ledger: Ledger
    limit: TimeLimit
    calendar: WorkingCalendar

    def due(self) -> DueDate | None:
        """Give the last day of the limit; None while an open pause keeps it unknown.

        A pause that begins after the limit has run out changes nothing any more.
        """
        last = _day_of(self.ledger, self.total_days(), self._days())
        if last is not None and self.limit.unit == DayUnit.CALENDAR:
            last = _postponed(self.ledger, last, self.calendar)
        if last is None:
            return None
        return DueDate(date=last, provisional=self.calendar.relies_on_guess(self.ledger.started_on, last))

    def total_days(self) -> int:
        """Give the days of the limit with its extensions."""
        return self.limit.days + sum(extension.days for extension in self.ledger.extensions)

    def used(self, today: date) -> int:
        """Count the days used up at the end of `today`; none are used after the clock has stopped."""
        return _unpaused(self.ledger, self.ledger.started_on, self._until(today), self._days())

    def remaining(self, today: date) -> int:
        """Count the days left after `today`: 0 on the last day, negative by the days that it is overdue.

        While an open pause keeps the due date unknown, the days that will be left when it ends.
        """
        last, days = self.due(), self._days()
        now = max(self._until(today), self.ledger.started_on)
        if last is None:
            return self.total_days() - self.used(today)
        if now > last.date:
            return -days.count(last.date, now)
        return _unpaused(self.ledger, now, last.date, days)

    def turns_yellow(self, forewarning: Forewarning = USUAL) -> date | None:
        """Give the first yellow day; None while an open pause keeps it unknown."""
        total = self.total_days()
        percent_used_up = -(-total * forewarning.used_percent // 100)  # rounded up: 90 % of 5 days is the fifth day
        return _day_of(self.ledger, max(total - forewarning.days_left, percent_used_up, 0), self._days())

    def dial(self, forewarning: Forewarning = USUAL) -> Dial:
        """Give the days on which the light changes, of which the last day of the limit is one."""
        last, stopped_on = self.due(), self.ledger.stopped_on
        found = Dial(
            due=last,
            green_from=self.ledger.started_on,
            yellow_from=self.turns_yellow(forewarning),
            red_from=None if last is None else last.date + timedelta(days=1),
        )
        return found if stopped_on is None else found.stopped(stopped_on)

    def _days(self) -> _Days:
        return self.calendar if self.limit.unit == DayUnit.WORKING else _CalendarDays()

    def _until(self, today: date) -> date:
        return today if self.ledger.stopped_on is None else min(today, self.ledger.stopped_on)


def merged(pauses: tuple[Pause, ...]) -> list[tuple[date, date | None]]:
    """Give the union of the pauses as disjoint intervals in order, first and last day included; None: open."""
    union: list[tuple[date, date | None]] = []
    for pause in sorted(pauses, key=lambda pause: pause.since):
        if not union or (union[-1][1] is not None and pause.since > union[-1][1]):
            union.append((pause.since, pause.until))
        elif (end := union[-1][1]) is not None:
            union[-1] = (union[-1][0], None if pause.until is None else max(end, pause.until))
    return union


def _day_of(ledger: Ledger, n: int, days: _Days) -> date | None:
    """Give the day on which the n-th day is used up; None when an open pause comes first."""
    day = days.add(ledger.started_on, n)
    for since, until in merged(ledger.pauses):
        if since > day or n == 0:
            break  # used up before this pause
        if until is None:
            return None
        day = days.add(day, _overlap(ledger.started_on, date.max, since, until, days))
    return day


def _postponed(ledger: Ledger, day: date, calendar: WorkingCalendar) -> date | None:
    """Give a last day that is a working day, else the next one on which the clock is not paused; None when an open pause comes first."""
    last = calendar.at_or_after(day)
    for since, until in merged(ledger.pauses) if last > day else ():
        if until is None and since <= last:
            return None
        if until is not None and since <= last and until >= day:
            last = calendar.at_or_after(max(last, until + timedelta(days=1)))
    return last


def _unpaused(ledger: Ledger, a: date, b: date, days: _Days) -> int:
    """Count the days after `a` up to and including `b` on which the clock runs; none when `b` is earlier."""
    if b <= a:
        return 0
    return days.count(a, b) - sum(_overlap(a, b, since, until or b, days) for since, until in merged(ledger.pauses))


def _overlap(a: date, b: date, since: date, until: date, days: _Days) -> int:
    """Count the days of the interval `since`..`until` after `a` up to and including `b`."""
    return max(0, days.count(max(a, since - timedelta(days=1)), min(b, until)))
