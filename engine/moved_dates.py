"""Dates that have moved: clocks that are counted anew, of cases that are held, by the calendar as it is now (`recomputing`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import bound_dates, bundle_clock, calendars, dials, holidays, item_clock, keys, long_pauses, pages, reads, retractions
from engine.case_models import Case, Commitment, Item
from engine.clock import DueDate, Light
from engine.dials import Counted
from engine.states import UNDER_WAY, CommitmentStatus
from engine.writes import OLD, Writes

_CASES, _ITEMS, _COMMITMENTS = (model.__table__ for model in (Case, Item, Commitment))
_PROMISE = (*dials.LIGHTS, "promised_on", "promised_provisional")


@dataclass(kw_only=True)
class Moves:
    """What a batch has come to."""

    #: Rows that get other dates, each with what its clock gives now.
    items: list[tuple[Any, Counted]] = field(default_factory=list)
    cases: list[tuple[Any, Counted]] = field(default_factory=list)
    #: What bound dates follow: dial before and now, by item or case.
    dials: dict[UUID, tuple[Counted, Counted]] = field(default_factory=dict)
    report: Counter[str] = field(default_factory=Counter)
    #: Numbers of what is late by it.
    late: list[str] = field(default_factory=list)


def recompute(session: Session, cases: Collection[UUID]) -> Moves:
    """Count the clocks of these cases anew, and write what has changed: dates and lights, of tasks too, timers that follow, checks."""
    moves, items, bundles = Moves(), _items(session, cases), _bundles(session, cases)
    ledgers = item_clock.ledgers(session, [item.id for item in items]) if items else {}
    for item in items:
        _note(moves, moves.items, item, item_clock.count(session, item, ledgers[item.id]))
    for case in bundles:
        _note(moves, moves.cases, case, bundle_clock.count(session, case))
    _write(session, moves)
    retractions.follow(session, cases, moves.dials)
    _postpone_checks(session, cases)
    long_pauses.recompute(session, cases)
    retractions.follow_pauses(session, {item.case_id for item in items if ledgers[item.id].pauses})
    moves.report["timers"], moves.report["woken"] = bound_dates.follow(session, cases, moves.dials)
    return moves


def _items(session: Session, cases: Collection[UUID]) -> Sequence[Row[Any]]:
    """Items whose clock runs or is paused."""
    own = (Item.id, Item.case_id, Item.region, Item.number, Item.limits, Item.statutory_on, Item.statutory_provisional)
    query = select(*own, *(getattr(Item, name) for name in _PROMISE))
    return session.execute(query.where(reads.among(session, Item.case_id, cases), Item.clock.in_(UNDER_WAY))).all()


def _bundles(session: Session, cases: Collection[UUID]) -> Sequence[Case]:
    """Cases that go on, and whose own promise has begun to count."""
    query = select(Case).options(*pages.LEAN).where(reads.among(session, Case.id, cases), Case.ended_at.is_(None))
    return session.scalars(query.where(Case.clock_started_on.is_not(None), Case.promised.is_not(None))).all()


def _note(moves: Moves, changed: list[tuple[Any, Counted]], row: Any, now: Counted) -> None:
    """Compare what is kept with what was counted."""
    before = dials.kept(row)
    moves.report["clocks"] += 1
    moves.dials[row.id] = before, now
    if now == before:
        return
    changed.append((row, now))
    moves.report["changed"] += 1
    was, due = (found.promise.due if found.promise else None for found in (before, now))
    if was and due and was.date != due.date:
        moves.report["moved"] += 1
        moves.report[f"by {(due.date - was.date).days:+d} days"] += 1
    late = now.promise is not None and now.promise.red_from is not None and now.promise.red_from <= dials.today()
    if late and dials.light(row, dials.today()) is not Light.RED:
        moves.report["late by it"] += 1
        moves.late.append(row.number)


def _write(session: Session, moves: Moves) -> None:
    """Write what has changed, in one go, however many rows there are; their tasks follow with what is bound to them."""
    writes = Writes()
    writes.update(_ITEMS, [_of(row) | dials.columns(now.promise) | _last(now.statute) for row, now in moves.items], by=("id", *keys.KEY))
    writes.update(
        _CASES,
        [{OLD + "id": row.id, OLD + "region": row.region} | dials.columns(now.promise) for row, now in moves.cases],
        by=("id", "region"),
    )
    writes.run(session)


def _postpone_checks(session: Session, cases: Collection[UUID]) -> None:
    """Move the dates of planned checks: so many working days after the check was planned (`commitments.plan_check`), as its task is due."""
    planned = (
        select(Commitment.id, Commitment.case_id, Commitment.region, Commitment.signed_at, Commitment.verify_due_on, Item.rules)
        .join(Item, keys.its(Commitment.item_id, Item))
        .where(reads.among(session, Commitment.case_id, cases), Commitment.status == CommitmentStatus.VERIFY_DUE)
    )
    to = []
    for row in session.execute(planned).all():
        due_on = holidays.calendar(session).add(calendars.local_date(row.signed_at), int(row.rules["post_check"]))
        if due_on != row.verify_due_on:
            to.append(_of(row) | {"verify_due_on": due_on})
    writes = Writes()
    writes.update(_COMMITMENTS, to, by=("id", *keys.KEY))
    writes.run(session)


def _of(row: Any) -> dict[str, Any]:
    return {OLD + "id": row.id, OLD + "case_id": row.case_id, OLD + "region": row.region}


def _last(statute: DueDate | None) -> dict[str, Any]:
    return {"statutory_on": statute.date if statute else None, "statutory_provisional": bool(statute and statute.provisional)}


def recount(session: Session, item: Item) -> bool:
    """Count the clock of an item that is moved to another case, where the walk may have been already; tells whether it has changed."""
    before, ledger = dials.kept(item), item_clock.ledger(session, item)
    now = item_clock.count(session, item, ledger)
    if item.clock not in UNDER_WAY or now == before:
        return False
    item_clock.keep(session, item, ledger)
    dials.show_on_tasks(session, item)
    retractions.follow(session, [item.case_id], {item.id: (before, now)})
    return True
