"""Errors and escalations: who catches what is raised."""

from __future__ import annotations

from bpmn.definition import EventType
from bpmn.spiff.catching import Watcher
from bpmn.spiff.token import Token
from bpmn.waits import Values, WaitKind


def hand_over(token: Token, variables: Values, local: Values = None) -> None:
    """Set what comes with an end, an error or an escalation, then what is of the activity alone; a call maps it out, as at its end."""
    if variables is not None and token.kind is WaitKind.CALL:
        token.task_spec.take_over(token, variables)
    else:
        token.set_variables(variables or {})
    if local:
        token.set_local(local)


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


def raise_error(at: Token, code: str, message: str | None = None) -> None:
    """Raise a BPMN error: what catches it goes on, here or in an instance that has called this one; else only `at` is over.

    Until those have answered, the token rests, and waits for nothing else.
    """
    if caught(at, EventType.ERROR, code, message):
        return
    if not at.workflow.context.called:
        give_up(at, code)
        return
    for watcher in [child for child in at.children if child.watches]:
        at.workflow.discard(watcher)
    at.facts["raised"] = {"name": code, "error": message}


def give_up(token: Token, code: str) -> None:
    """Nothing catches an error: the token that has thrown it is to end, as at a plain end event, and others go on."""
    token.facts.pop("raised", None)
    token.facts |= {"uncaught": code, "done": True}
    process = token.workflow
    process.error = code
    if token.scope is process.root:
        process.end = token.task_spec.drawn_id
