"""Retractions (预警作废): a calendar that was corrected may show that no deadline was missed, or that one was after all.

So it may with pauses that were too long (`long_pauses`).  The alerts are changed in the transaction that counts the clocks, in bulk, and
whoever had them is told so (docs/decisions/0012).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from engine import calendars, dials, keys, long_pauses, moments, reads
from engine.alerts import AlertKind
from engine.case_models import Alert, Case, Item
from engine.clock import Light
from engine.dials import Counted
from engine.models import Entry, Outbox
from engine.outbox import Topic
from engine.writes import OLD, Writes

#: What the words of an alert end with that was taken back, by what it was.
_REASONS = {
    AlertKind.OVERDUE: "（工作日历更正后未超期，预警作废）",
    AlertKind.LONG_PAUSE: "（工作日历更正后未超出告知的时间，预警作废）",
}
_LIGHTS = {AlertKind.OVERDUE: Light.RED, AlertKind.LONG_PAUSE: Light.YELLOW}
_ALERTS, _OUTBOX = Alert.__table__, Outbox.__table__


def follow(session: Session, cases: Collection[UUID], counted: Mapping[UUID, tuple[Counted, Counted]]) -> None:
    """Let alerts of these cases follow their clocks, by what the clock of each item or case gave before and gives now.

    Alerts of a red light are taken back when it is red no more.  When it is red again, since a day before one of these alerts, the last of
    them counts again: the process of the item will not raise another one for that day.  For a later day it raises one itself.
    """
    changed = {place: _red(now) for place, (before, now) in counted.items() if before != now and (_is_late(before) or _is_late(now))}
    told = _by_place(session, cases, AlertKind.OVERDUE) if changed else {}
    _turn(session, [row for place, red in changed.items() for row in _of_one(told.get(place, []), red)])


def follow_pauses(session: Session, cases: Collection[UUID]) -> None:
    """Let alerts of pauses that were too long, in these cases, follow the calendar as it is now, also of those that have ended since.

    One that is too long later than it was told of is told of anew then (`long_pauses.look`).
    """
    told = {row.id: row for rows in _by_place(session, cases, AlertKind.LONG_PAUSE).values() for row in rows} if cases else {}
    if not told:
        return
    concerned = {row.case_id for row in told.values()}
    pauses = long_pauses.told(session, reads.among(session, Entry.case_id, concerned))
    since = long_pauses.too_long_since(session, concerned, pauses)
    alerts = {pause: [told[alert] for alert in given if alert in told] for pause, given in pauses.items()}
    _turn(session, [row for pause, rows in alerts.items() for row in _of_one(rows, since.get(pause))])


def _turn(session: Session, rows: Sequence[Row[Any]]) -> None:
    """Take alerts back that stand, and let those count again that were taken back; tell whoever had them."""
    alerts, messages = [], []
    for row in rows:
        alert = _opposite(row)
        alerts.append({OLD + "id": row.id, OLD + "case_id": row.case_id, OLD + "region": row.region, **alert})
        told = {"case": row.case, "kind": alert["kind"], "light": alert["light"], "item": row.item, "message": alert["message"]}
        key = {"region": row.region, "case_id": row.case_id}
        messages.append({**key, "topic": Topic.ALERT, "payload": told, "created_at": moments.now()})
    writes = Writes()
    writes.update(_ALERTS, alerts, by=("id", *keys.KEY))
    writes.insert(_OUTBOX, messages)
    writes.run(session)


def _red(counted: Counted) -> date | None:
    return counted.promise.red_from if counted.promise else None


def _is_late(counted: Counted) -> bool:
    red = _red(counted)
    return red is not None and red <= dials.today()


def _by_place(session: Session, cases: Collection[UUID], kind: AlertKind) -> dict[UUID, list[Row[Any]]]:
    """Read the alerts of a kind, those that were taken back among them, the oldest first: by item, or by case."""
    told = defaultdict[UUID, list[Row[Any]]](list)
    for row in session.execute(_told(session, cases, kind)):
        if _was(row) == kind:
            told[row.item_id or row.case_id].append(row)
    return told


def _told(session: Session, cases: Collection[UUID], kind: AlertKind) -> Select[Any]:
    """Alerts with the numbers (of items or cases) that they name."""
    own: tuple[Any, ...] = (Alert.id, Alert.case_id, Alert.region, Alert.item_id, Alert.kind, Alert.message, Alert.raised_at)
    query = select(*own, Case.number.label("case"), Item.number.label("item")).join(Case, keys.same_case(Alert, Case))
    query = query.outerjoin(Item, keys.its(Alert.item_id, Item)).where(reads.among(session, Alert.case_id, cases))
    return query.where(Alert.kind.in_((kind, AlertKind.RETRACTED))).order_by(Alert.id)


def _was(row: Row[Any]) -> AlertKind:
    """What an alert told of, also where it was taken back."""
    if row.kind != AlertKind.RETRACTED:
        return AlertKind(row.kind)
    return next((kind for kind, reason in _REASONS.items() if row.message.endswith(reason)), AlertKind.RETRACTED)


def _of_one(told: Sequence[Row[Any]], red: date | None) -> Sequence[Row[Any]]:
    """Of the alerts of one deadline, oldest first, return those to take back, or to count again, if its light is red from `red` on.

    So of one pause, if it has been too long from that day on.
    """
    standing, retracted = ([row for row in told if (row.kind == AlertKind.RETRACTED) is back] for back in (False, True))
    if red is None or red > dials.today():
        return standing
    return [] if _since(standing, red) else _since(retracted, red)[-1:]


def _since(rows: Sequence[Row[Any]], day: date) -> Sequence[Row[Any]]:
    return [row for row in rows if calendars.local_date(row.raised_at) >= day]


def _opposite(row: Row[Any]) -> dict[str, str]:
    kind = _was(row)
    reason = _REASONS[kind]
    if row.kind == kind:
        return {"kind": AlertKind.RETRACTED, "light": Light.GREEN, "message": row.message + reason}
    return {"kind": kind, "light": _LIGHTS[kind], "message": row.message.removesuffix(reason)}
