"""Errors and escalations: who catches what is raised."""

from __future__ import annotations

from bpmn.definition import EventType
from bpmn.spiff.catching import Watcher
from bpmn.spiff.token import Token


def caught(at: Token, event: EventType, code: str, message: str | None = None) -> bool:
    """Raise an error or an escalation at a token; tells whether something caught it."""
    found = _catcher(at, event, code)
    if found is None:
        return False
    scope, catcher = found
    names = (catcher.event.code_variable, code), (catcher.event.message_variable, message)
    # What it interrupts sees them, too, and hands them out, if it says so.
    place = scope if catcher.element.interrupting or not catcher.element.attached_to else scope.scope
    place.set_variables({name: value for name, value in names if name})
    catcher.take_over(scope)
    return True


def _catcher(at: Token, event: EventType, code: str) -> tuple[Token, Watcher] | None:
    """Look for what catches an error or an escalation: the boundary of `at`, the event subprocesses around it, and so on outwards."""
    root = at.workflow.root
    while True:
        boundary: Watcher | None = at.task_spec.boundary(event, code)
        if boundary is not None:
            return at, boundary
        if at is root:
            return None
        start: Watcher | None = at.scope.task_spec.start(event, code, thrower=at.task_spec.name)
        if start is not None:
            return at.scope, start
        at = at.scope
