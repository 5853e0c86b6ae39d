"""Numbers (编号) of cases, items, notices and results.

Only the number of a case comes from a counter; the others are counted within their case or item, whose lock the caller holds, so
that departments never wait for each other to get a number.
"""

from __future__ import annotations

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import calendars, holdings, keys, moments
from engine.case_models import Case, Item, Notice
from engine.models import Counter


def next_case(session: Session, region: str) -> str:
    """Region (6 digits), local date (8), running number of that day (6): 43010020260302000001."""
    day = calendars.local_date(moments.now()).strftime("%Y%m%d")
    return f"{region}{day}{_count(session, f'case {region} {day}'):06d}"


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


def _count(session: Session, name: str) -> int:
    step = update(Counter).where(Counter.name == name).values(value=Counter.value + 1).returning(Counter.value)
    value = session.scalar(step)
    if value is None:
        try:
            with session.begin_nested():
                session.execute(insert(Counter).values(name=name, value=1))
        except IntegrityError:  # somebody else began the day in the same moment
            return session.scalars(step).one()
        return 1
    return value
