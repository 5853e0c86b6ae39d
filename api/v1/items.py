"""Items (事项办件): what a department, its system or the window does to one of them, beside its diagram."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response, url_for
from pydantic import Field

from api import auth
from api.contract import answer, contract, require_match
from api.shapes import Body, Line, Query, Shape, Text
from api.transactions import reading, reading_item, transaction
from api.v1 import present
from api.v1.cases import Reason
from api.v1.shown import CaseShown, EarlierItemShown, ItemShown
from api.v1.submissions import Document
from engine import applicants, earlier_items, items
from engine.case_models import Item
from engine.clock import PauseKind
from engine.database import Session
from engine.item_clock import Approver
from engine.states import DeliveryStatus

bp = Blueprint("items", __name__, url_prefix="/items")

Days = Annotated[int, Field(ge=1, le=365, description="工作日 · Working days.")]


class ItemsOf(Query):
    """Whose items, and for which bundle."""

    #: Identity number, credit code, or number of another document, however it is typed.
    applicant_number: Line
    #: As with an applicant, where the number is not that of an identity card.
    id_type: Document | None = None
    id_country: Line | None = None
    matter: Annotated[Line | None, Field(description="只列该一件事包含的事项 · Only items that this matter may call for.")] = None


class EarlierItems(Shape):
    """What there is, the newest first; 200 at most."""

    data: list[EarlierItemShown]


class PauseOrder(Body):
    """A special procedure (特别程序): why, and how long it is expected to take, as the applicant is told."""

    #: Which special procedure it is.
    kind: PauseKind
    #: As the notice tells the applicant.
    reason: Text
    days: Days


class PauseEnd(Body):
    """Which pause ends; null: the only open one."""

    #: Its id in the ledger of the item.
    pause_id: UUID | None = None


class ExtensionOrder(Body):
    """An extension (延长)."""

    days: Days
    #: Who has approved it: the head of the organ, or of the government above it.
    approver: Approver
    #: As the notice tells the applicant.
    reason: Text


class DeliveryReport(Body):
    """How the delivery went."""

    #: What has become of it.
    outcome: Literal[DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.PREPARED]


class DepartmentReport(Body):
    """What a department's own system says; each event id counts once."""

    #: What the department's system calls this report.
    event_id: Annotated[str, Field(min_length=1, max_length=80)]
    #: Status of the item over there, in our words (in_review, granted …).
    state: Line
    #: Its own number of the item.
    external_number: Annotated[str, Field(min_length=1, max_length=80)] | None = None


@bp.get("")
@contract(summary="申请人已办在办事项 · What an applicant has under way", query=ItemsOf, answer=EarlierItems, problems=(404,))
def list_items(query: ItemsOf) -> Response:
    """List what an applicant has had handled alone, or has under way, before it is applied for again: a bundle may adopt it (接续)."""
    applicant = {"id_number": applicants.number(query.applicant_number), "id_type": query.id_type, "id_country": query.id_country}
    with reading() as session:
        found = earlier_items.find(session, auth.actor(), applicant, matter=query.matter)
        if not found:
            applicants.require_possible(applicant["id_number"] or "", field="applicant_number")
        return answer({"data": present.earlier_items(found)})


@bp.get("/<number>")
@contract(summary="事项详情 · One item", answer=ItemShown)
def get_item(number: str) -> Response:
    """Give an item, also of a case that is archived."""
    with reading_item(number) as session:
        return answer(_shown(session, items.get(session, number, auth.actor())))


@bp.post("/<number>/pause")
@contract(summary="特别程序开始 · Pause the clock", body=PauseOrder, answer=ItemShown, problems=(409, 412))
def pause(number: str, body: PauseOrder) -> Response:
    """Pause the clock for a special procedure; the applicant is told in writing."""
    with _as_seen(number) as (session, row):
        items.pause(session, row, kind=body.kind, reason=body.reason, days=body.days, actor=auth.actor())
        return answer(_shown(session, row))


