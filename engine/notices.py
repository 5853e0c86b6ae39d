"""Notices (文书): legal documents for the applicant.

Each has a number and a date, is kept as it was given, and is sent through the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from engine import moments, numbers, outbox
from engine.actors import Actor
from engine.case_models import Case, Item, Notice
from engine.columns import new_id
from engine.outbox import Topic

#: Told with every decision against the applicant (行政许可法 art. 38).
REMEDIES = "如不服本决定，可自收到之日起六十日内申请行政复议，或者六个月内向人民法院提起行政诉讼。"
#: Why an application is returned whose corrections have not come; lists of departments call it 补正不来.
NOT_CORRECTED = "逾期未按要求补正"


class NoticeKind(StrEnum):
    """Kinds of notices."""

    RECEIPT = "receipt"  #: 收件凭证
    ACCEPTANCE = "acceptance"  #: 受理通知书
    TOLERANCE = "tolerance"  #: 容缺受理通知书
    SUPPLEMENT = "supplement"  #: 补正通知书
    REFUSAL = "refusal"  #: 不予受理通知书
    SPECIAL_PROCEDURE = "special_procedure"  #: 特别程序告知书
    EXTENSION = "extension"  #: 延长期限告知书
    GRANT = "grant"  #: 准予行政许可决定书
    DENIAL = "denial"  #: 不予行政许可决定书
    TOLERANCE_OVERDUE = "tolerance_overdue"  #: 容缺逾期告知书
    MATERIAL_REJECTED = "material_rejected"  #: 材料退回补交告知书: what was promised came in, and is not good
    RETURN = "return"  #: 退件通知书
    WITHDRAWAL = "withdrawal"  #: 撤回申请通知书
    TERMINATION = "termination"  #: 终止办理告知书: accepted, and never decided: what it waits for was not granted, or its process broke off
    RECTIFICATION = "rectification"  #: 责令限期整改通知书
    REVOCATION = "revocation"  #: 撤销决定书
    REMINDER = "reminder"  #: 催办提醒


class ItemType(StrEnum):
    """What an item is by law (事项类型).  The titles of the notices about its decision depend on it."""

    PERMIT = "permit"  #: 行政许可
    CONFIRMATION = "confirmation"  #: 行政确认
    BENEFIT = "benefit"  #: 行政给付
    FILING = "filing"  #: 备案
    SERVICE = "service"  #: 公共服务


TITLES = {
    NoticeKind.RECEIPT: "收件凭证",
    NoticeKind.ACCEPTANCE: "受理通知书",
    NoticeKind.TOLERANCE: "容缺受理通知书",
    NoticeKind.SUPPLEMENT: "一次性补正告知书",
    NoticeKind.REFUSAL: "不予受理通知书",
    NoticeKind.SPECIAL_PROCEDURE: "特别程序告知书",
    NoticeKind.EXTENSION: "延长办理期限告知书",
    NoticeKind.GRANT: "准予行政许可决定书",
    NoticeKind.DENIAL: "不予行政许可决定书",
    NoticeKind.TOLERANCE_OVERDUE: "容缺逾期告知书",
    NoticeKind.MATERIAL_REJECTED: "材料退回补交告知书",
    NoticeKind.RETURN: "退件通知书",
    NoticeKind.WITHDRAWAL: "撤回申请通知书",
    NoticeKind.TERMINATION: "终止办理告知书",
    NoticeKind.RECTIFICATION: "责令限期整改通知书",
    NoticeKind.REVOCATION: "撤销行政许可决定书",
    NoticeKind.REMINDER: "补交材料提醒",
}
#: Titles for items that are no permits: 行政许可法 does not apply to them.
_OF_NO_PERMIT: dict[tuple[str, NoticeKind], str] = {
    (ItemType.CONFIRMATION, NoticeKind.GRANT): "行政确认决定书",
    (ItemType.CONFIRMATION, NoticeKind.DENIAL): "不予行政确认决定书",
    (ItemType.CONFIRMATION, NoticeKind.REVOCATION): "撤销行政确认决定书",
    (ItemType.BENEFIT, NoticeKind.GRANT): "行政给付决定书",
    (ItemType.BENEFIT, NoticeKind.DENIAL): "不予行政给付决定书",
    (ItemType.BENEFIT, NoticeKind.REVOCATION): "撤销行政给付决定书",
    (ItemType.FILING, NoticeKind.GRANT): "备案通知书",
    (ItemType.FILING, NoticeKind.DENIAL): "不予备案通知书",
    (ItemType.FILING, NoticeKind.REVOCATION): "撤销备案通知书",
    (ItemType.SERVICE, NoticeKind.GRANT): "办理结果通知书",
    (ItemType.SERVICE, NoticeKind.DENIAL): "不予办理通知书",
    (ItemType.SERVICE, NoticeKind.REVOCATION): "撤销办理结果通知书",
}


def issue(session: Session, case: Case, kind: NoticeKind, content: dict[str, Any], *, actor: Actor, item: Item | None = None) -> Notice:
    """Write a notice about a case, or about one item of it, and put it into the outbox; returns its row."""
    notice = Notice(
        id=new_id(),
        number=numbers.next_notice(session, case, item),
        **case.key,
        item_id=item.id if item else None,
        kind=kind,
        title=_title(kind, item),
        content=content,
        issued_at=moments.now(),
        issued_by=actor.name,
    )
    session.add(notice)
    outbox.owe(session, case, Topic.NOTICE, notice=notice.number, kind=kind, title=notice.title, to=case.applicant.get("phone"))
    return notice


def _title(kind: NoticeKind, item: Item | None) -> str:
    """Return the title of a notice.  An item without a type was taken in before types were drawn, and counts as a permit."""
    return TITLES[kind] if item is None else _OF_NO_PERMIT.get((item.rules.get("type", ItemType.PERMIT), kind), TITLES[kind])


def withdrawal(session: Session, case: Case, items: Sequence[str], reason: str, *, actor: Actor) -> Notice:
    """Tell the applicant which items were withdrawn in his name, and why: if he has not asked for it, he can object.

    `items`: their numbers.
    """
    return issue(session, case, NoticeKind.WITHDRAWAL, {"items": items, "reason": reason}, actor=actor)
