"""Instances in a few words: begin one from a diagram, look at where it stands, push it on by the names of elements."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from bpmn.instance import Instance
from bpmn.waits import Context, WaitKind
from tests.bpmn.diagrams import end, flows, parallel, start, timer_boundary, user
from tests.bpmn.drawings import compiled as definition

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def begin(*content, at=None, now=NOW, variables=None, **context):
    """Start an instance of a diagram; further words go into its context."""
    return Instance.start(_definition(content), variables or {}, Context(now=now, **context), at=at)


@functools.lru_cache(maxsize=64)
def _definition(content):
    """Compile once what several instances begin with, one after the other: nobody changes it."""
    return definition(*content)


def again(instance, **context):
    """Dump an instance and take it up again, as another process would."""
    known = instance.context
    new = Context(**{**vars(known), **context})
    return Instance.load(instance.definition, instance.snapshot(), instance.variables, new)


def standing(instance, kind=None):
    """Names of the elements that wait, in the order of their ids."""
    return [wait.element for wait in instance.waits() if kind in (None, wait.kind)]


def incidents(instance):
    """What failed, by element."""
    return {wait.element: wait.error for wait in instance.waits() if wait.kind is WaitKind.INCIDENT}


def wait(instance, element):
    """The oldest wait at an element."""
    return next(wait for wait in instance.waits() if wait.element == element)


def complete(instance, *elements, **variables):
    """Complete the oldest wait at each element, one after the other."""
    for element in elements:
        instance.complete(wait(instance, element).id, variables)


def proceed(instance, here, known):
    """Do what a wait waits for, whatever that is."""
    if here.kind is WaitKind.TIMER:
        instance.fire(here.id)
    elif here.kind is WaitKind.JOB:
        instance.execute(here.id)
    elif here.kind is WaitKind.INCIDENT:
        instance.retry(here.id)
    elif here.kind in {WaitKind.MESSAGE, WaitKind.SIGNAL}:
        instance.deliver(here.id, known)
    else:
        instance.complete(here.id, known)


def fire(instance, element, at=None):
    """Let time pass and the timer go off."""
    if at is not None:
        instance.context.now = at
    instance.fire(wait(instance, element).id)


def outcomes(instance):
    """The history as pairs of element and outcome."""
    return [(activity.element, activity.outcome) for activity in instance.history()]


def blocks(count, width, *, deadline=None):
    """Blocks of parallel tasks, one after the other; each task with a boundary timer if there is a deadline."""
    content, arrows, before = [start("s")], [], "s"
    for block in range(count):
        fork, join = f"f{block}", f"j{block}"
        content += [parallel(fork), parallel(join)]
        arrows.append(f"{before} -> {fork}")
        before = join
        for branch in range(width):
            name = f"t{block}_{branch}"
            content.append(user(name))
            arrows.append(f"{fork} -> {name} -> {join}")
            if deadline:
                content += [timer_boundary(f"late_{name}", on=name, duration=deadline, interrupting=False), end(f"end_{name}")]
                arrows.append(f"late_{name} -> end_{name}")
    return (*content, end("e"), flows(*arrows, f"{before} -> e"))
