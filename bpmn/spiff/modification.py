"""Modification: tokens are put somewhere else by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from SpiffWorkflow.task import TaskState

from bpmn.definition import BODY, Element, ElementType
from bpmn.errors import InstanceError
from bpmn.instructions import Instruction, Verb
from bpmn.snapshot import Facts
from bpmn.spiff import canceling
from bpmn.spiff.catching import EventStart
from bpmn.spiff.process import Process
from bpmn.spiff.scopes import ROOT_NAME, Scope
from bpmn.spiff.token import Token


def carry_out(process: Process, instruction: Instruction, place: Callable[[int], Token]) -> int:
    """Carry out one instruction, which names a `place` by its number; returns the number of what it cancels or starts."""
    if isinstance(instruction.target, int):
        cancel(process, place(instruction.target))
        return instruction.target
    within = None if instruction.within is None else place(instruction.within)
    return start(process, instruction.verb, instruction.target, within, instruction.local)


def start(process: Process, verb: Verb, target: str, within: Token | None, local: Mapping[str, Any]) -> int:
    """Let a token start somewhere, with local variables, `within` an activation or where it follows; returns its number."""
    if verb is not Verb.ALONG and target not in process.spec.task_specs:
        raise InstanceError(f"Expected an element {target} to start {verb}, but there is none")
    return _STARTS[verb](process, target, within, local)


def _before(process: Process, key: str, within: Token | None, local: Mapping[str, Any]) -> int:
    """Let a token arrive at an element, and return its number.

    One that runs several times starts as a whole, or, `within` what is around its rounds, with one more of them.
    """
    if within is not None and within.task_spec.name == key + BODY:
        return process.spawn(process.spec.task_specs[key], within, **_own({**within.task_spec.admit(within), **local}))
    spec = process.spec.task_specs[key + BODY if key + BODY in process.spec.task_specs else key]
    if spec.element.type in {ElementType.BOUNDARY_EVENT, ElementType.EVENT_SUBPROCESS}:
        raise InstanceError(f"Expected to start before an activity, a gateway or an event that a flow leads to, but {key} is none")
    if isinstance(spec, EventStart):
        return _happen(process, spec, within, local)
    return process.spawn(spec, _scope(process, spec.element, within), **_own(local))


def _happen(process: Process, spec: EventStart, within: Token | None, local: Mapping[str, Any]) -> int:
    """Let an event subprocess start, as if its event had happened, and return its number."""
    subprocess = process.spec.task_specs[spec.element.parent or ROOT_NAME]
    scope = _scope(process, subprocess.element, within)
    if spec.element.interrupting:
        process.empty(scope)
    facts: Facts = {"start": [spec.name, None], **_own(local)}
    return process.spawn(subprocess, scope, **facts)


def _along(process: Process, flow: str, within: Token | None, local: Mapping[str, Any]) -> int:
    """Let a token take a sequence flow, and return its number; its condition is not evaluated."""
    for spec in process.spec.task_specs.values():
        for taken in spec.flows:
            if taken.id == flow:
                target = process.spec.task_specs[taken.target]
                return process.spawn(target, _scope(process, spec.element, within), flow=flow, **_own(local))
    raise InstanceError(f"Expected a sequence flow {flow}, but there is none")


def _after(process: Process, key: str, within: Token | None, local: Mapping[str, Any]) -> int:
    """Let a token take the flow out of an element, which must be the only one, and return its number."""
    spec = process.spec.task_specs[key + BODY if key + BODY in process.spec.task_specs else key]
    if len(spec.flows) != 1:
        raise InstanceError(f"Expected one sequence flow out of {key}, but there are {len(spec.flows)}")
    return _along(process, spec.flows[0].id, within, local)


_STARTS = {Verb.BEFORE: _before, Verb.AFTER: _after, Verb.ALONG: _along}


def cancel(process: Process, token: Token) -> None:
    """Take an activation away, and the scopes in which nothing else is."""
    while token.scope is not process.root and token.scope.inside == 1:
        token = token.scope
    if token.task_spec.body:
        token.task_spec.body.forget(token)
    canceling.cancel(process, token)


def _own(local: Mapping[str, Any]) -> Facts:
    return {"local": dict(local)} if local else {}


def _scope(process: Process, element: Element, within: Token | None) -> Token:
    """Return the token of the scope that an element stands in; it is opened when there is none.

    What lies between the element and a scope that is named (`within`) is opened anew.
    """
    if within is not None and within.task_spec.element.id == (element.parent or ROOT_NAME):
        return within
    if element.parent is None:
        if within is not None:
            raise InstanceError(f"Expected a scope around what is to start, but activation {within.id} is at {within.task_spec.drawn_id}")
        return process.root
    spec = process.spec.task_specs[element.parent]
    around = _scope(process, spec.element, within)
    there = [token for token in around.children if token.task_spec is spec and not token.watches] if within is None else []
    if len(there) > 1:
        raise InstanceError(f"Expected one activation of {element.parent} to start {element.id} in, but there are {len(there)}")
    return there[0] if there else _open(process, spec, around)


def _open(process: Process, spec: Scope, around: Token) -> Token:
    """Open a scope without starting what is in it."""
    if not isinstance(spec, Scope):
        raise InstanceError(f"Expected a running {spec.drawn_id} to start something in, but it does not run")
    more: Facts = _own(spec.body.admit(around)) if spec.body else {}
    token = Token(process, spec, around, number=process.number(), since=process.context.now)
    token.facts |= more
    process.enter_scope(token)
    token.begin()
    token.rest(TaskState.STARTED)
    spec.open(token)
    process.watch(token, spec.watching)
    return token
