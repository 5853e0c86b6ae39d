"""Durations (办理时间): for how long items were handled until their decision, in working days as the law counts them.

It is what their clocks have counted: not the day of acceptance, not the days of a pause, and no day after the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import holidays, item_clock
from engine.clock import Clock, LimitKind, TimeLimit
from engine.states import ClockStatus

#: So many items are looked at in one go.
SOME = 1000
#: Days are counted in working days, also of an item that is promised in calendar days.
_LIMIT = TimeLimit(kind=LimitKind.PROMISED, days=0)


@dataclass(kw_only=True)
class Durations:
    """How long a department took for items that it has decided."""

    #: Items that are counted.
    decided: int = 0
    #: Working days that they took together: 平均办理时间 is this by `decided`.
    days: int = 0
    #: Working days of the one that took the most.
    longest: int = 0
    #: Items that were decided after the last day of their promise: 超期率 is this by `decided`.
    late: int = 0

    def add(self, other: Durations) -> None:
        """Count some more."""
        self.decided, self.days, self.late = self.decided + other.decided, self.days + other.days, self.late + other.late
        self.longest = max(self.longest, other.longest)


def is_decided(item: Row[Any]) -> bool:
    """Whether an item counts: it was decided, here, by a department, and its clock has stopped with that."""
    return item.decided_at is not None and item.origin != "imported" and item.clock is ClockStatus.STOPPED


def count(session: Session, items: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Durations]]:
    """Yield items that are decided (`id`, `red_from`), each with how long it took; those whose clock has never started are left out."""
    for place in range(0, len(items), SOME):
        some = items[place : place + SOME]
        ledgers, calendar = item_clock.ledgers(session, [item.id for item in some]), holidays.calendar(session)
        for item in some:
            ledger = ledgers.get(item.id)
            if ledger is not None and ledger.stopped_on is not None:
                days = Clock(ledger=ledger, limit=_LIMIT, calendar=calendar).used(ledger.stopped_on)
                yield item, Durations(decided=1, days=days, longest=days, late=item.red_from is not None)
