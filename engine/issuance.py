"""Issuance (出件): what was granted goes out — together, as decided, or as one comprehensive permit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import case_items, entered, journal, moments, numbers, outbox
from engine.case_models import Item, Package, Result
from engine.columns import new_id
from engine.decisions import CERTIFICATE
from engine.errors import InvalidState
from engine.holdings import HeldTask
from engine.outbox import Topic
from engine.runs import Run
from engine.states import DeliveryStatus, ItemStatus, move

MODES = ("unified", "classified", "comprehensive")
DELIVERIES = ("window", "post", "electronic", "kiosk")
#: A comprehensive permit shows at least so many single permits (一业一证).
COMPREHENSIVE_FROM = 2


def issue(run: Run, _task: HeldTask, data: dict[str, Any]) -> None:
    """Hand out everything that is granted and not held (domain rule 11).

    When all of it was revoked while it waited here there is nothing to hand out, and the case goes on.
    """
    recipient = entered.text(data, "recipient")
    mode = entered.choice(data, "mode", MODES, otherwise="unified")
    delivery = entered.choice(data, "delivery", DELIVERIES, otherwise="window")
    items = case_items.issuable(run.case)
    if not items and not any(item.status is ItemStatus.GRANTED for item in case_items.live(run.case)):
        return
    if not items:
        raise InvalidState(f"Expected a result of case {run.case.number} that can be issued, but there is none")
    if mode == "comprehensive" and len(items) < COMPREHENSIVE_FROM:
        raise InvalidState(f"Expected at least {COMPREHENSIVE_FROM} granted items for a comprehensive permit, but there is {len(items)}")
    hand_out(run, items, mode=mode, delivery=delivery, recipient=recipient)


def split(run: Run) -> None:
    """Stop waiting for the rest: issue by itself what can be issued, electronically, and tell the applicant."""
    items = case_items.issuable(run.case)
    if items:
        hand_out(run, items, mode="split", delivery="electronic", recipient=None)


def hand_out(run: Run, items: Sequence[Item], *, mode: str, delivery: str, recipient: str | None) -> Package:
    """Put results into one package.  Over the counter and electronically they are delivered at once."""
    now = moments.now()
    how = {"mode": mode, "delivery": delivery, "recipient": recipient}
    package = Package(id=new_id(), **run.case.key, **how, issued_at=now, issued_by=run.actor.name)
    run.session.add(package)
    for item in items:
        item.status, item.issued_at = move(item.status, ItemStatus.ISSUED, f"item {item.number}"), now
        reached = DeliveryStatus.DELIVERED if delivery in {"window", "electronic"} else DeliveryStatus.PREPARED
        item.delivery = move(item.delivery, reached, f"the result of item {item.number}")
        _certify(run, item, package)
    journal.record(
        run.session, run.row, actor=run.actor, what="results issued", mode=mode, delivery=delivery, items=[i.number for i in items]
    )
    outbox.owe(
        run.session, run.case, Topic.ISSUANCE, package=str(package.id), mode=mode, delivery=delivery, items=[i.number for i in items]
    )
    return package


def _certify(run: Run, item: Item, package: Package) -> None:
    if not item.rules.get("result"):
        return
    run.session.add(
        Result(
            **run.case.key,
            item_id=item.id,
            package_id=package.id,
            number=(item.result or {}).get(CERTIFICATE) or numbers.result(item),
            name=item.rules["result"],
            issuer=item.rules.get("issuer") or item.department,
            holder=run.case.applicant["name"],
            issued_at=package.issued_at,
        )
    )
