"""Compensation: what was completed is undone, the last thing first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn.definition import ElementType
from bpmn.snapshot import Facts

if TYPE_CHECKING:
    from bpmn.spiff.token import Token

#: One completed activity: `activity`, its `local` variables, when it completed (`at`), its `handler` and the entries `inner` to it: one of
#: them, or both where an event subprocess is the handler.
Entry = dict[str, Any]


def note(token: Token, **how: Any) -> None:
    """Note in the scope of a token that its activity has completed, and how it is compensated."""
    # Whatever completes later finds a later number, in whichever scope.
    entry = {"activity": token.task_spec.drawn_id, "local": token.facts.get("local", {}), "at": token.workflow.next_id, **how}
    token.scope.facts.setdefault("compensable", []).append(entry)


def take(thrower: Token, activity: str | None) -> list[Entry]:
    """Take what can be compensated out of the list of the thrower's scope: one activity, or all.

    An event subprocess compensates what was done in the scope around it, too.
    """
    taken: list[Entry] = []
    scope = thrower.scope
    while True:
        entries = scope.facts.get("compensable", [])
        wanted = [entry for entry in entries if activity in {None, entry["activity"]}]
        taken = wanted + taken
        if wanted:
            scope.facts["compensable"] = [entry for entry in entries if entry not in wanted]
        if scope is scope.workflow.root or scope.task_spec.element.type is not ElementType.EVENT_SUBPROCESS:
            return sorted(taken, key=lambda entry: entry.get("at", 0))  # those of earlier releases have no number, and are older
        scope = scope.scope


def start(thrower: Token, entries: list[Entry], local: dict[str, Any] | None = None) -> bool:
    """Start the handlers inside the thrower, in reverse order; returns whether there was one."""
    started = False
    for entry in reversed(entries):
        known = {**(local or {}), **entry["local"]}
        if "handler" in entry:
            facts: Facts = {"local": known} if known else {}
            if "inner" in entry:
                facts["compensable"] = entry["inner"]
            thrower.workflow.spawn(thrower.workflow.spec.task_specs[entry["handler"]], thrower, **facts)
            started = True
        else:
            started = start(thrower, entry["inner"], known) or started
    return started
