"""What tokens, and the process itself, remember of other elements: what can be compensated, where an event subprocess began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bpmn.definition import ElementType, EventType
from bpmn.migration.plan import Plan, label
from bpmn.snapshot import Facts


def lost(plan: Plan, facts: Facts) -> Iterator[str]:
    """Yield what could no longer be compensated."""
    for entry in facts.get("compensable", ()):
        if "handler" in entry and (reason := plan.misfit(entry["handler"]) or _unstarted(plan, entry["handler"])):
            yield f"Expected to compensate {entry['activity']} as before, but: {reason}"
        yield from lost(plan, {"compensable": entry.get("inner", [])})


def _unstarted(plan: Plan, handler: str) -> str:
    """Say that an event subprocess is no longer one that a compensation starts."""
    if plan.source.elements[handler].type is not ElementType.EVENT_SUBPROCESS:
        return ""
    starts = plan.target.starts(plan.goes_to(handler))
    if any(start.event_type is EventType.COMPENSATION for start in starts):
        return ""
    return f"Expected {label(plan.source, handler)} to be started by a compensation, but it no longer is: draw that start event again"


def renamed(plan: Plan, facts: Facts) -> Facts:
    """Return what is remembered with the new ids of the elements."""
    told = facts.copy()
    if "start" in facts:
        start, number = facts["start"]
        told["start"] = [plan.goes_to(start), number]
    if "compensable" in facts:
        told["compensable"] = [_entry(plan, entry) for entry in facts["compensable"]]
    return told


def _entry(plan: Plan, entry: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: plan.goes_to(entry[key]) for key in ("activity", "handler") if key in entry}
    inner = {"inner": [_entry(plan, each) for each in entry["inner"]]} if "inner" in entry else {}
    return {**entry, **named, **inner}
