"""Long pauses (久停): a clock that stands still for longer than the applicant was told (行政许可法 art. 45) has a supervisor told, once.

Each open pause owes a look at itself when that time is over, by a job.  The looks follow whenever a ledger is changed, an item goes to
another case, or clocks are counted by another calendar; so pauses that had begun before there were any looks come by theirs, too.
What a calendar shows to have been no longer than was told is taken back (`retractions`), and told anew when it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, TextClause, insert, select
from sqlalchemy.orm import Session

from engine import alerts, calendars, holidays, jobs, journal, keys, moments, reads
from engine.actors import Actor
from engine.alerts import AlertKind
from engine.case_models import Alert, Case, ClockEntry, Item
from engine.clock import EntryKind, Light, PauseKind
from engine.errors import InvalidInput
from engine.holdings import Held
from engine.models import Entry, Instance, Job, Timer
from engine.states import JobStatus

#: What may end a pause is given so long to do it first.
LATER = timedelta(minutes=1)
#: Pauses in which it is the applicant who must act.
OF_APPLICANT = frozenset({PauseKind.SUPPLEMENT, PauseKind.TOLERANCE_OVERDUE})
_PAUSES = (
    select(ClockEntry.id, ClockEntry.item_id, ClockEntry.region, ClockEntry.case_id, ClockEntry.on, ClockEntry.days, ClockEntry.procedure)
    .add_columns(Item.instance_id)
    .join(Item, keys.its(ClockEntry.item_id, Item))
    .where(ClockEntry.kind == EntryKind.PAUSED, ClockEntry.until.is_(None))
    .order_by(ClockEntry.id)
)
_LOOKS = select(Job.id, Job.payload, Job.due_at, Job.attempts).where(Job.kind == jobs.REFRESH, Job.status == JobStatus.PENDING)
_Where = ColumnElement[bool] | TextClause


def last_day(session: Session, since: date, days: int | None) -> date | None:
    """The last day of what the applicant was told that a pause will take; None where nobody said, or it lies beyond every calendar."""
    with suppress(InvalidInput):
        return holidays.calendar(session).add(since, days) if days else None
    return None


def follow(session: Session, item: Item) -> None:
    """Let the looks at an item's pauses follow its ledger.  The caller holds what governs the item."""
    pauses, here = session.execute(_PAUSES.where(keys.its(ClockEntry.item_id, item))).all(), keys.same_case(Job, item)
    looks = [look for look in _looks(session, here) if look.payload["item"] == str(item.id)]
    _bring_in_line(session, pauses, looks, here)


def recompute(session: Session, cases: Collection[UUID]) -> None:
    """Let the looks at all pauses of cases that are held follow the calendar as it is now; a pause that owes none yet owes one then."""
    pauses = session.execute(_PAUSES.where(reads.among(session, ClockEntry.case_id, cases))).all()
    here = reads.among(session, Job.case_id, cases)
    _bring_in_line(session, pauses, _looks(session, here), here)


def look(session: Session, held: Held, pause: str, *, actor: Actor) -> None:
    """Look at a pause: tell of it if it is still open though what the applicant was told is over.  `held`: the instance that owes it."""
    entry = keys.read_anew(session, ClockEntry, UUID(pause), held)
    if entry is None or entry.until is not None or _is_told(session, held, entry):
        return  # it has ended, or gone to another case with its item; or it was told, and its clock has changed since
    due_at, now = _due_at(session, entry), moments.now()
    if due_at is None:
        return
    if due_at > now or _is_more_due(session, held, now):  # by a calendar by which nobody has counted this clock yet; or it may end now
        session.execute(insert(Job), [_owed(entry, held.id, max(due_at, now + LATER))])
        return
    item, case = keys.get_one(session, Item, entry.item_id, held), keys.get_one(session, Case, held.case_id, held)
    alert = alerts.raise_alert(session, case, AlertKind.LONG_PAUSE, Light.YELLOW, _message(session, item, entry), item=item)
    session.flush()
    about = {"item": item.number, "pause": pause, "procedure": entry.procedure, "alert": str(alert.id)}
    journal.record(session, held, actor=actor, what="pause outlasted", **about)


def told(session: Session, here: _Where) -> dict[UUID, list[UUID]]:
    """The pauses of which a supervisor was told: by id, the ids of the alerts, also of those that were taken back.

    `here`: of which cases entries of the journal are.
    """
    found = defaultdict[UUID, list[UUID]](list)
    said = select(Entry.details).where(here, Entry.what == "pause outlasted").order_by(Entry.id)
    for details in session.scalars(said):
        found[UUID(details["pause"])].append(UUID(details["alert"]))
    return found


