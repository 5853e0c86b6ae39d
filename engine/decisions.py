"""Decisions (审批决定): a department grants or denies its item, with reason and remedies."""

from __future__ import annotations

from typing import Any

from bpmn.waits import WaitKind
from engine import case_items, entered, followers, journal, lifecycle, moments, notices
from engine.actors import ENGINE, Actor, Role
from engine.case_models import Case, Item
from engine.errors import InvalidInput, InvalidState
from engine.holdings import HeldTask
from engine.notices import NoticeKind
from engine.runs import Run
from engine.states import ItemStatus

#: Form outcomes that decide the item; every other outcome only moves the token.
OUTCOMES = {"granted": ItemStatus.GRANTED, "denied": ItemStatus.DENIED}
#: Form field with the number of the certificate, when the department gives one.
CERTIFICATE = "certificate_no"
#: Letters of such a number (`Result.number`).
LONGEST_NUMBER = 50
_FORM_FIELDS = frozenset({"outcome", "reason_code", "reason"})


def decide(run: Run, task: HeldTask, data: dict[str, Any]) -> None:
    """Apply a completed decision task: `outcome` granted or denied; anything else (inspect …) is the diagram's business."""
    if data.get("outcome") in list(OUTCOMES):
        item = run.require_item("a decision")
        grant_or_deny(run, item, data, actor=run.actor)
        _tell_others(run, item, task.wait)


def decide_automatically(run: Run) -> None:
    """Take the decision that a table gave (秒批): only a clear `outcome` counts, doubt never grants.

    It is the department's system that decides, where one has done the work, or else the engine; never who accepted, or retried a failure.
    """
    item, variables = run.require_item("a decision"), run.process.variables
    data = {name: variables.get(name) for name in ("outcome", "reason_code", "reason")}
    if data["outcome"] not in list(OUTCOMES):
        raise InvalidState(
            f"Expected the table, or the department's system, to leave outcome as granted or denied for item {item.number}, "
            f"but it is {data['outcome']!r}: set this variable of its process, and retry"
        )
    grant_or_deny(run, item, data, actor=run.actor if run.actor.has(Role.SYSTEM) else ENGINE)
    _tell_others(run, item)


def grant_or_deny(run: Run, item: Item, data: dict[str, Any], *, actor: Actor) -> None:
    """Grant or deny (domain rule 9).  Raises InvalidState while a material must come first, InvalidInput without reasons."""
    status = OUTCOMES[data["outcome"]]
    if status is ItemStatus.GRANTED:
        _require_number(data)
        _require_grantable(run, item)
        yielded = {name: value for name, value in data.items() if name not in _FORM_FIELDS and value is not None}
        reason = None
    else:
        yielded, reason = {}, _grounds(data)
    item.result, item.decided_at, item.decided_by = yielded, moments.now(), actor.name
    lifecycle.end(run.session, item, status, actor=actor, reason=reason)
    tell(run, run.case, item, actor=actor)


def tell(run: Run, case: Case, item: Item, *, actor: Actor) -> None:
    """Write the decision to the applicant and into the journal."""
    granted = item.status is ItemStatus.GRANTED
    kind = NoticeKind.GRANT if granted else NoticeKind.DENIAL
    result = item.rules.get("result") if granted else None  # of what is denied nothing is handed out
    content = {"item": item.name, "result": result or None, **(item.reason or {})}
    notice = notices.issue(run.session, case, kind, content, actor=actor, item=item)
    what = "item granted" if granted else "item denied"
    journal.record(run.session, run.row, actor=actor, what=what, item=item.number, notice=notice.number, **(item.reason or {}))


def _tell_others(run: Run, item: Item, wait: int | None = None) -> None:
    """Tell whatever else shows the clock of the item, or waits by it, that it has stopped: here, and in callers and called processes."""
    others = {kind for number, kind in run.process.glance(None).kinds.items() if number != wait}
    if others & {WaitKind.USER_TASK, WaitKind.CALL} or run.row.id != item.instance_id:
        followers.tell(run.session, item)


def _require_grantable(run: Run, item: Item) -> None:
    held = case_items.holds(run.case, item, at=case_items.BEFORE_DECISION)
    if held:
        names = "、".join(t.name for t in held)
        raise InvalidState(f"Expected to grant item {item.number}, but it waits for {names}", missing=[t.code for t in held])
    predecessors = case_items.open_predecessors(run.case, item)
    if predecessors:
        raise InvalidState(f"Expected to grant item {item.number}, but {'、'.join(p.name for p in predecessors)} is not granted yet")


def _require_number(data: dict[str, Any]) -> None:
    """Refuse a number of a certificate under which nobody could issue it."""
    if not isinstance(data.get(CERTIFICATE), int):
        entered.text(data, CERTIFICATE, longest=LONGEST_NUMBER)


def _grounds(data: dict[str, Any]) -> dict[str, Any]:
    reason = str(data.get("reason") or "").strip()
    lacking = [name for name, value in (("reason_code", data.get("reason_code")), ("reason", reason)) if not value]
    if lacking:
        errors = [{"field": name, "message": f"Expected {name} with a denial, but it is empty"} for name in lacking]
        raise InvalidInput(f"Expected a denial with {' and '.join(lacking)}, but it is empty", errors=errors)
    return {"reason_code": data["reason_code"], "reason": reason, "remedies": notices.REMEDIES}
