"""Alerts (电子监察): what a supervisor must see.  They are written where it happens, and listed across all cases, the newest first."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Select, bindparam, select
from sqlalchemy.orm import Session

from engine import keys, moments, outbox, pages, reads, visibility
from engine.actors import Actor
from engine.case_models import Alert, Case, Item
from engine.clock import Light
from engine.outbox import Topic


class AlertKind(StrEnum):
    """Why a supervisor is told."""

    REMINDER = "reminder"  #: 催办: due soon
    OVERDUE = "overdue"  #: 超期
    DEEMED_ACCEPTANCE = "deemed_acceptance"  #: 逾期未告知，视为受理
    SECOND_SUPPLEMENT = "second_supplement"  #: 二次补正
    TOLERANCE_OVERDUE = "tolerance_overdue"  #: 容缺逾期
    LONG_PAUSE = "long_pause"  #: 暂停超期: a clock stands still for longer than the applicant was told
    DIVERGED = "diverged"  #: 部门系统状态不一致
    BREACH = "breach"  #: 承诺不实
    BAD_RATING = "bad_rating"  #: 差评: the applicant is to be asked, and told what was done about it
    REVOKED = "revoked"  #: 撤销: a department takes a decision back that it should not have made
    UNCAUGHT_ERROR = "uncaught_error"  #: 流程出错，无人处理
    RETRACTED = "retracted"  #: 预警作废：日历更正后并未超期, or a pause was not too long


@dataclass(frozen=True, kw_only=True)
class AlertFilter:
    """Which alerts are asked for; a field that is None leaves none out."""

    hall: str | None = None
    department: str | None = None
    matter: str | None = None
    kind: AlertKind | None = None
    #: From one day to another in Beijing, both included.
    since: date | None = None
    until: date | None = None


_SHOWN: tuple[Any, ...] = (
    *(Alert.id, Alert.raised_at, Alert.kind, Alert.light, Alert.department, Alert.message),
    *(Case.number.label("case"), Case.matter, Case.hall, Item.number.label("item"), Item.name),
)


def raise_alert(session: Session, case: Case, kind: AlertKind, light: Light, message: str, *, item: Item | None = None) -> Alert:
    """Write an alert, and put it into the outbox, from where it is sent to the people concerned."""
    alert = Alert(
        **case.key,
        item_id=item.id if item else None,
        light=light,
        kind=kind,
        department=item.department if item else None,
        message=message,
        raised_at=moments.now(),
    )
    session.add(alert)
    outbox.owe(session, case, Topic.ALERT, kind=kind, light=light, item=item.number if item else None, message=message)
    return alert


def listing(session: Session, actor: Actor, wanted: AlertFilter, *, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List the alerts that an actor may see, the newest first; those of archived cases are not listed.

    `limit`: how many at most.  `after`: id of the last alert of the page before; None: this is the first page.  The list goes back in the
    order of the ids.  These grow with time, so `since` and `until` say where it begins and ends.
    """
    query = _page(actor, wanted, goes_on=after is not None)
    # Not session.execute(), which prepares for objects: these are plain rows.
    return session.connection().execute(query, {"id": after, "limit": limit}).all()


@functools.lru_cache(maxsize=256)
def _page(actor: Actor, wanted: AlertFilter, *, goes_on: bool) -> Select[Any]:
    query = select(*_SHOWN).join(Case, keys.same_case(Alert, Case)).outerjoin(Item, keys.its(Alert.item_id, Item))
    query = query.where(visibility.sees_alert(actor), Case.hall.is_not(None), *_conditions(wanted))
    if goes_on:
        query = query.where(Alert.id < bindparam("id"))
    return query.order_by(Alert.id.desc()).limit(bindparam("limit", type_=Integer))


def _conditions(wanted: AlertFilter) -> Iterator[ColumnElement[bool]]:
    yield from reads.equal({Case.hall: wanted.hall, Case.matter: wanted.matter})
    yield from reads.equal({Alert.department: wanted.department, Alert.kind: wanted.kind})
    yield from pages.within(Alert.id, Alert.raised_at, wanted.since, wanted.until)
