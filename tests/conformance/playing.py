"""A run of a case, played step by step."""

from __future__ import annotations

import functools

from bpmn import compiler
from bpmn.definition import BODY, ElementType
from bpmn.errors import BpmnError
from bpmn.instance import Instance
from bpmn.waits import Context, WaitKind
from tests.bpmn.instances import NOW, again
from tests.conformance import drawing

#: What completes: somebody's work, or the answer of another instance.
WORK = (WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL, WaitKind.ESCALATION, WaitKind.ERROR)


@functools.cache
def compiled(drawn, *, operaton=False):
    """Compile a drawing once, for all runs and whoever plays them."""
    xml = drawing.draw(drawn)
    (definition,) = compiler.compile(xml.replace(b"camunda:", b"operaton:") if operaton else xml, "case.bpmn")
    return definition


def play(case, run, *, cold=False, operaton=False):
    """Play a run of a case; returns each command with the trace that it gave, and the instance at the end."""
    definition = compiled(case.drawing, operaton=operaton)
    start, *steps = [step for step in run if step.trace is not None]
    known = dict(start.variables)
    instance = Instance.start(
        definition, known, Context(now=NOW, decide=lambda decision, _: [{"name": decision}]), at=known.pop("at", None)
    )
    trace = Trace(instance)
    told = [trace.look(instance)]
    for step in steps:
        instance = again(instance) if cold else instance
        before = again(instance)
        try:
            STEPS[step.verb](instance, step)
            told.append(trace.look(instance))
        except BpmnError:
            told.append("refused")
            instance = before
    return told, again(instance) if cold else instance


class Trace:
    """What has become of each activation so far."""

    def __init__(self, instance):
        elements = instance.definition.elements
        self.told = {e.id for e in elements.values() if e.drawn or e.type is ElementType.MULTI_INSTANCE_BODY}
        self.known = {}
        self.signals = []

    def look(self, instance):
        """Say what has changed since the last look."""
        before = dict(self.known)
        for activity in instance.history():
            mark = {None: "+", "completed": "", "canceled": "-"}[activity.outcome]
            self.known[activity.id] = (mark, activity.element if activity.error is None else f"{activity.element}!{activity.error}")
        broken = {wait.id for wait in instance.waits(WaitKind.INCIDENT)}
        for number, (mark, element) in self.known.items():
            if mark in {"+", "!"}:
                self.known[number] = ("!" if number in broken else "+", element)
        changed = [found for number, found in self.known.items() if before.get(number) != found and found[1].partition("!")[0] in self.told]
        signals = [signal for signal in instance.signals if signal not in self.signals]
        self.signals += signals
        return " ".join([f"{mark}{element.replace(BODY, '#')}" for mark, element in changed] + [f"^{signal.name}" for signal in signals])


def at(instance, step, *kinds):
    """The wait that a step means: the oldest at its element, or the one of that number (`a#2`)."""
    element, _, number = step.words[0].partition("#")
    element += BODY if step.words[0].endswith("#") else ""
    waits = [wait for wait in instance.waits(*kinds) if wait.element == element]
    assert waits, f"nothing of {step.words[0]} waits; what does: {[(wait.kind.value, wait.element) for wait in instance.waits()]}"
    return waits[int(number or 1) - 1]


def _fire(instance, step):
    wait = at(instance, step, WaitKind.TIMER)
    instance.context.now = max(instance.context.now, wait.due_at)
    instance.fire(wait.id)


STEPS = {
    "complete": lambda instance, step: instance.complete(at(instance, step, *WORK).id, step.variables),
    "fire": _fire,
    "message": lambda instance, step: instance.throw(step.words[0], step.variables),
    "signal": lambda instance, step: instance.broadcast(step.words[0], step.variables),
    "execute": lambda instance, step: instance.execute(at(instance, step, WaitKind.JOB).id),
    "error": lambda instance, step: instance.raise_error(at(instance, step, *WORK).id, step.words[1], variables=step.variables),
    "escalate": lambda instance, step: instance.raise_escalation(at(instance, step, *WORK).id, step.words[1], step.variables),
    "set": lambda instance, step: instance.set_variables(step.variables),
    "remove": lambda instance, step: instance.remove_variables(step.words),
    "retry": lambda instance, step: instance.retry(at(instance, step, WaitKind.INCIDENT).id),
    "cancel": lambda instance, step: instance.cancel(),
}
