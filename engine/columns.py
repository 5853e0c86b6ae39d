"""Column types: JSON kept as text, moments kept in UTC, enums kept as their values with a CHECK."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Date, DateTime, Dialect, Enum, Text, false
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

#: By so much ids may be dated otherwise than everything else, nanoseconds.
NEARLY = 1_000_000_000
#: Says of a column (`Column.info`) that a value of it may take megabytes.
MAY_BE_LARGE = "may be large"


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON: to Python true is 1, and 1 is 1.0."""
    if one is other:
        return True
    return False if one != other else _of_one_kind(one, other)


def _of_one_kind(one: Any, other: Any) -> bool:
    """Whether values that are equal are so to the last member."""
    if isinstance(one, dict):
        # Most members are texts, which are equal to nothing else.
        others = ((value, other[name]) for name, value in one.items() if type(value) is not str)
        return all(value is there or _of_one_kind(value, there) for value, there in others)
    return all(map(_of_one_kind, one, other)) if isinstance(one, list) else type(one) is type(other)


class Json(TypeDecorator[Any]):
    """JSON as text: portable, and never reordered by the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Encode."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Decode."""
        return None if value is None else orjson.loads(value)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether nothing is to be written."""
        return alike(x, y)


class Moment(TypeDecorator[datetime]):
    """A moment in time: aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a moment without a zone."""
        if value is not None and value.tzinfo is None:
            raise TypeError(f"Expected a moment with a time zone, but got {value!r}")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's naive value its zone back."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LocalDay(FunctionElement[date]):
    """The day in Beijing of a moment in UTC, whatever time zone a session has: the condition of an index may ask for it."""

    type = Date()
    inherit_cache = True


@compiles(LocalDay)
def _local_day(day: LocalDay, compiler: SQLCompiler, **words: Any) -> str:
    return f"date({compiler.process(day.clauses, **words)}, '+8 hours')"


def enum(kind: type[StrEnum]) -> Enum:
    """Column type for one of our enums: its values as text, checked by the database."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=20,
        name=kind.__name__.lower(),
        values_callable=lambda e: [m.value for m in e],
    )


class Lit:
    """What has a light: the days from which it is green, yellow and red, as its clock gives them; the light itself is computed.

    None: never, as things stand; no green either: there is no clock, or it has no promise.
    """

    green_from: Mapped[date | None]
    yellow_from: Mapped[date | None]
    red_from: Mapped[date | None]


class Promised(Lit):
    """What has a promise of its own: its last day; None while a pause is open, and where there is no light."""

    promised_on: Mapped[date | None]
    #: Whether that rests on a year whose calendar is not published yet.
    promised_provisional: Mapped[bool] = mapped_column(default=False, server_default=false())


#: What ids are drawn from; the last one counts.
_chance: list[random.Random] = [random.SystemRandom()]


@contextmanager
def seeded(seed: str) -> Iterator[None]:
    """Draw ids from a seed until the block ends, so that a simulation gets the same again.  Never for data that is kept."""
    _chance.append(random.Random(seed))  # noqa: S311 - that they can be foreseen is what is wanted
    try:
        yield
    finally:
        _chance.pop()


#: What ids are dated by: nanoseconds of a clock, and by how many the time is ahead of it.
_clock: Callable[[], int] = time.time_ns
_ahead = 0


def date_ids(now: datetime | None, clock: Callable[[], int] = time.time_ns) -> None:
    """Date new ids by this time, which `clock` (nanoseconds, set by nobody) keeps going; None: by the time of this host.

    A time that hardly differs from the one in use changes nothing, so that ids go on growing.
    """
    global _clock, _ahead
    ahead = 0 if now is None else round(now.timestamp() * 1e9) - clock()
    if clock is not _clock or abs(ahead - _ahead) > NEARLY:
        _clock, _ahead = clock, ahead


def new_id() -> UUID:
    """Make an id that grows with time (UUID version 7), so that indexes stay dense at their end.

    Its time is exact to a quarter of a microsecond (RFC 9562, 6.2, method 3): ids sort rows of one process as it has made them.
    """
    now = _clock() + _ahead
    within = (now % 1_000_000 << 12) // 1_000_000
    value = (now // 1_000_000 << 80) | (0x7 << 76) | (within << 64) | (0b10 << 62) | _chance[-1].getrandbits(62)
    return UUID(int=value)


def first_id(moment: datetime, apart: timedelta) -> UUID:
    """Give the least id that could have been made so long after a moment; for moments before 1970 the least of all."""
    return UUID(int=max(0, round((moment.timestamp() + apart.total_seconds()) * 1000)) << 80)
