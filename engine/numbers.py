"""Numbers (编号) of cases, items, notices and results.

Only the number of a case comes from a counter.  It is taken in a short transaction aside, so that nobody holds the counter while a case is
submitted (docs/decisions/0021); a command that may be repeated reserves it there, with the id of the case.  The other numbers are counted
within their case or item, whose lock the caller holds, so that departments never wait for each other to get one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import calendars, database, holdings, idempotency, keys, moments
from engine.case_models import Case, Item, Notice
from engine.columns import new_id
from engine.command_models import Reservation
from engine.idempotency import Command
from engine.models import Counter

_COUNTERS, _RESERVATIONS = Counter.__table__, Reservation.__table__
#: How counters of cases are called, before region and day.
_CASE = "case"
#: So many cases begin in a second at most, on an average of the hours of a day since midnight, wherever numbers of six digits are enough.
PER_SECOND = 10


def next_case(session: Session, region: str) -> tuple[UUID, str]:
    """Take an id and a number for a case: region (6 digits), local date (8), running number of that day (6): 43010020260302000001.

    No number is given twice, except to a command that is repeated with its Idempotency-Key: it gets the same again, and so meets what its
    first attempt has done.  The number of a case that is refused after all stays unused.
    """
    command = idempotency.current(session)
    if command is None:
        with database.aside(session) as connection:
            return _take(connection, region)
    try:
        return _reserve(session, command, region)
    except IntegrityError:  # the same command was repeated in the same moment, and has reserved one: take that
        return _reserve(session, command, region)


def next_items(session: Session, case: Case) -> Iterator[str]:
    """Yield numbers for more items: that of the case, and a running number.  Items that a bundle has adopted since still count."""
    mine = Item.applicant_number == case.applicant_number  # the index that narrows it down
    taken = session.scalar(select(func.count()).where(mine, Item.number.like(f"{case.number}-%"))) or 0
    for place in itertools.count(taken + 1):
        yield f"{case.number}-{place:02d}"


def next_notice(session: Session, case: Case, item: Item | None) -> str:
    """Return the number of the next notice: that of the item (or the case), W for 文书, and a running number.

    How many there are is read once in a transaction, and then counted on.
    """
    counts, about = holdings.of(session).notices, (case.id, item.id if item else None)
    if about not in counts:
        its = select(func.count(Notice.id)).where(keys.same_case(Notice, case), Notice.item_id.is_not_distinct_from(about[1]))
        counts[about] = session.scalars(its).one()
    counts[about] += 1
    return f"{item.number if item else case.number}-W{counts[about]:02d}"


def result(item: Item) -> str:
    """Number of an item's result when the department gave none: Z for 证."""
    return f"{item.number}-Z"


def _reserve(session: Session, command: Command, region: str) -> tuple[UUID, str]:
    """Return what the command has reserved, or reserve it now."""
    mine = {"key": command.key, "actor": command.actor, "region": region}
    with database.aside(session) as connection:
        found = connection.execute(select(_RESERVATIONS.c.case_id, _RESERVATIONS.c.number).filter_by(**mine)).first()
        if found is not None:
            return found.case_id, found.number
        case_id, number = _take(connection, region)
        connection.execute(insert(_RESERVATIONS).values(case_id=case_id, number=number, taken_at=moments.now(), **mine))
    return case_id, number


def pass_over(session: Session, region: str) -> None:
    """Skip the numbers that may have been given today after the backup was made from which this database was restored.

    The next number is what it would be if `PER_SECOND` cases had begun in each second since midnight.  It is done for every region that has
    a counter, and for `region`, which may have none yet.
    """
    now = moments.now()
    day = calendars.local_date(now)
    passed = int((now - calendars.start_of(day)).total_seconds()) * PER_SECOND
    names = session.scalars(select(Counter.name).where(Counter.name.startswith(f"{_CASE} "))).all()
    for name in {_name(each, day) for each in (region, *(name.split()[1] for name in names))}:
        counter = session.get(Counter, name) or Counter(name=name, value=0)
        counter.value = max(passed, counter.value)
        session.add(counter)


def _take(connection: Connection, region: str) -> tuple[UUID, str]:
    day = calendars.local_date(moments.now())
    return new_id(), f"{region}{day:%Y%m%d}{count(connection, _name(region, day)):06d}"


def _name(region: str, day: date) -> str:
    return f"{_CASE} {region} {day:%Y%m%d}"


def count(connection: Connection, name: str) -> int:
    """Give the next number of a counter, which nobody else has until the transaction ends."""
    step = update(_COUNTERS).where(_COUNTERS.c.name == name).values(value=_COUNTERS.c.value + 1).returning(_COUNTERS.c.value)
    value: int | None = connection.scalar(step)
    if value is not None:
        return value
    try:
        with connection.begin_nested():
            connection.execute(insert(_COUNTERS).values(name=name, value=1))
    except IntegrityError:  # somebody else began the day in the same moment
        return int(connection.scalars(step).one())
    return 1


def hint(number: str) -> str:
    """Say what else a number looks like for which no case is found: that of an item, as it stands on its certificate."""
    case, dash, _ = number.partition("-")
    return f": this looks like the number of an item, whose case is {case}" if dash else ""
