"""Alerts (电子监察): what a supervisor must see, written where it happened."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from engine import moments, outbox
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
    DIVERGED = "diverged"  #: 部门系统状态不一致
    BREACH = "breach"  #: 承诺不实
    UNCAUGHT_ERROR = "uncaught_error"  #: 流程出错，无人处理


def raise_alert(session: Session, case: Case, kind: AlertKind, light: Light, message: str, *, item: Item | None = None) -> Alert:
    """Write an alert and put it into the outbox for whoever is concerned."""
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
    outbox.put(session, case, Topic.ALERT, kind=kind, light=light, item=item.number if item else None, message=message)
    return alert
