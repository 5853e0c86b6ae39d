"""Sleeping tokens: who asks for nobody wakes nobody, and what sleeps is as it was."""

from __future__ import annotations

from functools import partial
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import snapshot
from bpmn.instance import Instance
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests import effort
from tests.bpmn import blocks, graphs
from tests.bpmn.definitions import conditional, signal
from tests.bpmn.diagrams import (
    catch,
    end,
    event_subprocess,
    exclusive,
    flows,
    inclusive,
    parallel,
    start,
    subprocess,
    timer,
    timer_boundary,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, incidents, proceed, standing, wait
from tests.bpmn.test_instance_snapshot import EVERYWHERE, everywhere, world


def awake(instance):
    """Elements of the tokens that are awake."""
    return sorted(token.task_spec.name for token in instance._process.tasks.awake.values() if token is not instance._process.root)


def kept(instance):
    """Take an instance up again that stayed in memory."""
    instance.rest(instance.context)
    instance.go_on(instance.context)
    return instance


def branches(count, join):
    """So many departments at once, each with a reminder."""
    names = [f"t{number}" for number in range(count)]
    reminders = [timer_boundary(f"late_{name}", on=name, duration="P1D", interrupting=False) for name in names]
    ends = [end(f"end_{name}") for name in names]
    paths = [f"f -> {name} -> j" for name in names] + [f"late_{name} -> end_{name}" for name in names]
    return start("s"), parallel("f"), *map(user, names), *reminders, *ends, join("j"), end("e"), flows("s -> f", "j -> e", *paths)


def put_down(instance, here):
    """Complete a task and put the instance down, as the engine does."""
    instance.complete(here)
    instance.glance(instance.before.kinds)
    return instance.snapshot()


# What wakes, and what does not ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("taken_up", [again, kept])
def test_complete__wakes_what_it_touches(taken_up):
    instance = taken_up(begin(*branches(50, parallel)))
    assert awake(instance) == []

    instance.complete(instance._process.tasks.rows()[7].id)

    assert awake(instance) == ["j"]
    assert set(instance.before.kinds.values()) == {WaitKind.USER_TASK, WaitKind.TIMER}
    assert len(instance.before.kinds) == 2


@pytest.mark.parametrize("taken_up", [again, kept])
@pytest.mark.parametrize(("join", "each"), [(parallel, 0), (inclusive, 13)])
def test_complete__calls_by_the_branches(taken_up, join, each):
    """None for each that waits; where the gateway is inclusive, the drawing is asked what may still come."""
    made = {}
    for count in (10, 200):
        instance = begin(*branches(count, join))
        waiting = [wait.id for wait in instance.waits(WaitKind.USER_TASK)]
        for here in waiting[: count // 2]:
            instance.complete(here)
        instance = taken_up(instance)
        made[count] = effort.calls(lambda one=instance, here=waiting[-1]: put_down(one, here))
    assert made[200] - made[10] <= 190 * each


def test_load__calls_do_not_grow_with_the_branches():
    made = {}
    for count in (10, 200):
        instance = begin(*branches(count, parallel))
        complete(instance, "t0", "t1")
        state, context = instance.snapshot(), Context(now=NOW)
        made[count] = effort.calls(lambda of=instance, state=state, context=context: Instance.load(of.definition, state, {}, context))
    assert made[200] <= made[10] + 5


def test_load__what_moves_or_failed_stays_awake():
    instance = again(everywhere())

    assert awake(instance) == ["broken", "deadline", "failed", "task"]  # a bound timer, with its task, and two incidents

    assert {wait.element: wait.kind for wait in instance.waits()} == EVERYWHERE


@pytest.mark.parametrize("taken_up", [again, kept])
def test_raise_error__what_rests_until_others_have_answered_is_canceled(taken_up):
    """What has raised an error that others may catch is told as canceled each time, until they have answered."""
    content = (start("s"), parallel("f"), user("a"), user("b"), end("e"), flows("s -> f -> a -> e", "f -> b -> e"))
    instance = begin(*content, called=True)
    thrower = wait(instance, "a").id
    instance.raise_error(thrower, "E1")

    instance = taken_up(instance)
    complete(instance, "b")

    assert thrower in instance.canceled()


@pytest.mark.parametrize("taken_up", [again, kept])
def test_throw__reaches_who_sleeps(taken_up):
    catching = [catch(f"c{number}", signal("go")) for number in range(3)]
    content = (
        start("s"),
        parallel("f"),
        *catching,
        user("a"),
        end("e"),
        flows("s -> f", "f -> a -> e", *(f"f -> c{n} -> e" for n in range(3))),
    )
    instance = taken_up(begin(*content))

    assert instance.broadcast("go") == 3

    assert standing(instance) == ["a"]


@pytest.mark.parametrize("taken_up", [again, kept])
def test_set_variables__puts_the_question_to_who_sleeps(taken_up):
    content = (
        start("s"),
        parallel("f"),
        catch("c", conditional("${ready}")),
        user("a"),
        end("e"),
        flows("s -> f -> c -> e", "f -> a -> e"),
    )
    instance = taken_up(begin(*content, variables={"ready": False}))

    instance.set_variables({"ready": True})

    assert standing(instance) == ["a"]


@pytest.mark.parametrize("taken_up", [again, kept])
def test_complete__silence_among_who_sleeps_is_an_incident(taken_up):
    """The last that moved is over: those who wait at the join, and nobody woke, wait in vain; before that they did not."""
    content = (parallel("f"), user("a"), user("b"), exclusive("x", default="off"), parallel("j"), end("e"), end("off"))
    paths = flows("s -> f -> a -> j -> e", "f -> b -> x -> off", "x -> j [${go}]")
    instance = begin(start("s"), *content, paths, variables={"go": False})
    complete(instance, "a")
    instance = taken_up(instance)
    assert instance.before.kinds == {}

    complete(instance, "b")

    (stuck,) = incidents(instance)
    assert stuck == "j"
    assert list(instance.glance().kinds.values()) == [WaitKind.INCIDENT]
    assert list(taken_up(instance).before.kinds.values()) == [WaitKind.INCIDENT]


@pytest.mark.parametrize("taken_up", [again, kept])
def test_complete__event_subprocess_that_sleeps_does_not_move(taken_up):
    watching = event_subprocess(
        "es", start("ess", timer(duration="P9D"), attrs={"isInterrupting": "false"}), end("ese"), flows("ess -> ese")
    )
    inside = subprocess("sub", start("ss"), user("a"), user("b"), end("se"), flows("ss -> a -> b -> se"))
    instance = taken_up(begin(start("s"), inside, end("e"), flows("s -> sub -> e"), watching))

    for name in ("a", "b"):
        instance = taken_up(instance)
        complete(instance, name)

    assert instance.ended


# The same as if all were awake ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def everything(instance):
    """All that waits, by number: what, and since it is due when."""
    seen = again(instance).glance(None)
    return {number: (kind, seen.dates.get(number)) for number, kind in seen.kinds.items()}


def require_told(instance, command):
    """Do something, and see that whatever has changed is told, as it was before."""
    before = everything(instance)
    command(instance)
    seen, now = instance.glance(), everything(instance)
    changed = {number for number in before.keys() | now.keys() if before.get(number) != now.get(number)}
    assert changed <= instance.before.kinds.keys() | seen.kinds.keys()
    assert instance.before.kinds == {number: before[number][0] for number in instance.before.kinds}
    assert seen.kinds == {number: now[number][0] for number in seen.kinds}
    assert instance.before.dates == {number: before[number][1] for number in instance.before.dates}


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_walk__what_is_not_told_is_as_it_was(data):
    block = data.draw(blocks.BLOCKS)
    content = blocks.diagram(block)
    known = {name: data.draw(st.booleans(), label=name) for name in block.conditions()}
    hot, cold = (begin(*content, variables=known) for _ in range(2))

    for step in range(12):
        hot, cold = kept(hot), again(cold)
        assert hot.snapshot() == cold.snapshot()
        if hot.ended:
            break
        here = data.draw(st.sampled_from(again(hot).waits()))
        known = {name: step < 8 and data.draw(st.booleans(), label=name) for name in block.conditions()}
        for instance in (hot, cold):
            instance.context.now += HOUR
            require_told(instance, partial(proceed, here=here, known=known))
        assert hot.glance() == cold.glance()
        assert hot.before == cold.before
        assert hot.history() == cold.history()


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_walk__any_graph_kept_as_loaded(data):
    definition = data.draw(graphs.definitions())
    names = graphs.conditions(definition)
    with mock.patch.object(process, "STEP_LIMIT", 100):
        hot, cold = (Instance.start(definition, dict.fromkeys(names, False), Context(now=NOW)) for _ in range(2))
        for _ in range(8):
            hot, cold = kept(hot), again(cold)
            assert hot.snapshot() == cold.snapshot()
            if hot.ended:
                break
            here, known = data.draw(st.sampled_from(again(hot).waits())), {name: data.draw(st.booleans(), label=name) for name in names}
            for instance in (hot, cold):
                require_told(instance, partial(proceed, here=here, known=known))
            assert hot.glance() == cold.glance()


@pytest.mark.parametrize("element", EVERYWHERE)
def test_everywhere__kept_as_loaded(element):
    results = []
    for taken_up in (again, kept):
        instance = taken_up(everywhere())
        instance.context.now, instance.context.functions = world().now, world().functions
        here = wait(again(instance), element)
        require_told(instance, partial(proceed, here=here, known={"number": 7}))
        results.append((instance.snapshot(), instance.waits(), instance.history()))

    assert results[0] == results[1]


def test_snapshot__a_number_of_more_than_64_bits():
    large = 2**70
    content = (start("s"), user("a"), end("e"), flows("s -> a -> e"))
    instance = begin(*content)
    instance.set_variables({"large": large}, at=wait(instance, "a").id, local=True)

    assert snapshot.decode(instance.snapshot()).rows[0].facts["local"] == {"large": large}
    assert again(instance).variables_at(wait(instance, "a").id)["large"] == large
