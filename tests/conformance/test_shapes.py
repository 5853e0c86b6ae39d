"""Random diagrams: whatever they are made of, they come to an end when what they wait for comes, in any order; dumped and restored as well."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import compiler
from bpmn.definition import ElementType
from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.instructions import PROCESS, Instruction, Verb
from bpmn.waits import Context, WaitKind
from tests.bpmn.instances import HOUR, NOW, again
from tests.conformance import drawing, shapes
from tests.conformance.playing import Trace

#: Steps after which every condition is false and nothing interrupts any more, so that loops end.
PATIENCE = 25
#: Who works may raise an error or an escalation instead of completing; mostly nobody does.
WORK = frozenset({WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL})
RAISED = (None, None, None, None, "E1", "up")
#: What watches may never come; once it has, its job does.
WATCHERS = frozenset({ElementType.BOUNDARY_EVENT, ElementType.START_EVENT})


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_shape__comes_to_an_end_hot_as_cold(data):
    (definition,) = compiler.compile(drawing.draw(shapes.lines(data.draw(shapes.BLOCKS))), "shape.bpmn")
    known = conditions(data, definition, 0)
    hot, cold = (Instance.start(definition, dict(known), Context(now=NOW)) for _ in range(2))
    traces = Trace(hot), Trace(cold)
    assert traces[0].look(hot) == traces[1].look(cold)

    step = 0
    while not hot.ended:
        step += 1
        assert hot.waits() == cold.waits()
        if stuck := hot.waits(WaitKind.INCIDENT):  # a path that an error has ended never comes to its join
            assert hot.error is not None
            assert all("none can arrive any more" in wait.error for wait in stuck)
            break
        here = data.draw(st.sampled_from(expected(hot, step)))
        raised = data.draw(st.sampled_from(RAISED), label="raised") if here.kind in WORK and step < PATIENCE else None
        known = conditions(data, definition, step)
        cold = again(cold)
        for instance in (hot, cold):
            instance.context.now += HOUR
            instance.set_variables(known)
            serve(instance, here, raised)
        assert traces[0].look(hot) == traces[1].look(cold)

    assert (hot.error, hot.failed) == (cold.error, cold.failed)
    assert hot.variables == cold.variables
    assert hot.snapshot() == cold.snapshot()


def conditions(data, definition, step):
    """Draw every condition anew."""
    flows = [flow.condition for flow in definition.flows.values() if flow.condition]
    loops = [element.loop.condition for element in definition.elements.values() if element.loop and element.loop.condition]
    events = [element.event.condition for element in definition.elements.values() if element.event and element.event.condition]
    names = sorted({name for condition in flows + loops + events for name in condition.names})
    return {name: step < PATIENCE and data.draw(st.booleans(), label=name) for name in names}


def expected(instance, step):
    """What may come: everything at first, later only what something waits for that must come."""
    waits = [wait for wait in instance.waits() if wait.kind is not WaitKind.CONDITION]  # it comes with the variables
    if step < PATIENCE:
        return waits
    return [wait for wait in waits if wait.kind is WaitKind.JOB or instance.definition.elements[wait.element].type not in WATCHERS]


def serve(instance, wait, raised=None):
    """Let come what a wait waits for, or let it fail; a condition may have swept it away."""
    if wait not in instance.waits():
        return
    if raised == "up":
        instance.raise_escalation(wait.id, raised)
    elif raised:
        instance.raise_error(wait.id, raised)
    elif wait.kind is WaitKind.JOB:
        instance.execute(wait.id)
    elif wait.kind is WaitKind.TIMER:
        instance.fire(wait.id)
    elif wait.kind in (WaitKind.MESSAGE, WaitKind.SIGNAL):
        instance.deliver(wait.id)
    else:
        instance.complete(wait.id)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_shape__never_waits_for_what_was_canceled(data):
    """Whatever is taken away by hand: something waits for the world, or says what it lacks, or all is over."""
    (definition,) = compiler.compile(drawing.draw(shapes.lines(data.draw(shapes.BLOCKS))), "shape.bpmn")
    instance = Instance.start(definition, conditions(data, definition, 0), Context(now=NOW))

    for step in range(PATIENCE):
        assert instance.ended or instance.waits()
        if instance.ended or instance.waits(WaitKind.INCIDENT):
            break
        instance = again(instance)
        instance.set_variables(conditions(data, definition, step))
        if not instance.ended and data.draw(st.booleans(), label="cancel"):
            instance.modify(Instruction(verb=Verb.CANCEL, target=data.draw(st.sampled_from(instance.tokens())).id))
        elif here := expected(instance, step):
            serve(instance, data.draw(st.sampled_from(here)))


@given(st.data())
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_shape__comes_to_an_end_wherever_tokens_are_put(data):
    """Tokens are canceled and started by hand, several at once: none is lost or left over, hot as cold."""
    (definition,) = compiler.compile(drawing.draw(shapes.lines(data.draw(shapes.BLOCKS))), "shape.bpmn")
    instance = Instance.start(definition, conditions(data, definition, 0), Context(now=NOW))

    for step in range(40 * PATIENCE):
        if instance.ended or instance.waits(WaitKind.INCIDENT):
            break
        instance = again(instance)
        if step < PATIENCE and data.draw(st.booleans(), label="modify"):
            instance = modified(data, instance)
            assert instance.ended or instance.waits() == again(instance).waits() != ()
        else:
            instance.set_variables(conditions(data, definition, step))
            here = [] if instance.ended else expected(instance, step)
            assert here or instance.ended or step < PATIENCE
            if here:
                serve(instance, data.draw(st.sampled_from(here)) if step < PATIENCE else here[0])

    assert instance.ended or instance.waits(WaitKind.INCIDENT)
    assert not (instance.ended and instance.tokens())


def modified(data, instance):
    """Put some tokens somewhere else; what is refused changes nothing."""
    lasting = [token.id for token in instance.tokens()]
    places = {
        Verb.CANCEL: lasting,
        Verb.ALONG: sorted(instance.definition.flows),
        **dict.fromkeys((Verb.BEFORE, Verb.AFTER), sorted(instance.definition.elements)),
    }
    chosen = data.draw(st.lists(st.sampled_from(list(Verb)), min_size=1, max_size=3), label="verbs")
    instructions = [
        Instruction(
            verb=verb,
            target=data.draw(st.sampled_from(places[verb])),
            within=data.draw(st.sampled_from([None, PROCESS, *lasting])),
            skips_mappings=data.draw(st.booleans()),
        )
        for verb in chosen
    ]
    before = again(instance)
    try:
        instance.modify(*instructions)
    except InstanceError:
        return before
    return instance


@pytest.mark.parametrize("alone", shapes.ALONE)
def test_shape__alone(alone):
    block = shapes.Block(alone)
    (definition,) = compiler.compile(drawing.draw(shapes.lines(block)), "shape.bpmn")
    instance = Instance.start(definition, {"n0": False}, Context(now=NOW))

    while not instance.ended:
        serve(instance, instance.waits()[0])

    assert instance.end == "e"
