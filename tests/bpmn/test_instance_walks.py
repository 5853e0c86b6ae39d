"""Random processes, walked along random paths: as the model says, hot as cold, and always to an end."""

from __future__ import annotations

from functools import partial
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn.instance import Instance
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests.bpmn import blocks, graphs
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, proceed, standing, wait

#: Completions after which every condition is false, so that loops end.
PATIENCE = 25


def decide(data, block, step):
    """Draw every condition anew."""
    return {name: step < PATIENCE and data.draw(st.booleans(), label=name) for name in block.conditions()}


def trace(instance):
    """All that can be seen from outside."""
    return instance.waits(), instance.ended, instance.end, instance.error, instance.variables


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_walk__who_works_is_who_the_model_says(data):
    block = data.draw(blocks.BLOCKS)
    content = blocks.diagram(block)
    known = decide(data, block, 0)
    hot, cold = begin(*content, variables=known), begin(*content, variables=known)
    over = block.begin(known)

    step = 0
    while not over:
        assert sorted(standing(hot, WaitKind.USER_TASK)) == sorted(block.working())
        assert trace(hot) == trace(cold)
        name = data.draw(st.sampled_from(sorted(block.working())))
        step += 1
        known = decide(data, block, step)
        over = block.complete(name, known)
        complete(hot, name, **known)
        complete(cold, name, **known)
        cold = again(cold)

    assert hot.ended
    assert hot.end == "e"
    assert trace(hot) == trace(cold)
    assert hot.snapshot() == cold.snapshot()


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_walk__any_command_hot_as_cold(data):
    block = data.draw(blocks.BLOCKS)
    content = blocks.diagram(block)
    known = decide(data, block, 0)
    hot, cold = begin(*content, variables=known), begin(*content, variables=known)

    step = 0
    while not hot.ended:
        step += 1
        assert hot.waits()
        here = data.draw(st.sampled_from(hot.waits() if step < PATIENCE else _people(hot)))
        known = decide(data, block, step)
        for instance in (hot, cold):
            instance.context.now += HOUR
            proceed(instance, here, known)
        cold = again(cold)
        assert trace(hot) == trace(cold)
        assert all(wait.kind is not WaitKind.INCIDENT for wait in hot.waits())

    assert hot.end == "e"
    assert hot.snapshot() == cold.snapshot()


def _people(instance):
    return [wait for wait in instance.waits() if wait.kind is WaitKind.USER_TASK]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_walk__any_graph_comes_to_rest_hot_as_cold(data):
    definition = data.draw(graphs.definitions())
    draw = partial(_choose, data, graphs.conditions(definition))
    with mock.patch.object(process, "STEP_LIMIT", 100):
        known = draw()
        hot, cold = (Instance.start(definition, known, Context(now=NOW)) for _ in range(2))
        for _ in range(8):
            assert hot.ended or hot.waits()
            assert not (hot.ended and hot.waits())
            cold = again(cold)
            assert trace(hot) == trace(cold)
            if hot.ended:
                break
            here, known = data.draw(st.sampled_from(hot.waits())), draw()
            for instance in (hot, cold):
                proceed(instance, here, known)


def _choose(data, names):
    return {name: data.draw(st.booleans(), label=name) for name in names}


def test_walk__the_same_activations_as_history_tells():
    content = blocks.diagram(blocks.Sequence([blocks.Work(), blocks.Parallel([blocks.Work(), blocks.Work()])]))
    instance = begin(*content)
    ended = []

    while not instance.ended:
        ended.append(wait(instance, standing(instance, WaitKind.USER_TASK)[0]).id)
        instance.complete(ended[-1])

    assert set(ended) <= {activity.id for activity in instance.history() if activity.outcome == "completed"}
