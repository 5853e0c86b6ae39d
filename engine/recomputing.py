"""Recomputing (重算): after a calendar was published, or a schema has grown, every clock that runs is counted anew.

The walk is a row with a cursor.  It goes over all cases in which anything goes on: those that are open, and those that have ended while
something of them is still to be done (a promise is checked after the certificate was handed out).  Whoever goes on notes the next cases
down there, counts them in a transaction of its own, and strikes them out in that: so many may be at it, of any node, and what is left
behind by one that dies, or was held by somebody at work, is done at the end.  A reader sees all of a case as it was, or all of it as it is.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, Select, Subquery, func, select, union
from sqlalchemy.orm import Session

from engine import (
    bound_dates,
    bundle_clock,
    calendars,
    clock,
    database,
    dials,
    holidays,
    item_clock,
    keys,
    moments,
    pages,
    reads,
    retractions,
)
from engine.actors import Actor, Role
from engine.bound_dates import Counted
from engine.calendars import WorkingCalendar
from engine.case_models import Case, Commitment, Item, Recomputation
from engine.clock import DueDate, Ledger, Light, TimeLimit
from engine.database import Database
from engine.errors import Busy, Vanished
from engine.models import Instance
from engine.states import UNDER_WAY, CommitmentStatus, InstanceStatus
from engine.writes import OLD, Writes

log = structlog.get_logger()
#: Cases of one transaction.
BATCH = 500
#: So many numbers of what is late by it are written down; all are counted.
NAMED = 1000
#: So many walks are listed.
OF_LATE = 20

_IS_OWED = reads.marked(select(Recomputation.id).where(Recomputation.ended_at.is_(None)).limit(1))
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


def owe(session: Session, *, by: str) -> Recomputation:
    """Ask for all clocks to be counted anew; a walk that is under way begins again."""
    row = session.scalar(_unfinished().with_for_update()) or Recomputation()
    row.cursor, row.busy, row.report = None, [], {"late": []}
    row.requested_at, row.requested_by = moments.now(), by
    session.add(row)
    return row


def owed(session: Session) -> Recomputation | None:
    """Return the walk that is under way; None: there is none."""
    return session.scalar(_unfinished())


def is_owed(session: Session) -> bool:
    """Whether a walk is under way; asked at each look of the scheduler."""
    return session.connection().execute(_IS_OWED).first() is not None


def of_late(session: Session, *, actor: Actor) -> Sequence[Recomputation]:
    """List the walks, the newest first."""
    actor.require(Role.ADMIN, Role.SUPERVISOR, to="see what a calendar has moved")
    return session.scalars(select(Recomputation).order_by(Recomputation.id.desc()).limit(OF_LATE)).all()


def ahead(session: Session) -> int:
    """How many cases are still to be looked at; it counts them."""
    row = owed(session)
    if row is None:
        return 0
    return session.scalars(select(func.count()).select_from(_going_on(row.cursor))).one() + len(row.busy)


def done(row: Recomputation) -> int:
    """How many cases a walk has looked at."""
    return int(row.report.get("cases", 0))


def go_on(db: Database, limit: int = BATCH) -> Recomputation | None:
    """Recompute the next cases of the walk, at most `limit`, and return it; after the last one it has `ended_at`.

    None: no walk is under way, or others are at all that is left.  Nobody who holds a row is waited for for long: timers come after this.
    """
    try:
        walk, cases = _take(db, min(limit, db.batch))
        if walk is None or not cases:
            return walk
        with db.transaction() as session:
            database.wait_for_nobody(session, but_for=database.GLANCE)
            held = _hold(session, cases)
            return _strike_out(session, walk, held, _recompute(session, held)) if held else None
    except Vanished:
        log.exception("cases not counted anew", cases=len(cases))
        return None
    except Busy:
        return None


def _take(db: Database, limit: int) -> tuple[Recomputation | None, list[UUID]]:
    """Take the next cases of the walk that is under way; when none is left, end it."""
    with db.transaction() as session:
        database.wait_for_nobody(session, but_for=database.GLANCE)
        walk = session.scalar(_unfinished().with_for_update())
        cases = _next(session, walk, limit) if walk else []
        if walk and not cases:
            walk.ended_at = moments.now()
            log.info("due dates recomputed", **{name: value for name, value in walk.report.items() if name != "late"})
    return walk, cases


def recount(session: Session, item: Item) -> bool:
    """Count the clock of an item that is moved to another case, where the walk may have been already; tells whether it has changed."""
    before, ledger, calendar = (dials.kept(item), dials.statutory(item)), item_clock.ledger(session, item), holidays.calendar(session)
    now = _count(ledger, *item_clock.limits(item), calendar)
    if item.clock not in UNDER_WAY or now == before:
        return False
    item_clock.keep(session, item, ledger)
    dials.show_on_tasks(session, item)
    retractions.follow(session, [item.case_id], {item.id: (before, now)})
    return True


def _next(session: Session, walk: Recomputation, limit: int) -> list[UUID]:
    """Note down the next cases as `busy`; behind the last one, take again those that are still busy, in turn: some may be held for long."""
    ahead = _going_on(walk.cursor, limit)
    cases = list(session.scalars(select(ahead.c.id).order_by(ahead.c.id).limit(limit)))
    if not cases:
        again, others = walk.busy[:limit], walk.busy[limit:]
        if others:
            walk.busy = [*others, *again]
        return [UUID(case) for case in again]
    walk.busy, walk.cursor = [*walk.busy, *map(str, cases)], cases[-1]
    return cases


def _going_on(cursor: UUID | None, limit: int | None = None) -> Subquery:
    """The ids of cases in which anything goes on, after a cursor; each half looks no further than it must."""
    after = UUID(int=0) if cursor is None else cursor
    unended = select(Case.id).where(Case.ended_at.is_(None), Case.id > after).order_by(Case.id).limit(limit)
    running = select(Instance.case_id.label("id")).where(Instance.status == InstanceStatus.RUNNING, Instance.case_id > after)
    running = running.distinct().order_by(Instance.case_id).limit(limit)
    return union(select(unended.subquery()), select(running.subquery())).subquery()


def _strike_out(session: Session, walk: Recomputation, cases: Collection[UUID], moves: Moves) -> Recomputation:
    """Add what was counted to the report, and note that its cases are done; raises Busy when that was done, or the walk began again."""
    mine, same = {str(case) for case in cases}, (Recomputation.id == walk.id, Recomputation.requested_at == walk.requested_at)
    row = session.scalar(select(Recomputation).where(*same, Recomputation.ended_at.is_(None)).with_for_update())
    if row is None or not mine <= set(row.busy):
        raise Busy("Expected to strike out what was counted, but somebody else has counted it, or it is to be counted anew")
    row.busy = [case for case in row.busy if case not in mine]
    row.report = _added(row.report, moves, len(cases))
    return row


def _unfinished() -> Select[Recomputation]:
    return select(Recomputation).where(Recomputation.ended_at.is_(None)).order_by(Recomputation.id).limit(1)


def _hold(session: Session, cases: Collection[UUID]) -> set[UUID]:
    """Lock those of the cases of which nobody holds an instance: whoever changes a clock holds one (`lifecycle`)."""
    running = select(Instance.id, Instance.case_id).where(
        reads.among(session, Instance.case_id, cases), Instance.status == InstanceStatus.RUNNING
    )
    taken = {row.id for row in session.execute(running.order_by(Instance.id).with_for_update(skip_locked=True, key_share=True))}
    return set(cases) - {row.case_id for row in session.execute(running) if row.id not in taken}


def _recompute(session: Session, cases: Collection[UUID]) -> Moves:
    moves, items, bundles = Moves(), _items(session, cases), _bundles(session, cases)
    if items or bundles:
        calendar = holidays.calendar(session)
        ledgers = item_clock.ledgers(session, [item.id for item in items])
        for item in items:
            found = _count(ledgers[item.id], *item_clock.limits(item), calendar)
            _note(moves, moves.items, item, found, (dials.kept(item), dials.statutory(item)))
        for case in bundles:
            ledger, limit = bundle_clock.ledger(case) or (None, None)
            _note(moves, moves.cases, case, _count(ledger, limit, None, calendar), (dials.kept(case), None))
    _write(session, moves)
    retractions.follow(session, cases, moves.dials)
    _postpone_checks(session, cases)
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


@functools.lru_cache(maxsize=50_000)
def _count(ledger: Ledger | None, promise: TimeLimit | None, statute: TimeLimit | None, calendar: WorkingCalendar) -> Counted:
    """Count a clock; thousands have started on one day with one limit, and are counted once."""
    dial = clock.dial(ledger, promise, calendar) if ledger and promise else None
    return dial, clock.due(ledger, statute, calendar) if ledger and statute else None


def _note(moves: Moves, changed: list[tuple[Any, Counted]], row: Any, now: Counted, before: Counted) -> None:
    """Compare what is kept with what was counted."""
    moves.report["clocks"] += 1
    moves.dials[row.id] = before, now
    if now == before:
        return
    changed.append((row, now))
    moves.report["changed"] += 1
    was, due = (found.due if found else None for found in (before[0], now[0]))
    if was and due and was.date != due.date:
        moves.report["moved"] += 1
        moves.report[f"by {(due.date - was.date).days:+d} days"] += 1
    late = now[0] is not None and now[0].red_from is not None and now[0].red_from <= dials.today()
    if late and dials.light(row, dials.today()) is not Light.RED:
        moves.report["late by it"] += 1
        moves.late.append(row.number)


def _write(session: Session, moves: Moves) -> None:
    """Write what has changed, in one go, however many rows there are; their tasks follow with what is bound to them."""
    writes = Writes()
    writes.update(_ITEMS, [_of(row) | dials.columns(dial) | _last(due) for row, (dial, due) in moves.items], by=("id", *keys.KEY))
    writes.update(
        _CASES,
        [{OLD + "id": row.id, OLD + "region": row.region} | dials.columns(dial) for row, (dial, _) in moves.cases],
        by=("id", "region"),
    )
    writes.run(session)


def _postpone_checks(session: Session, cases: Collection[UUID]) -> None:
    """Let what was promised be checked so many working days after that was planned (`commitments.plan_check`), as its task is due."""
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


def _added(report: Mapping[str, Any], moves: Moves, cases: int) -> dict[str, Any]:
    """Add a batch to the report."""
    counted = Counter({name: value for name, value in report.items() if name != "late"}) + moves.report + Counter(cases=cases)
    return {**counted, "late": [*report["late"], *moves.late][:NAMED]}
