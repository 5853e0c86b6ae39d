"""Retractions (预警作废): a calendar that was corrected may show that no deadline was missed, or that one was after all.

The alerts of missed deadlines are changed in the transaction that counts the clocks, in bulk, and whoever had them is told so
(docs/decisions/0012).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from engine import calendars, dials, keys, moments, reads
from engine.alerts import AlertKind
from engine.case_models import Alert, Case, Item
from engine.clock import Light
from engine.dials import Counted
from engine.models import Outbox
from engine.outbox import Topic
from engine.writes import OLD, Writes

#: What the words of an alert end with that was taken back.
_REASON = "（工作日历更正后未超期，预警作废）"
_ALERTS, _OUTBOX = Alert.__table__, Outbox.__table__


def follow(session: Session, cases: Collection[UUID], counted: Mapping[UUID, tuple[Counted, Counted]]) -> None:
    """Let alerts of these cases follow their clocks, by what the clock of each item or case gave before and gives now.

    Alerts of a red light are taken back when it is red no more.  When it is red again, since a day before one of these alerts, the last of
    them counts again: the process of the item will not raise another one for that day.  For a later day it raises one itself.
    """
    changed = {place: _red(now) for place, (before, now) in counted.items() if before != now and (_is_late(before) or _is_late(now))}
    alerts, messages = [], []
    for row in _untrue(session, cases, changed):
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


def _untrue(session: Session, cases: Collection[UUID], changed: Mapping[UUID, date | None]) -> list[Row[Any]]:
    """Return the alerts that are to be taken back, or to count again, of all items and cases whose lights were red, or are."""
    told = defaultdict[UUID, list[Row[Any]]](list)
    for row in session.execute(_told(session, cases)) if changed else ():
        told[row.item_id or row.case_id].append(row)
    return [row for place, red in changed.items() for row in _of_one(told[place], red)]


def _told(session: Session, cases: Collection[UUID]) -> Select[Any]:
    """Alerts of missed deadlines, oldest first, with the numbers (of items or cases) that they name."""
    own: tuple[Any, ...] = (Alert.id, Alert.case_id, Alert.region, Alert.item_id, Alert.kind, Alert.message, Alert.raised_at)
    query = select(*own, Case.number.label("case"), Item.number.label("item")).join(Case, keys.same_case(Alert, Case))
    query = query.outerjoin(Item, keys.its(Alert.item_id, Item)).where(reads.among(session, Alert.case_id, cases))
    return query.where(Alert.kind.in_((AlertKind.OVERDUE, AlertKind.RETRACTED))).order_by(Alert.id)


def _of_one(told: Sequence[Row[Any]], red: date | None) -> Sequence[Row[Any]]:
    """Of the alerts of one deadline, oldest first, return those to take back, or to count again, if its light is red from `red` on."""
    standing, retracted = ([row for row in told if row.kind == kind] for kind in (AlertKind.OVERDUE, AlertKind.RETRACTED))
    if red is None or red > dials.today():
        return standing
    return [] if _since(standing, red) else _since(retracted, red)[-1:]


def _since(rows: Sequence[Row[Any]], day: date) -> Sequence[Row[Any]]:
    return [row for row in rows if calendars.local_date(row.raised_at) >= day]


def _opposite(row: Row[Any]) -> dict[str, str]:
    if row.kind == AlertKind.OVERDUE:
        return {"kind": AlertKind.RETRACTED, "light": Light.GREEN, "message": row.message + _REASON}
    return {"kind": AlertKind.OVERDUE, "light": Light.RED, "message": row.message.removesuffix(_REASON)}
