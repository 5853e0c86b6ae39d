"""Calendar years (年度节假日安排): what one published arrangement of holidays says, read strictly from its file.

A year file is a copy of the notice of the State Council: the days off and the weekend days on which one works
instead (调休).  Days that it does not name are what their weekday makes them.  The weekday stands beside each
date because it stands in the notice, too: it catches the slip of a finger that a date alone would hide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
SATURDAY = WEEKDAYS.index("周六")

#: Years that a calendar can speak of.
FIRST_YEAR, LAST_YEAR = 2000, 2100


class DayKind(StrEnum):
    """What the notice makes of a day."""

    DAY_OFF = "day_off"  #: 放假: not a working day, whatever its weekday
    MAKE_UP_DAY = "make_up_day"  #: 调休上班: a Saturday or Sunday that is a working day


@dataclass(frozen=True, kw_only=True)
class Source:
    """The notice (通知) that arranges the holidays of a year, or amends them."""

    #: 文号, e.g. 国办发明电〔2025〕7号.
    number: str
    title: str
    issued_by: str
    #: Day of issue.
    date: date
    #: Where it is published.
    url: str


@dataclass(frozen=True, kw_only=True)
class SpecialDay:
    """One day that is not what its weekday says."""

    date: date
    kind: DayKind
    #: The holiday it belongs to, in the words of the notice.
    holiday: str


@dataclass(frozen=True, kw_only=True)
class CalendarYear:
    """The arrangement of one year."""

    year: int
    #: The yearly notice first, then what amended it.
    sources: tuple[Source, ...]
    #: In order of date.
    days: tuple[SpecialDay, ...]


def read_file(path: Path) -> CalendarYear:
    """Read one year file (JSON, UTF-8).  Raises InvalidInput, naming file, field and date."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path.name}: Expected to read a JSON document, but {error}") from error
    return read(document, name=path.name)


def read(document: Any, *, name: str) -> CalendarYear:
    """Read one parsed year document; `name` is what errors call it.  Raises InvalidInput."""
    _exactly(document, ("year", "sources", "days"), name)
    year = document["year"]
    if type(year) is not int or not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidInput(f"{name}: year: Expected a year from {FIRST_YEAR} to {LAST_YEAR}, but found {year!r}")

    sources = tuple(_source(entry, f"{name}: sources[{i}]") for i, entry in enumerate(_list(document, "sources", name)))
    days = [_day(entry, year, f"{name}: days[{i}]") for i, entry in enumerate(_list(document, "days", name))]
    _refuse_repeats(days, name)
    return CalendarYear(year=year, sources=sources, days=tuple(sorted(days, key=lambda day: day.date)))


def _source(entry: Any, where: str) -> Source:
    _exactly(entry, tuple(field.name for field in fields(Source)), where)
    texts = {key: _text(entry, key, where) for key in entry}
    return Source(
        number=texts["number"],
        title=texts["title"],
        issued_by=texts["issued_by"],
        date=_date(entry, where),
        url=texts["url"],
    )


def _day(entry: Any, year: int, where: str) -> SpecialDay:
    _exactly(entry, ("date", "weekday", "kind", "holiday"), where)
    day = _date(entry, where)
    if day.year != year:
        raise InvalidInput(f"{where}.date: Expected a date of {year}, but found {day}")

    weekday = WEEKDAYS[day.weekday()]
    if entry["weekday"] != weekday:
        raise InvalidInput(f"{where}.weekday: Expected {weekday} for {day}, but found {entry['weekday']!r}")
    if entry["kind"] not in tuple(DayKind):
        raise InvalidInput(f"{where}.kind: Expected one of {', '.join(DayKind)} for {day}, but found {entry['kind']!r}")
    kind = DayKind(entry["kind"])
    if kind == DayKind.MAKE_UP_DAY and day.weekday() < SATURDAY:
        raise InvalidInput(f"{where}.date: Expected a make-up day to be 周六 or 周日, but {day} is {weekday}")
    return SpecialDay(date=day, kind=kind, holiday=_text(entry, "holiday", where))


def _refuse_repeats(days: Sequence[SpecialDay], name: str) -> None:
    seen: set[date] = set()
    for i, day in enumerate(days):
        if day.date in seen:
            raise InvalidInput(f"{name}: days[{i}].date: Expected each date once, but {day.date} is there again")
        seen.add(day.date)


def _exactly(value: Any, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where}: Expected an object with {', '.join(keys)}, but found {value!r}")
    if missing := [key for key in keys if key not in value]:
        raise InvalidInput(f"{where}: Expected the field {missing[0]}, but it is missing")
    if unknown := [key for key in value if key not in keys]:
        raise InvalidInput(f"{where}: Expected only the fields {', '.join(keys)}, but found {unknown[0]!r}")


def _list(document: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    value = document[key]
    if not isinstance(value, list) or not value:
        raise InvalidInput(f"{where}: {key}: Expected a list with at least one entry, but found {value!r}")
    return value


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{where}.{key}: Expected a text, but found {value!r}")
    return value


def _date(entry: Mapping[str, Any], where: str) -> date:
    text = _text(entry, "date", where)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # fromisoformat also reads 20260101 and week dates
        raise InvalidInput(f"{where}.date: Expected a date as in 2026-01-31, but found {text!r}")
    return day