def too_long_since(session: Session, cases: Collection[UUID], pauses: Collection[UUID]) -> dict[UUID, date | None]:
    """The day after what the applicant was told of each pause, by the calendar as it is now; None: it ended before that day."""
    query = select(ClockEntry.id, ClockEntry.on, ClockEntry.until, ClockEntry.days).where(ClockEntry.id.in_(pauses))
    found = dict[UUID, date | None]()
    for pause in session.execute(query.where(reads.among(session, ClockEntry.case_id, cases))):
        last = last_day(session, pause.on, pause.days)
        lasts = last is not None and (pause.until is None or pause.until > last)
        found[pause.id] = last + timedelta(days=1) if last and lasts else None
    return found


def _is_told(session: Session, held: Held, pause: ClockEntry) -> bool:
    """Whether an alert of a pause stands; one that was taken back tells nobody."""
    mine = told(session, keys.same_case(Entry, held)).get(pause.id, ())
    standing = select(Alert.id).where(keys.same_case(Alert, held), Alert.id.in_(mine), Alert.kind == AlertKind.LONG_PAUSE)
    return bool(mine) and session.scalar(standing.limit(1)) is not None


def _message(session: Session, item: Item, entry: ClockEntry) -> str:
    told = f"{entry.days} 个工作日（至 {last_day(session, entry.on, entry.days)}）"
    waits = "，申请人仍未补正" if entry.procedure in OF_APPLICANT else ""
    return f"事项 {item.number}（{item.name}）自 {entry.on} 起暂停计时，已超出告知申请人的 {told}{waits}：{entry.reason}"


def _looks(session: Session, here: _Where) -> list[Row[Any]]:
    return [row for row in session.execute(_LOOKS.where(here)) if "pause" in row.payload]


def _due_at(session: Session, pause: Row[Any] | ClockEntry) -> datetime | None:
    """When what was told is over."""
    last = last_day(session, pause.on, pause.days)
    return calendars.end_of(last) if last else None


def _is_more_due(session: Session, held: Held, now: datetime) -> bool:
    """Whether timers of the case are to go off: one may end the pause with the same day (公示), or the item itself."""
    due = select(Timer.id).join(Instance, keys.its(Timer.instance_id, Instance)).where(keys.same_case(Timer, held), Timer.due_at <= now)
    return session.scalar(due.where(Timer.retries > 0, ~Instance.suspended).limit(1)) is not None


def _bring_in_line(session: Session, pauses: Sequence[Row[Any]], looks: Sequence[Row[Any]], here: _Where) -> None:
    """Drop the looks at pauses that have ended, or that are due at another time now; owe those that are lacking."""
    due = {str(pause.id): _due_at(session, pause) for pause in pauses}
    there = {look.payload["pause"]: look for look in looks}
    wrong = {look.id: pause for pause, look in there.items() if _is_wrong(look, due.get(pause))}
    dropped = {wrong[job] for job in jobs.drop(session, wrong, here)}
    lacking = [pause for pause in pauses if str(pause.id) in dropped or str(pause.id) not in there]
    owed = [(pause, pause.instance_id or _bundle(session, pause), due[str(pause.id)]) for pause in lacking]
    if new := [_owed(pause, instance_id, at) for pause, instance_id, at in owed if instance_id and at]:
        session.execute(insert(Job), new)


def _is_wrong(look: Row[Any], due_at: datetime | None) -> bool:
    """Whether a look is due at another time than it should be; one that has failed is tried again in its own time."""
    return due_at is None or (look.attempts == 0 and look.due_at != due_at)


def _owed(pause: Row[Any] | ClockEntry, instance_id: UUID, due_at: datetime) -> dict[str, Any]:
    """A look, as a kind of job that nodes of the release before know: they look at timers, and tell nothing."""
    key = {"region": pause.region, "case_id": pause.case_id, "instance_id": instance_id}
    about = {"pause": str(pause.id), "item": str(pause.item_id)}
    return {**key, "kind": jobs.REFRESH, "payload": about, "status": JobStatus.PENDING, "due_at": due_at, "attempts": 0}


def _bundle(session: Session, pause: Row[Any]) -> UUID | None:
    """The instance that governs an item which has no process of its own yet."""
    its = keys.same_case(Instance, pause), Instance.item_id.is_(None), Instance.parent_id.is_(None)
    query = select(Instance.id).where(*its).order_by(Instance.ended_at.is_not(None), Instance.started_at.desc())
    return session.scalar(query.limit(1))
