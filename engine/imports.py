"""Imports (已取得): results that a bundle has from elsewhere, and what becomes of them when they are lost there (docs/decisions/0026)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import alerts, archived_items, bundles, case_items, jobs, journal, keys, lifecycle, matters, retrievals
from engine.actors import Actor
from engine.alerts import AlertKind
from engine.case_models import Case, Item
from engine.clock import Light
from engine.holdings import Held
from engine.models import Job
from engine.states import FAVOURABLE, UNSETTLED, InstanceStatus, ItemStatus


def tell(session: Session, lost: Item, bundle: Held) -> None:
    """Owe every bundle that has imported an item the news that it was revoked, or has ended for want of a material.

    The caller holds the bundle of the item.  Whoever imports it at the same time needs that lock, too, and then finds the item lost.
    """
    query = select(Case.number, Item.id).join(Case, keys.same_case(Item, Case))
    query = query.where(Item.applicant_number == lost.applicant_number, Item.previous_number == lost.number)
    here = session.execute(query.where(Item.origin == "imported", Item.status == ItemStatus.IMPORTED).order_by(Item.id)).all()
    for case, item_id in [*here, *archived_items.importing(session, lost)]:
        jobs.owe(session, jobs.LOSE, bundle, item=str(item_id), status=str(lost.status), case=case)


def lose(session: Session, job: Job, *, actor: Actor) -> None:
    """Let an imported item end as the one that it was imported from, and tell whoever is concerned; nothing is done twice.

    It is of another case than the job.  One that is in the archive comes back, for its supervisor is to look at it.
    """
    found = _item(session, job, actor=actor)
    if found is None:
        return
    case = keys.get_one(session, Case, found.case_id, found)
    bundle = bundles.hold(session, case)
    item = keys.read_anew(session, Item, found.id, bundle)
    if item is None or item.status is not ItemStatus.IMPORTED:
        return
    was = item.previous_number
    status = ItemStatus(job.payload["status"])
    lifecycle.end(session, item, status, actor=actor, reason={"reason": f"所用的 {was} 的结果已失效"})
    alerts.raise_alert(session, case, AlertKind.BREACH, Light.RED, f"事项 {item.number} 所用的 {was} 的结果已失效", item=item)
    journal.record(session, bundle, actor=actor, what="imported result lost", item=item.number, previous=was, status=str(status))
    review(session, case, item)
    lifecycle.follow_up(session, case, actor=actor)
    tell(session, item, bundle)
    if bundle.status is InstanceStatus.RUNNING:
        jobs.owe(session, jobs.MESSAGE, bundle, message=matters.ITEMS_CHANGED)


def _item(session: Session, job: Job, *, actor: Actor) -> Item | None:
    """Return the imported item of a job; None: there is none any more.  An older node has written a job that does not say the case."""
    known, case = UUID(job.payload["item"]), job.payload.get("case")
    found = session.get(Item, known)
    if found is None and case is not None:
        retrievals.retrieve(session, case, actor=actor)
        found = session.get(Item, known)
    return found


def review(session: Session, case: Case, lost: Item) -> None:
    """Ask for a review of what was built on a result that is lost; nothing is revoked by itself (domain rule 13)."""
    for item in case_items.live(case):
        if lost.code in case_items.waits_for(item) and item.status in FAVOURABLE | UNSETTLED:
            message = f"事项 {item.number} 所依据的 {lost.number} 已失效，请复核"
            alerts.raise_alert(session, case, AlertKind.BREACH, Light.YELLOW, message, item=item)
