"""Numbers (编号) of cases, items, notices and results.

Only the number of a case comes from a counter, and is taken aside: who submits holds it no longer than that takes, and writes nowhere but
in his case (docs/decisions/0021).  The others are counted within their case or item, whose lock the caller holds, so that departments never
wait for each other to get a number.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import calendars, database, holdings, keys, moments
from engine.case_models import Case, Item, Notice
from engine.models import Counter

_COUNTERS = cast("Table", Counter.__table__)


def next_case(session: Session, region: str) -> str:
    """Region (6 digits), local date (8), running number of that day (6): 43010020260302000001.

    None is given twice; one whose case does not come about after all may be missing.
    """
    day = calendars.local_date(moments.now()).strftime("%Y%m%d")
    with database.aside(session) as connection:
        count = _count(connection, f"case {region} {day}")
    return f"{region}{day}{count:06d}"


def next_item(session: Session, case: Case) -> str:
    """Number of the case and a running number within it; those that a bundle has adopted since still count."""
    mine = Item.applicant_number == case.applicant_number  # the index that narrows it down
    taken = session.scalar(select(func.count()).where(mine, Item.number.like(f"{case.number}-%"))) or 0
    return f"{case.number}-{taken + 1:02d}"


def next_notice(session: Session, case: Case, item: Item | None) -> str:
    """Number of the item (or the case), W for 文书, and a running number; counted once a transaction."""
    counts, about = holdings.of(session).notices, (case.id, item.id if item else None)
    if about not in counts:
        its = select(func.count(Notice.id)).where(keys.together(Notice, case), Notice.item_id.is_not_distinct_from(about[1]))
        counts[about] = session.scalars(its).one()
    counts[about] += 1
    return f"{item.number if item else case.number}-W{counts[about]:02d}"


def result(item: Item) -> str:
    """Number of an item's result when the department gave none: Z for 证."""
    return f"{item.number}-Z"


def _count(connection: Connection, name: str) -> int:
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
