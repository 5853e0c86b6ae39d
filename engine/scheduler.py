"""The scheduler: looks for what is due, kind by kind, and has it done.

`heartbeat` calls it again and again; `deeds` does the pieces, many in one transaction, in as many threads as the `pace` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from math import inf

import structlog

from engine import activities, clients, continuations, database, deeds, moments, postgresql, queues, recomputing, schema, start_timers
from engine.database import Database
from engine.deeds import CONTINUATIONS, JOBS, TIMERS, Kind
from engine.errors import Busy, InvalidState, Unfit
from engine.floors import UNSEEN, Floors
from engine.pace import MASS, Pace
from engine.settings import Settings

log = structlog.get_logger()
UNHURRIED = Pace()
#: How many rows are claimed in one go.
BATCH = 200
#: Batches of cases whose clocks are counted anew in one tick, and how many cases are as much work as a piece of anything else.
RECOMPUTED, CASES = 4, 10
#: So many pieces without a pause are a circle of jobs or signals: the scheduler may go round it for ever, but nobody is to wait for that.
ENDLESS = 20_000


def tick(db: Database, limit: int = BATCH, *, pace: Pace = UNHURRIED, floors: Floors | None = None) -> int:
    """Run everything that is due now, a batch of each kind; returns how many pieces were done.

    `floors`: since when it looks for what is due in each queue; without them, since ever.
    Once the `pace` says to stop, the piece at hand is the last: a batch has hundreds, and each may wait for a lock of a node that hangs.
    """
    pace = pace.at_most(db.batch)
    heads = _heads(db, floors or Floors())
    done = _each(db, JOBS, limit, heads.get("jobs"), pace)
    done += sum(pace.do(piece) for piece in _singly(db, limit, heads) if not pace.stopping())
    done += _each(db, TIMERS, limit, heads.get("timers"), pace)
    if pace.stopping():
        return done
    if "continuations" in heads:
        done += _carry_on_all(db, limit, heads["continuations"], pace)
    return done + recompute(db, pace)


def _heads(db: Database, floors: Floors) -> Mapping[str, datetime | None]:
    """When the first of each queue was due; None: nothing is.

    Somebody may have locked a whole table (`VACUUM FULL`), or have taken it from our role.  Then its queue is left out: each queue is
    looked at by itself, without waiting for anybody, until all can be looked at together again.
    """
    if not floors.out_of_reach:
        try:
            with db.reading() as session:
                return floors.heads(session, now=moments.now())
        except (Busy, Unfit):
            if not postgresql.is_behind(db.bind):  # what is in the way there is in the way of all
                raise
    found, before = dict[str, datetime | None](), floors.out_of_reach
    floors.out_of_reach = []
    for name in queues.OURS:
        try:
            with db.transaction() as session:
                database.wait_for_nobody(session)
                found[name] = floors.head(session, name, now=moments.now())
        except (Busy, Unfit):
            floors.out_of_reach.append(name)
    if floors.out_of_reach != before:
        log.warning("queues that cannot be looked at", queues=", ".join(floors.out_of_reach) or "none any more")
    return found


def _singly(db: Database, limit: int, heads: Mapping[str, datetime | None]) -> list[Callable[[], int]]:
    """Say what is due that is never done many at a time: processes that begin by themselves, histories to be forgotten."""
    begins, since = heads.get("start_timers"), heads.get("histories")
    if begins is None and since is None:
        return []
    with db.reading() as session:
        timed = start_timers.due(session, limit) if begins else []
        old = activities.outlived(session, limit, since=since) if since else []
    return [*(partial(deeds.begin, db, one) for one in timed), *(partial(deeds.forget, db, one) for one in old)]


def pulse(db: Database, floors: Floors, *, pace: Pace = UNHURRIED, within: float = Settings.tick) -> float:
    """Run what is due now; return in how many seconds more will be due: 0 if some may be now, `inf` if nothing is `within` so many."""
    if tick(db, pace=pace, floors=floors):
        return 0.0
    if floors.out_of_reach:  # what is due next is asked of all at once
        return inf
    with db.reading() as session:
        moment = queues.next_due(session, now=moments.now(), until=moments.now() + timedelta(seconds=within))
    return (moment - moments.now()).total_seconds() if moment else inf


def drain(db: Database) -> int:
    """Tick until nothing is due; returns how many pieces were done.  Raises InvalidState when there is no end to it."""
    total = 0
    while done := tick(db):
        total += done
        if total > ENDLESS:
            raise InvalidState(f"Expected nothing to be due after {ENDLESS} pieces of work, but a diagram goes in circles")
    return total


def are_people_served(db: Database) -> bool:
    """Whether a server has asked the database for something just now, so that a mass gives way (`Pace.people`); SQLite does not tell."""
    if not postgresql.is_behind(db.bind):
        return False
    with db.reading() as session:
        return clients.working(session.connection(), schema.SERVERS)


def recompute(db: Database, pace: Pace = UNHURRIED) -> int:
    """If clocks are to be counted anew, do so for some batches of cases; what is left is for the next ticks, of any node."""
    with db.reading() as session:
        if not recomputing.is_owed(session):
            return 0
    pace = pace.before(MASS)
    return pace.share(partial(_recompute, db, pace), RECOMPUTED * CASES * pace.together)


def _recompute(db: Database, pace: Pace, cases: int) -> int:
    """Go on with so many cases, a batch after the other; returns how many batches there were."""
    done, most = 0, min(CASES * pace.together, db.batch)
    while done * most < cases and not pace.stopping() and pace.do(lambda: recomputing.go_on(db, most) is not None):
        done += 1
    return done


def _each(db: Database, kind: Kind, limit: int, since: datetime | None, pace: Pace) -> int:
    """Do what is due of a kind; the first that was not tried yet was due `since` (None: nothing is due)."""
    if since is None:
        return 0
    most = min(pace.hands * limit, MASS)
    due = _count(db, kind, most, since)
    if due == most:
        # With nobody there it does not matter how many more there are, and to count them takes long.
        pace = pace.before(_count(db, kind, MASS, since)) if pace.people() else pace.alone()
    return _again(db, kind, limit, since, pace) + pace.share(partial(_all, db, kind, since, pace), min(due, pace.hands * limit))


def _count(db: Database, kind: Kind, most: int, since: datetime) -> int:
    with db.reading() as session:
        return kind.batch.count(session, most, since=since)


def _again(db: Database, kind: Kind, limit: int, since: datetime, pace: Pace) -> int:
    """Try each piece alone that has failed before."""
    with db.reading() as session:
        tried = kind.batch.tried(session, limit, since=since)
    return sum(pace.do(partial(kind.alone, db, one)) for one in tried if not pace.stopping())


def _all(db: Database, kind: Kind, since: datetime, pace: Pace, limit: int) -> int:
    """Do so many pieces together, or all that are not held by others."""
    done = 0
    while done < limit and not pace.stopping():
        some = pace.do(partial(deeds.do_together, db, kind, min(limit - done, pace.together), since))
        if not some:
            break
        done += some
    return done


def _carry_on_all(db: Database, limit: int, since: datetime | None, pace: Pace) -> int:
    """Carry tokens on, the most urgent first, and those that come up by it: a chain of them is not to wait for as many ticks."""
    done = 0 if since is None else _again(db, CONTINUATIONS, limit, since, pace)
    since = since or moments.now() - UNSEEN
    while done < limit and not pace.stopping():
        with db.reading() as session:
            found = continuations.most_urgent(session, since=since)
        if found is None:
            break
        priority, due = found
        pace = pace.before(due)
        kind = replace(CONTINUATIONS, together=partial(CONTINUATIONS.together, priority=priority))
        some = pace.share(partial(_all, db, kind, since, pace), min(due, limit - done))
        if not some:
            break
        done += some
    return done