@bp.post("/<number>/resume")
@contract(summary="特别程序结束 · Resume the clock", body=PauseEnd, answer=ItemShown, problems=(409, 412))
def resume(number: str, body: PauseEnd) -> Response:
    """End a pause today."""
    with _as_seen(number) as (session, row):
        return answer(_shown(session, items.resume(session, row, actor=auth.actor(), pause_id=body.pause_id)))


@bp.post("/<number>/materials/<int:no>/reject")
@contract(summary="退回容缺材料 · Reject a promised material", body=Reason, answer=ItemShown, problems=(409, 412))
def reject_material(number: str, no: int, body: Reason) -> Response:
    """Say that a material that was promised and has come in is not good: it is owed again, and the applicant is told why."""
    with _as_seen(number) as (session, row):
        return answer(_shown(session, items.reject_material(session, row, no, reason=body.reason, actor=auth.actor())))


@bp.post("/<number>/extend")
@contract(summary="延长期限 · Extend the limit", body=ExtensionOrder, answer=ItemShown, problems=(409, 412))
def extend(number: str, body: ExtensionOrder) -> Response:
    """Extend the limits, once."""
    with _as_seen(number) as (session, row):
        items.extend(session, row, days=body.days, approver=body.approver, reason=body.reason, actor=auth.actor())
        return answer(_shown(session, row))


@bp.post("/<number>/revoke")
@contract(summary="撤销决定 · Revoke a decision", body=Reason, answer=ItemShown, problems=(409, 412))
def revoke(number: str, body: Reason) -> Response:
    """Take back what was granted and should not have been: the result is void, the applicant is told why and what he may do against it.

    A case that is archived comes back for it, until the applicant's notice is sent.
    """
    with _as_seen(number, retrieving=True) as (session, row):
        return answer(_shown(session, items.revoke(session, row, reason=body.reason, actor=auth.actor())))


@bp.post("/<number>/withdraw")
@contract(summary="撤回事项 · Withdraw an item", body=Reason, answer=ItemShown, problems=(409, 412))
def withdraw(number: str, body: Reason) -> Response:
    """Take one item back; the rest of the bundle goes on."""
    with _as_seen(number) as (session, row):
        return answer(_shown(session, items.withdraw(session, row, reason=body.reason, actor=auth.actor())))


@bp.post("/<number>/reapply")
@contract(summary="重新申请 · Apply again", answer=CaseShown, status=201, problems=(409,))
def reapply(number: str) -> Response:
    """Apply for one ended item again; the answer is the case that carries it now."""
    actor = auth.actor()
    with transaction() as session:
        case = items.reapply(session, items.get(session, number, actor), actor=actor)
        return answer(present.case(session, case, actor), location=url_for("v1.cases.get_case", number=case.number))


@bp.post("/<number>/deliver")
@contract(summary="送达登记 · Note a delivery", body=DeliveryReport, answer=ItemShown, problems=(409,))
def deliver(number: str, body: DeliveryReport) -> Response:
    """Note how the delivery of a result went."""
    actor = auth.actor()
    with transaction() as session:
        row = items.deliver(session, items.get(session, number, actor), outcome=body.outcome, actor=actor)
        return answer(_shown(session, row))


@bp.post("/<number>/events")
@contract(summary="部门系统回传 · Report from a department's system", body=DepartmentReport, answer=ItemShown, problems=(409,))
def report(number: str, body: DepartmentReport) -> Response:
    """Take what a department's own system says; what does not fit is marked, and a person looks."""
    actor = auth.actor()
    with transaction() as session:
        row = items.get(session, number, actor)
        items.report(session, row, event_id=body.event_id, state=body.state, external_number=body.external_number, actor=actor)
        return answer(_shown(session, row))


@contextmanager
def _as_seen(number: str, *, retrieving: bool = False) -> Iterator[tuple[Session, Item]]:
    """Open the transaction of a command to an item, which still is as its client saw it (If-Match); `retrieving`: or in the archive."""
    with transaction() as session:
        row = items.get(session, number, auth.actor(), retrieving=retrieving)
        require_match(ItemShown, lambda: _shown(session, row))
        yield session, row


def _shown(session: Session, row: Item) -> dict[str, Any]:
    return present.item(session, row, auth.actor())
