"""Migration of tokens that wait at joins, or will meet there."""

from __future__ import annotations

from unittest import mock

import pytest

from bpmn import markings
from tests.bpmn.definitions import conditional
from tests.bpmn.diagrams import (
    boundary,
    call,
    end,
    exclusive,
    flow,
    flows,
    inclusive,
    parallel,
    start,
    subprocess,
    task,
    user,
)
from tests.bpmn.instances import begin, complete, standing
from tests.bpmn.migrating import PLAIN, migrate, told

FORK = (start("s"), parallel("f"), user("a"), user("b"), parallel("j"), user("z"), end("e"))


BOTH = (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b -> j"))


def branches(*more, third="f -> c -> j"):
    return (*FORK, user("c"), *more, flows("s -> f -> a -> j -> z -> e", "f -> b -> j", third))


def test_migrate__waiting_at_a_join():
    old = begin(*BOTH)
    complete(old, "a")

    moved = migrate(old, *BOTH, user("y"))

    complete(moved.instance, "b")
    assert standing(moved.instance) == ["z"]


DROPPED = (
    *FORK,
    user("b2"),
    flows("s -> f -> a -> j -> z -> e", "f -> b"),
    flow("b", "b2", key="b-j"),
    flow("b2", "j", key="b2-j"),
)


@pytest.mark.parametrize(("done", "left"), [(["a"], ["b", "b2"]), (["b"], ["a"])])
def test_migrate__task_dropped_on_a_flow_into_the_join(done, left):
    """Modeler leaves the old id to the first arrow, and the join has a new one: it leads the same way."""
    old = begin(*BOTH)
    complete(old, *done)

    moved = migrate(old, *DROPPED)

    assert moved.reasons == ()
    assert moved.notes[0] == "Flow b-j into j is b2-j now: it leads the same way"
    assert moved.notes[1:] == (() if done == ["a"] else ("b2 is new, and this case does not come to it any more",))
    complete(moved.instance, *left)
    assert standing(moved.instance) == ["z"]


def test_migrate__whoever_moves_says_which_flow_it_is():
    old = begin(*BOTH)
    complete(old, "a")

    assert migrate(old, *DROPPED, b__j="b2-j").notes == ()


@pytest.mark.parametrize("done", ["a", "b"])
def test_migrate__flow_drawn_again(done):
    old = begin(*BOTH)
    complete(old, done)
    after = (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b"), flow("b", "j", key="Flow_9"))

    moved = migrate(old, *after)

    assert moved.notes == ("Flow b-j into j is Flow_9 now: it leads the same way",)
    complete(moved.instance, *{"a", "b"} - {done})
    assert standing(moved.instance) == ["z"]


def test_migrate__renamed_and_drawn_again():
    old = begin(*BOTH)
    complete(old, "a")
    after = (
        start("s"), parallel("f"), user("a"), user("b2"), parallel("j2"), user("z"), end("e"),
        flows("s -> f -> a -> j2 -> z -> e", "f -> b2 -> j2"),
    )  # fmt: skip

    moved = migrate(old, *after, b="b2", j="j2")

    assert set(moved.notes) == {f"Flow {one}-j into j is {other}-j2 now: it leads the same way" for one, other in (("a", "a"), ("b", "b2"))}
    complete(moved.instance, "b2")
    assert standing(moved.instance) == ["z"]


def test_migrate__nobody_waits_at_the_join():
    """There is nothing to say."""
    assert migrate(begin(*BOTH), *DROPPED).notes == ()


ANOTHER_WAY = {
    "two lead there now": (
        (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b"), flow("b", "j", key="one"), flow("b", "j", key="two")), None,
    ),
    "over a choice, which keeps every case of the new version waiting": (
        (*FORK, exclusive("x", default="j"), end("o"), flows("s -> f -> a -> j -> z -> e", "f -> b"),
         flow("b", "x", key="b-j"), flow("x", "j", key="x-j"), flow("x", "o", key="x-o", when="${x}")), None,
    ),
    "a branch behind b": (
        (*FORK, user("c"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j", "b -> c -> j")), None,
    ),
    "over what another branch meets, too": (
        (*FORK, exclusive("m"), flows("s -> f -> a -> m", "j -> z -> e", "f -> b"), flow("b", "m", key="b-m"), flow("m", "j", key="m-j")),
        "Expected j to go on waiting, but all it waits for have come",
    ),
    "from elsewhere": (
        (*FORK, user("c"), end("o"), flows("s -> f -> a -> j -> z -> e", "f -> b -> o", "f -> c -> j")),
        "Expected a token on every flow into j, but it could wait for ever for one by c-j",
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", ANOTHER_WAY)
def test_migrate__another_way_into_the_join(circumstance):
    """What counts is whether somebody still comes by each flow, not which flows there are."""
    after, reason = ANOTHER_WAY[circumstance]
    old = begin(*BOTH)
    complete(old, "a")

    moved = migrate(old, *after)

    assert told(moved) == (() if reason is None else (reason,))
    assert moved.notes == ()


def test_migrate__the_flow_by_which_it_came_is_renamed():
    old = begin(*BOTH)
    complete(old, "a")
    after = (*FORK, flows("s -> f -> a", "j -> z -> e", "f -> b -> j"), flow("a", "j", key="Flow_2"))

    moved = migrate(old, *after, a__j="Flow_2")

    complete(moved.instance, "b")
    assert standing(moved.instance) == ["z"]


BREAKING = {
    "a third branch, and one waits": (BOTH, ["a"], branches(), "Expected a token on every flow into j, but it could wait for ever for one by c-j"),
    "a third branch, and nobody waits": (BOTH, [], branches(), "Expected a token on every flow into j, but it could wait for ever for one by c-j"),
    "a branch less": (branches(), ["c"], BOTH, "Expected flow c-j, by which a token has come to j, to lead there in the new version, but it does not"),
    "one after the other": (
        BOTH, [], (start("s"), user("a"), user("b"), user("z"), end("e"), flows("s -> a -> b -> z -> e")),
        "Expected a and b beside one another, but that never happens in the new version",
    ),
    "one or the other": (
        BOTH, [], (start("s"), exclusive("f", default="b"), user("a"), user("b"), exclusive("j"), user("z"), end("e"), flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j")),
        "Expected a and b beside one another, but that never happens in the new version",
    ),
    "no longer a join": (
        BOTH, ["a"], (start("s"), parallel("f"), user("a"), user("b"), exclusive("j"), user("z"), end("e"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j")),
        "Expected j to keep its type parallelGateway, but it is exclusiveGateway",
    ),
    "a fork that is new, around what runs": (
        PLAIN, [], (start("s"), parallel("f"), user("review"), user("b"), parallel("j"), end("e"), flows("s -> f -> review -> j -> e", "f -> b -> j")),
        "Expected a token on every flow into j, but it could wait for ever for one by b-j",
    ),
    "in a round that has begun": (
        (start("s"), exclusive("m"), user("a"), exclusive("x", default="e"), end("e"), flows("s -> m -> a -> x -> e", "x -> m [${again}]")), [],
        (start("s"), exclusive("m"), parallel("f"), user("a"), user("b"), parallel("j"), exclusive("x", default="e"), end("e"),
         flows("s -> m -> f -> a -> j -> x -> e", "f -> b -> j", "x -> m [${again}]")),
        "Expected a token on every flow into j, but it could wait for ever for one by b-j",
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", BREAKING)
def test_migrate__a_join_would_break(circumstance):
    before, done, after, reason = BREAKING[circumstance]
    old = begin(*before)
    complete(old, *done)

    moved = migrate(old, *after)

    assert moved.instance is None
    assert told(moved) == (reason,)


def test_migrate__a_branch_that_meets_nobody():
    """It has no join to keep waiting; this case goes on without it."""
    moved = migrate(begin(*BOTH), *branches(end("e2"), third="f -> c -> e2"))

    complete(moved.instance, "a", "b", "z")
    assert moved.instance.ended


def test_migrate__branches_within_a_subprocess():
    def box(*more, arrows=()):
        inner = (
            start("i"),
            parallel("f"),
            user("a"),
            user("b"),
            parallel("j"),
            end("o"),
            *more,
            flows("i -> f -> a -> j -> o", "f -> b -> j", *arrows),
        )
        return (start("s"), subprocess("box", *inner), end("e"), flows("s -> box -> e"))

    old = begin(*box())

    assert migrate(old, *box()).reasons == ()
    assert told(migrate(old, *box(user("c"), arrows=["f -> c -> j"]))) == (
        "Expected a token on every flow into j, but it could wait for ever for one by c-j",
    )


def test_migrate__inclusive_join():
    def some(*more, third=()):
        return (
            start("s"), inclusive("f", default="b"), user("a"), user("b"), inclusive("j"), user("z"), end("e"), *more,
            flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j", *third),
        )  # fmt: skip

    old = begin(*some(), variables={"x": True})

    moved = migrate(old, *some(user("c"), third=["f -> c [${y}]", "c -> j"]))
    assert moved.reasons == ()  # nobody waits for what was not chosen
    complete(moved.instance, "a")
    assert standing(moved.instance) == ["z"]


def test_migrate__behind_an_inclusive_join_that_would_have_waited():
    """Who is behind the join has left nobody before it: the branches were no branches of it when this case went by."""
    content = (start("s"), user("a"), user("b"), user("z"), end("e"))
    old = begin(*content, parallel("f"), flows("s -> f -> a -> z -> e", "f -> b -> e"))
    after = (
        *content,
        inclusive("f", default="b"),
        inclusive("j"),
        flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j"),
    )
    before = (*content, parallel("f"), inclusive("j"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j"))

    complete(old, "a")

    for drawn in (after, before):
        moved = migrate(old, *drawn)
        assert moved.instance is None
        assert told(moved) == ("Expected b and z beside one another, but that never happens in the new version",)


def test_migrate__which_branches_were_chosen_is_not_known():
    """Each may be taken with each other, but the default flow only alone."""

    def chosen(*names, default):
        conditions = [f"f -> {name} [${{{name}x}}]" for name in names if name != default]
        return (
            start("s"), inclusive("f", default=default), *map(user, names), inclusive("j"), end("e"),
            flows("s -> f", *conditions, f"f -> {default}", *(f"{name} -> j" for name in names), "j -> e"),
        )  # fmt: skip

    old = begin(*chosen("a", "b", "c", default="c"), variables={"ax": True, "bx": True})

    assert migrate(old, *chosen("a", "b", "c", default="c")).reasons == ()
    assert told(migrate(old, *chosen("a", "b", "c", default="b"))) == (
        "Expected a and b beside one another, but that never happens in the new version",
    )


def test_migrate__behind_an_inclusive_join_with_too_many_ways():
    """What leads there is another drawing, and nobody can say what it means: the case stays.  Where it is the same, nobody has to."""

    def drawn(*more):
        return (
            start("s"), exclusive("m"), parallel("g"), inclusive("f", default="b"), user("a"), user("b"), inclusive("j"), user("z"), user("y"),
            parallel("k"), exclusive("x", default="e"), end("e"), user("n"),
            flows("s -> m -> g -> f", "f -> a [${x}]", "f -> b", "b -> j", "g -> y -> k -> x -> e", "x -> m [${again}]", *more),
        )  # fmt: skip

    old, fresh = begin(*drawn("a -> j -> z -> k"), variables={"x": True}), drawn("a -> n -> j -> z -> k")
    complete(old, "a")
    assert standing(old) == ["y", "z"]

    assert migrate(old, *fresh).reasons == ()  # y comes to j again in the next round only, and that waits for z
    with mock.patch.object(markings, "MOST", 3):
        moved, same = migrate(old, *fresh), migrate(old, *drawn("a -> j -> z -> k"))

    assert same.reasons == ()
    assert moved.instance is None
    assert told(moved) == ("Expected to tell whether there may be y and z beside one another, but there are too many ways to them",)


def test_migrate__what_would_go_on_at_once():
    """The one that it waited for can no longer come: but moving is no step of a case."""

    def drawn(*arrows):
        return (
            start("s"), exclusive("pre", default="f"), parallel("f"), user("a"), user("b"), exclusive("x", default="o"), task("y"),
            inclusive("j"), user("z"), end("e"), end("o"), flows("s -> pre -> f -> a -> j -> z -> e", "pre -> y [${go}]", "f -> b -> x -> o", "y -> j", *arrows),
        )  # fmt: skip

    old = begin(*drawn("x -> y [${go}]"), variables={"go": False})
    complete(old, "a")
    assert standing(old) == ["b"]

    moved = migrate(old, *drawn())

    assert moved.instance is None
    assert told(moved) == ("Expected j to wait where it is, but it would go on at once",)


def test_migrate__what_would_begin_at_once():
    """A condition that is new, and holds already."""
    sure = boundary("sure", conditional("${n == 1}"), on="review", interrupting=False)
    after = (start("s"), user("review"), sure, user("more"), end("e"), flows("s -> review -> e", "sure -> more -> e"))

    moved = migrate(begin(*PLAIN, variables={"n": 1}), *after)

    assert told(moved) == ("Expected nothing to begin at once, but more would",)


def test_migrate__new_work_that_the_case_has_passed():
    """It is told, since nobody will do it: before the token, and on a branch that was not taken."""
    after = (start("s"), user("check", name="复核"), parallel("f"), call("fee", of="fee"), user("review"), user("look"), end("e"),
             flows("s -> check -> f -> review -> look -> e", "f -> fee -> e"))  # fmt: skip

    moved = migrate(begin(*PLAIN), *after)

    assert moved.reasons == ()
    assert moved.notes == (
        "“复核” (check) is new, and this case does not come to it any more",
        "fee is new, and this case does not come to it any more",
    )
