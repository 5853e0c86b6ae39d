"""Follow-on intake (接续受理), as the clerk completes it: items that join a bundle later are accepted, or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import calendars, case_items, entered, intake, jobs, keys, lifecycle, matters, moments
from engine.case_models import Item
from engine.holdings import Held, HeldTask
from engine.models import Instance, Subscription, Task
from engine.runs import Run
from engine.states import TaskStatus


def decide(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Dispose of the items that want to join: `outcome` is accept, tolerate or refuse.

    When somebody else has disposed of them meanwhile, or all of them were adopted, nothing is left to do.
    """
    instead = ": what joins has no corrections of its own (decision 0025)" if data.get("outcome") == "supplement" else ""
    outcome = entered.choice(data, "outcome", DISPOSITIONS, hint=instead)
    items = case_items.unanswered(run.case)
    intake.require_time(run, task, items)
    if items:
        DISPOSITIONS[outcome](run, items, data)
    if outcome != "refuse":
        lifecycle.start_bundle_clock(run.session, run.case, calendars.local_date(moments.now()))
    jobs.owe(run.session, jobs.MESSAGE, run.row, message=matters.ITEMS_CHANGED)


def is_open(session: Session, bundle: Instance | Held, items: Iterable[Item]) -> bool:
    """Whether a bundle can still take items: its joint handling goes on, or has yet to begin."""
    dispatcher = select(Subscription.id).where(keys.its(Subscription.instance_id, bundle), Subscription.name == matters.ITEMS_CHANGED)
    window = select(Task.kind).where(keys.its(Task.instance_id, bundle), Task.status == TaskStatus.OPEN)
    if session.scalar(dispatcher.limit(1)) is not None:
        return True
    begins = not any(item.dispatched_at for item in items)
    return any(kind in {"intake", "supplement"} or (kind == "follow-on" and begins) for kind in session.scalars(window))


def _refuse(run: Run, items: Sequence[Item], data: dict[str, Any]) -> None:
    """Refuse; unless it is for another organ, or for none, the applicant is told all that is missing to apply again (art. 32 (4))."""
    told = {"refusal_kind": "not_accepted", **data}
    elsewhere = told["refusal_kind"] == "not_required" or told.get("competent_organ")
    intake.refuse(run, items, told, lacking=() if elsewhere else intake.missing(run, items))


#: What `outcome` may be.
DISPOSITIONS = {"accept": intake.accept, "tolerate": intake.accept_with_tolerance, "refuse": _refuse}
