"""Items of a case (事项办件), as their rows are now: what became of them, which wait for an answer, which are held back, and by what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row

from bpmn.matter.facts import BINDING
from engine import calendars, moments
from engine.case_models import Case, Item, Tolerance
from engine.states import FAVOURABLE, OWED, UNANSWERED, UNSETTLED, ItemStatus, ToleranceStatus, move

#: What must be there before an item may be granted, and before a result may be handed out.
BEFORE_DECISION = frozenset({"BEFORE_DECISION"})
BEFORE_ISSUE = BEFORE_DECISION | {"BEFORE_ISSUE"}


class LiveItem(NamedTuple):
    """An item, as far as it says what has become of its case."""

    code: str
    status: ItemStatus
    department: str


def live(case: Case) -> list[Item]:
    """The items of a case, in the order they joined; of two with one code (applied for again, adopted) only the later."""
    return list({item.code: item for item in case.items}.values())


def outcome(items: Iterable[Item | Row[Any] | LiveItem]) -> str:
    """Say what became of a case: open, all_granted, partial, none_granted, withdrawn, or adopted (a bundle took its only item).

    `items`: of two with one code only the later.  The outcome is derived from them, never stored.
    """
    statuses = [item.status for item in items]
    if not statuses:
        return "adopted"
    if any(status in UNSETTLED for status in statuses):
        return "open"
    good = [status for status in statuses if status in FAVOURABLE]
    if len(good) == len(statuses):
        return "all_granted"
    if not any(status in {ItemStatus.GRANTED, ItemStatus.ISSUED} for status in good):
        return "withdrawn" if all(s is ItemStatus.WITHDRAWN for s in statuses if s not in FAVOURABLE) else "none_granted"
    return "partial"


def unanswered(case: Case) -> list[Item]:
    """Items of the case that nobody at the window has disposed of."""
    return [item for item in live(case) if item.status in UNANSWERED]


def received_on(case: Case, item: Item | None = None) -> date:
    """Day of receipt, from which the window's five days count: an item's own, or that of the whole case.

    Corrections begin it anew; what joined while they were out is received with them.
    """
    corrected = calendars.local_date(case.resubmitted_at) if case.resubmitted_at else date.min
    return max(item.received_on if item else calendars.local_date(case.submitted_at), corrected)


def waits_for(item: Item) -> set[str]:
    """Codes of the items that hold this one back until they are settled in its favour."""
    return {p["item"] for p in item.rules.get("predecessors", []) if p["kind"] in BINDING}


def open_predecessors(case: Case, item: Item) -> list[Item]:
    """Items that hold this one back: binding predecessors in the case that are not settled in its favour."""
    needed = waits_for(item)
    if not needed:
        return []
    continues = item.rules.get("on_refusal") == "CONTINUE"
    found = [other for other in live(case) if other.code in needed]
    return [p for p in found if p.status not in FAVOURABLE and not (continues and p.status not in UNSETTLED)]


def open_tolerances(case: Case) -> list[Tolerance]:
    """Tolerated materials that are still missing, by due date."""
    return sorted((t for t in case.tolerances if t.status in OWED), key=lambda t: (t.due_on, t.id))


def end_tolerance(tolerance: Tolerance, status: ToleranceStatus) -> None:
    """Say what has become of a tolerated material, now; raises InvalidState when it has ended already."""
    tolerance.status, tolerance.ended_at = move(tolerance.status, status, f"tolerance {tolerance.code}"), moments.now()


def holds(case: Case, item: Item, *, at: frozenset[str]) -> list[Tolerance]:
    """Open tolerances that hold the item back at a point: `at` is a set of BEFORE_… policies."""
    return [t for t in open_tolerances(case) if item.code in t.used_by and t.until in at]


def issuable(case: Case) -> list[Item]:
    """Items that are granted, not issued, and not held by a missing material."""
    granted = [item for item in live(case) if item.status is ItemStatus.GRANTED]
    return [item for item in granted if not holds(case, item, at=BEFORE_ISSUE)]


def ready_on(case: Case, item: Item) -> date:
    """Day from which a granted result can go out: that of the decision, or on which the last missing material that held it came in."""
    held = [t.ended_at for t in case.tolerances if t.ended_at and item.code in t.used_by and t.until in BEFORE_ISSUE]
    return calendars.local_date(max([item.decided_at or moments.now(), *held]))
