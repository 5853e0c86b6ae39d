"""Called items: which item a call activity means, the variables that it is called with, and what begins with it."""

from __future__ import annotations

from typing import Any

from bpmn import identifiers
from bpmn.identifiers import Format
from bpmn.waits import Wait
from engine import case_items, item_clock, journal, moments, tolerances
from engine.case_models import Case, Item
from engine.decisions import CERTIFICATE
from engine.runs import Run
from engine.states import FAVOURABLE, ClockStatus, ItemStatus, move


def item_for(run: Run, wait: Wait) -> Item | None:
    """The item of the case that the call activity means, and that no dispatcher has taken yet; None for a plain process."""
    if run.item is not None:
        return None
    return next((item for item in case_items.live(run.case) if item.code == wait.name and item.dispatched_at is None), None)


def begin_item(run: Run, item: Item) -> None:
    """Put the item into its department's hands; a clock that waited for a predecessor starts now (domain rule 5)."""
    item.dispatched_at, item.instance_id = moments.now(), run.row.id
    item.status = move(item.status, ItemStatus.IN_REVIEW, f"item {item.number}")
    if item.clock is ClockStatus.NOT_STARTED:
        item_clock.start(run.session, item, actor=run.actor)
        tolerances.pause_from_the_start(run.session, run.case, item, actor=run.actor)
    journal.record(run.session, run.row, actor=run.actor, what="item started", item=item.number, department=item.department)


def variables(run: Run, wait: Wait) -> dict[str, Any]:
    """What a called process knows: answers, what earlier items yielded, facts about the applicant, and what the diagram passes in."""
    if run.case.is_plain:
        return dict(wait.variables)
    return {**run.case.answers, **_yielded(run), **applicant_facts(run.case), **wait.variables}


def _yielded(run: Run) -> dict[str, Any]:
    """What items that were granted have yielded for others (`id_number` of a child …), the later decision last."""
    settled = [item for item in case_items.live(run.case) if item.status in FAVOURABLE and item.decided_at]
    results = [item.result or {} for item in sorted(settled, key=lambda item: item.decided_at or item.joined_at)]
    return {name: value for result in results for name, value in result.items() if name != CERTIFICATE}


def applicant_facts(case: Case) -> dict[str, Any]:
    """Facts about the applicant that tables may ask for."""
    number = case.applicant_number
    return {
        "applicant_kind": case.applicant.get("kind"),
        "applicant_name": case.applicant.get("name"),
        "credit_code_valid": _is_clean(number, Format.CREDIT_CODE),
        "id_number_valid": _is_clean(number, Format.ID_NUMBER),
        "licence_status": case.applicant.get("licence_status"),
    }


def _is_clean(number: str, kind: Format) -> bool:
    return not identifiers.refusal(number, kind) and not identifiers.warning(number, kind)
