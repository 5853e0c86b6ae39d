"""What may be together: exact where it can be known, and never too narrow."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bpmn import markings
from bpmn import snapshot as snapshots
from bpmn.instance import Instance
from bpmn.migration import places
from bpmn.soundness import Net
from bpmn.spiff import process
from bpmn.waits import Context
from tests.bpmn import blocks, exhaustive, graphs
from tests.bpmn.diagrams import end, exclusive, flows, inclusive, parallel, start, timer_boundary, user
from tests.bpmn.instances import NOW, definition, proceed

EXACT = (blocks.Parallel, blocks.Inclusive, blocks.Exclusive, blocks.Sequence, blocks.Loop, blocks.Work)


def works(block):
    return [block] if isinstance(block, blocks.Work) else [work for part in block.parts for work in works(part)]


def beside(block):
    """Pairs of tasks that the model has at work at the same time: they stand in different branches that are taken together."""
    found = {pair for part in block.parts for pair in beside(part)}
    if isinstance(block, (blocks.Parallel, blocks.Inclusive)) and not isinstance(block, blocks.Exclusive):
        # Of an inclusive block, the last branch is taken when no other is.
        for one, other in itertools.combinations(block.parts if isinstance(block, blocks.Parallel) else block.parts[:-1], 2):
            found |= {frozenset((a.id, b.id)) for a in works(one) for b in works(other)}
    return found


def only(block, kinds):
    return isinstance(block, kinds) and all(only(part, kinds) for part in block.parts)


@given(blocks.BLOCKS.filter(lambda block: only(block, EXACT)))
@settings(max_examples=100, deadline=None)
def test_together__exactly_the_branches_of_a_fork(block):
    net = Net(definition(*blocks.diagram(block)), None)

    names = [work.id for work in works(block)]
    with mock.patch.object(markings, "MOST", 300):  # beyond that, the rule about two places decides
        assert {frozenset(pair) for pair in itertools.combinations(names, 2) if net.together(*pair)} == beside(block)
        assert not any(net.together(name, name) for name in names)


def tokens(instance, net):
    """Where the tokens are, as whoever moves a case sees them."""
    rows = [row for row in snapshots.decode(instance.snapshot()).rows if not row.facts.get("watches") and row.scope is None]
    return [places.place(row, instance.definition, net, row.element, row.flow) for row in rows]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_together__whatever_the_executor_reaches(data):
    """In any graph, drawn by anybody."""
    drawn = data.draw(graphs.definitions())
    net = Net(drawn, None)
    draw = partial(_draw, data, graphs.conditions(drawn))
    with mock.patch.object(process, "STEP_LIMIT", 100):
        instance = Instance.start(drawn, draw(), Context(now=NOW))
        for _ in range(8):
            for one, other in itertools.combinations(tokens(instance, net), 2):
                assert net.together(one, other) is not False, (one, other)
            if instance.ended:
                break
            proceed(instance, data.draw(st.sampled_from(instance.waits())), draw())


def _draw(data, names):
    return {name: data.draw(st.booleans(), label=name) for name in names}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_judged__as_when_every_order_is_tried(data):
    """Two places, who waits in vain, and where a case comes to stand: told without trying every order, and yet exactly."""
    drawn = data.draw(graphs.definitions())
    net = Net(drawn, None)
    drawn_at = sorted(place for place in net.places if place not in drawn.elements or drawn.elements[place].incoming)
    somewhere = st.lists(st.sampled_from(drawn_at), min_size=1, max_size=3).map(lambda each: tuple(sorted(each)))
    begun = data.draw(st.none() | somewhere)
    everything = exhaustive.Exhaustive(drawn, net.steps, [("s",)] if begun is None else [begun])
    assume(everything.complete)

    for opens, waiting in net.opening.items():
        if not net.is_intricate(cone := net.before(opens)):
            assert net.in_vain(opens, begun) == everything.in_vain(opens, waiting), opens
            seen = {frozenset(token for token in marking if token[0] in cone) for marking in everything.next}
            for places in (data.draw(somewhere), *everything.some(20)) if begun is None else ():
                here = Counter(place for place in places if place in cone)
                assert net.comes_to(opens, places) is (frozenset(here.items()) in seen), (opens, places)
    for pair in itertools.combinations_with_replacement(drawn_at, 2):
        if not net.is_intricate(net.cone(pair)):
            assert net.together(*pair, begun) is everything.hold(*pair), pair


FORK = (start("s"), parallel("f"), user("a"), user("b"), user("c"), parallel("j"), end("e"))


@pytest.mark.parametrize(
    ("content", "places", "in_vain"),
    [
        ((*FORK, flows("s -> f -> a -> j -> e", "f -> b -> j", "f -> c -> j")), ["a", "b", "c"], {}),
        ((*FORK, flows("s -> f -> a -> j -> e", "f -> b -> j", "f -> c -> j")), ["a", "b"], {"j": {"c-j"}}),
        ((*FORK, flows("s -> f -> a -> j -> e", "f -> b -> j", "f -> c -> j")), ["a", "b-j", "c-j"], {}),
        ((*FORK, flows("s -> f -> a -> j -> e", "f -> b -> j", "f -> c -> j")), ["s"], {}),
        # A loop leads back to the fork on paper, but only through the join itself.
        (
            (start("s"), exclusive("m"), parallel("f"), user("a"), user("b"), parallel("j"), exclusive("x", default="e"), end("e"),
             flows("s -> m -> f -> a -> j -> x -> e", "f -> b -> j", "x -> m [${again}]")),
            ["a"],
            {"j": {"b-j"}},
        ),
        # Who waits at an inclusive join waits for what can come only.
        ((start("s"), inclusive("f", default="b"), user("a"), user("b"), inclusive("j"), end("e"),
          flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> e", "b -> j")), ["a"], {}),
    ],
)  # fmt: skip
def test_in_vain__joins(content, places, in_vain):
    net = Net(definition(*content), None)

    assert {key: flows for key in net.opening for flows in net.in_vain(key, tuple(places))} == in_vain


@pytest.mark.parametrize(("interrupting", "together"), [(True, False), (False, True)])
def test_together__boundary_event(interrupting, together):
    late = timer_boundary("late", on="a", duration="PT1H", interrupting=interrupting)
    net = Net(definition(start("s"), user("a"), late, user("b"), end("e"), flows("s -> a -> e", "late -> b -> e")), None)

    assert net.together("a", "b") is together
    assert net.together("b", "b") is together


def test_together__what_never_comes_to_rest():
    """A drawing that runs for ever is stopped somewhere, with whatever tokens it has by then."""
    drawn = (
        start("s"), inclusive("m"), parallel("f"), parallel("never"),
        flows("s -> m -> f -> m", "f -> never -> never", "never -> m"),
    )  # fmt: skip
    net = Net(definition(*drawn), None)

    assert net.together("f-never", "f-never")
    assert not net.together("f-never", "never-m")


def test_together__beside_what_never_comes_to_rest():
    """It keeps nobody else from going on: the departments of one round still work beside one another."""
    drawn = (
        start("s"), parallel("both"), exclusive("m"), exclusive("x"), exclusive("w"), parallel("g"), inclusive("f", default="b"), user("a"), user("b"),
        inclusive("j"), user("z"), user("y"), parallel("k"), exclusive("again", default="e"), end("e"),
        flows(
            "s -> both -> m -> x -> m", "both -> w -> g -> f", "f -> a [${some}]", "f -> b", "a -> j -> z -> k", "b -> j", "g -> y -> k -> again -> e",
            "again -> w [${more}]",
        ),
    )  # fmt: skip
    net = Net(definition(*drawn), None)

    assert net.together("y", "z")
    assert not net.together("a", "z")


def test_together__more_ways_than_anybody_can_look_at():
    """A dispatcher with two dozen items: which of them go out together is not tried in all its sixteen million ways."""
    names = [f"item{number}" for number in range(24)]
    arrows = (f"f -> {name} [${{{name}}}]" for name in names[1:])
    net = Net(definition(start("s"), inclusive("f", default="item0"), *map(user, names), inclusive("j"), end("e"),
                         flows("s -> f -> item0", *arrows, *(f"{name} -> j" for name in names), "j -> e")), None)  # fmt: skip

    assert net.together("item1", "item23")
    assert net.in_vain("j") == frozenset()
