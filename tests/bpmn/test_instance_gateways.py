"""Gateways: which flows are taken, and when tokens that meet go on."""

from __future__ import annotations

from itertools import permutations

import pytest

from bpmn.waits import WaitKind
from tests.bpmn.diagrams import end, exclusive, flows, inclusive, message_boundary, parallel, start, subprocess, task, timer_boundary, user
from tests.bpmn.instances import again, begin, complete, fire, incidents, outcomes, standing, wait

CHOICE = (
    start("s"),
    exclusive("x", default="c"),
    user("a"),
    user("b"),
    user("c"),
    end("e"),
    flows("s -> x", "x -> a [${n > 10}]", "x -> b [${n > 5}]", "x -> c", "a -> e", "b -> e", "c -> e"),
)


@pytest.mark.parametrize(("n", "taken"), [(20, "a"), (7, "b"), (1, "c")])
def test_exclusive__the_first_that_is_true_else_the_default(n, taken):
    assert standing(begin(*CHOICE, variables={"n": n})) == [taken]


def test_exclusive__tokens_that_meet_go_on_one_by_one():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b"),
        exclusive("m"),
        user("c"),
        end("e"),
        flows("s -> f -> a -> m -> c -> e", "f -> b -> m"),
    )

    complete(instance, "a", "b")

    assert standing(instance) == ["c", "c"]
    complete(instance, "c")
    assert not instance.ended
    complete(instance, "c")
    assert instance.ended


def test_merge__a_task_with_two_flows_in_runs_for_each_token():
    instance = begin(start("s"), parallel("f"), user("a"), user("b"), user("c"), end("e"), flows("s -> f -> a -> c -> e", "f -> b -> c"))

    complete(instance, "a", "b")

    assert standing(instance) == ["c", "c"]


def test_fork__several_flows_out_of_a_task():
    instance = begin(
        start("s"), user("a"), user("b"), user("c"), end("e"), flows("s -> a", "a -> b [${yes}]", "a -> c [${no}]", "b -> e", "c -> e")
    )

    complete(instance, "a", yes=True, no=True)

    assert standing(instance) == ["b", "c"]


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_parallel__waits_for_every_flow(order):
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b"),
        user("c"),
        parallel("j"),
        user("d"),
        end("e"),
        flows("s -> f", "f -> a -> j", "f -> b -> j", "f -> c -> j", "j -> d -> e"),
    )

    for name in order[:-1]:
        complete(instance, name)
        assert "d" not in standing(instance)
    complete(instance, order[-1])

    assert standing(instance) == ["d"]


def test_parallel__two_tokens_on_one_flow_do_not_count_as_both():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b"),
        exclusive("m"),
        user("c"),
        parallel("j"),
        user("d"),
        end("e"),
        flows("s -> f -> a -> m -> j -> d -> e", "f -> b -> m", "f -> c -> j"),
    )

    complete(instance, "a", "b")
    assert standing(instance) == ["c"]
    complete(instance, "c")

    assert standing(instance) == ["d"]
    complete(instance, "d")
    assert incidents(instance).keys() == {"j"}


def test_parallel__one_flow_in_does_not_merge_tokens():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b"),
        exclusive("m"),
        parallel("g"),
        user("c"),
        user("d"),
        end("e"),
        flows("s -> f -> a -> m -> g -> c -> e", "f -> b -> m", "g -> d -> e"),
    )

    complete(instance, "a", "b")

    assert standing(instance) == ["c", "d", "c", "d"]


ROUNDS = (
    start("s"),
    exclusive("m"),
    parallel("f"),
    user("a"),
    user("b"),
    user("c"),
    parallel("j"),
    user("check"),
    exclusive("x", default="e"),
    end("e"),
    flows("s -> m -> f", "f -> a -> j", "f -> b -> j", "f -> c -> j", "j -> check -> x", "x -> m [${rework}]", "x -> e"),
)


@pytest.mark.parametrize("first", list(permutations("abc")))
@pytest.mark.parametrize("second", list(permutations("abc")))
@pytest.mark.parametrize("cold", [False, True])
def test_parallel__in_a_rework_loop_in_any_order(first, second, cold):
    instance = begin(*ROUNDS)

    for order in (first, second, first):
        for name in order:
            assert "check" not in standing(instance)
            complete(instance, name)
            instance = again(instance) if cold else instance
        assert standing(instance) == ["check"]
        complete(instance, "check", rework=True)


CHOSEN = (
    start("s"),
    exclusive("m"),
    inclusive("f", default="c"),
    user("a"),
    user("b"),
    user("c"),
    inclusive("j"),
    user("check"),
    exclusive("x", default="e"),
    end("e"),
    flows(
        "s -> m -> f",
        "f -> a [${a}]",
        "f -> b [${b}]",
        "f -> c",
        "a -> j",
        "b -> j",
        "c -> j",
        "j -> check -> x",
        "x -> m [${rework}]",
        "x -> e",
    ),
)


@pytest.mark.parametrize(("chosen", "taken"), [("", "c"), ("a", "a"), ("b", "b"), ("ab", "ab")])
def test_inclusive__waits_for_what_was_chosen(chosen, taken):
    instance = begin(*CHOSEN, variables={"a": "a" in chosen, "b": "b" in chosen})
    assert standing(instance) == list(taken)

    complete(instance, *taken)

    assert standing(instance) == ["check"]


@pytest.mark.parametrize("orders", [("ab", "ba", "c", "a"), ("ba", "b", "ab", "ba"), ("c", "ab", "ba", "b")])
@pytest.mark.parametrize("cold", [False, True])
def test_inclusive__in_a_rework_loop_in_any_order(orders, cold):
    def choice(order):
        return {"a": "a" in order, "b": "b" in order}

    instance = begin(*CHOSEN, variables=choice(orders[0]))
    for order, following in zip(orders, (*orders[1:], orders[0]), strict=True):
        for name in order:
            assert "check" not in standing(instance)
            complete(instance, name)
            instance = again(instance) if cold else instance
        assert standing(instance) == ["check"]
        complete(instance, "check", rework=True, **choice(following))


def test_inclusive__waits_for_a_token_far_upstream():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b1"),
        user("b2"),
        exclusive("x", default="out"),
        inclusive("j"),
        user("d"),
        end("out"),
        end("e"),
        flows("s -> f -> a -> j -> d -> e", "f -> b1 -> b2 -> x -> out", "x -> j [${joins}]"),
    )

    complete(instance, "a")
    assert standing(instance) == ["b1"]
    complete(instance, "b1")
    assert standing(instance) == ["b2"]

    complete(instance, "b2", joins=False)

    assert standing(instance) == ["d"]  # the other token went elsewhere, nothing can come any more


def test_inclusive__waits_for_what_a_boundary_event_may_bring():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        user("b"),
        timer_boundary("late", on="b", duration="P1D"),
        inclusive("j"),
        user("d"),
        end("out"),
        end("e"),
        flows("s -> f -> a -> j -> d -> e", "f -> b -> out", "late -> j"),
    )

    complete(instance, "a")
    assert standing(instance) == ["b", "late"]
    fire(instance, "late")

    assert standing(instance) == ["d"]
    complete(instance, "d")
    assert instance.ended


def test_inclusive__waits_for_a_subprocess_beside_it():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        subprocess("sub", start("ss"), user("u"), end("se"), flows("ss -> u -> se")),
        inclusive("j"),
        user("d"),
        end("e"),
        flows("s -> f -> a -> j -> d -> e", "f -> sub -> j"),
    )

    complete(instance, "a")
    assert standing(instance) == ["u"]
    complete(instance, "u")

    assert standing(instance) == ["d"]


def test_inclusive__an_incident_upstream_holds_it():
    instance = begin(
        start("s"),
        parallel("f"),
        user("a"),
        exclusive("x", default="out"),
        inclusive("j"),
        user("d"),
        end("out"),
        end("e"),
        flows("s -> f -> a -> j -> d -> e", "f -> x -> out", "x -> j [${unknown}]"),
    )

    complete(instance, "a")
    assert standing(instance) == ["x"]
    instance.variables["unknown"] = True
    instance.retry(wait(instance, "x").id)

    assert standing(instance) == ["d"]


def test_inclusive__a_token_that_must_pass_it_first_does_not_hold_it():
    instance = begin(
        start("s"),
        inclusive("j"),
        parallel("f"),
        user("a"),
        message_boundary("more", on="a", message="more", interrupting=False),
        end("e"),
        flows("s -> j -> f -> a -> e", "more -> j"),
    )

    instance.throw("more")

    assert standing(instance, WaitKind.USER_TASK) == ["a", "a"]


BESIDE_IN_A_LOOP = (
    start("s"),
    exclusive("again"),
    parallel("f"),
    user("w"),
    inclusive("if", default="c"),
    user("b"),
    user("c"),
    inclusive("ij"),
    user("d"),
    parallel("j"),
    user("check"),
    exclusive("x", default="e"),
    end("e"),
    flows(
        "s -> again -> f -> w -> j -> check -> x -> e",
        "x -> again [${rework}]",
        "f -> if -> c -> ij -> d -> j",
        "if -> b [${b}]",
        "b -> ij",
    ),
)


@pytest.mark.parametrize("order", ["wbd", "bwd", "bdw"])
@pytest.mark.parametrize("cold", [False, True])
def test_inclusive__what_can_only_come_in_the_next_round_does_not_hold_it(order, cold):
    # On paper a token at `w` or at `j` comes to `ij` by `c`, through the loop.  In fact it waits at `j` for what `ij` lets through.
    instance = begin(*BESIDE_IN_A_LOOP, variables={"b": True})

    for _ in range(3):
        for name in order:
            assert name in standing(instance)
            complete(instance, name)
            instance = again(instance) if cold else instance
        assert standing(instance) == ["check"]
        complete(instance, "check", rework=True)


def test_inclusive__waits_for_who_may_send_everything_back():
    instance = begin(
        start("s"),
        exclusive("m"),
        parallel("f"),
        user("a"),
        user("b"),
        exclusive("x", default="j"),
        inclusive("j"),
        user("d"),
        end("e"),
        flows("s -> m -> f -> a -> j -> d -> e", "f -> b -> x -> j", "x -> m [${back}]"),
    )

    complete(instance, "a")
    assert standing(instance) == ["b"]
    complete(instance, "b", back=True)
    assert standing(instance) == ["a", "b"]
    complete(instance, "b", back=False)

    assert standing(instance) == ["a", "d"]  # both flows have a token now; the second token from `a` will go on alone
    complete(instance, "a")
    assert standing(instance) == ["d", "d"]


def test_inclusive__an_incident_at_one_join_while_another_waits():
    instance = begin(
        start("s"),
        parallel("f"),
        user("w"),
        message_boundary("again", on="w", message="again", interrupting=False),
        message_boundary("more", on="w", message="more", interrupting=False),
        user("q"),
        user("c"),
        inclusive("j"),
        inclusive("k", default="e"),
        user("d"),
        end("e"),
        flows("s -> f -> w -> e", "f -> q -> j -> k -> e", "f -> c -> k", "again -> q", "more -> j", "k -> d [${unknown}]", "d -> e"),
    )
    complete(instance, "q", "c")
    instance.throw("more")
    assert incidents(instance).keys() == {"k"}

    instance.throw("again")
    instance.throw("more")
    assert standing(instance, WaitKind.USER_TASK) == ["w", "q"]
    complete(instance, "q")
    complete(instance, "w")
    assert standing(instance) == ["k", "k"]
    instance.variables["unknown"] = True
    instance.retry(wait(instance, "k").id)
    instance.retry(wait(instance, "k").id)

    assert standing(instance) == ["d", "d"]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_inclusive__joins_in_a_ring_open(count):
    # Each join is upstream of the next one's second flow; with a token at each, none could ever open.
    content, arrows = [start("s"), parallel("f"), end("e")], ["s -> f"]
    for number in range(count):
        following = (number + 1) % count
        content += [task(f"t{number}"), inclusive(f"j{number}"), exclusive(f"x{number}", default="e")]
        arrows += [f"f -> t{number} -> j{number} -> x{number} -> e", f"x{number} -> j{following} [${{false}}]"]

    assert begin(*content, flows(*arrows)).ended


def test_inclusive__no_condition_true_and_no_default():
    content = (
        start("s"),
        inclusive("f"),
        user("a"),
        user("b"),
        end("e"),
        flows("s -> f", "f -> a [${a}]", "f -> b [${b}]", "a -> e", "b -> e"),
    )
    instance = begin(*content, variables={"a": False, "b": False})

    assert "no condition is true and none is the default" in incidents(instance)["f"]
    instance.variables["b"] = True
    instance.retry(wait(instance, "f").id)

    assert standing(instance) == ["b"]


def test_join__one_that_can_never_open_is_an_incident():
    content = (start("s"), exclusive("x", default="a"), user("a"), user("b"), parallel("j"), end("e"))
    instance = begin(*content, flows("s -> x -> a -> j -> e", "x -> b [${false}]", "b -> j"))
    assert incidents(instance) == {}

    complete(instance, "a")

    assert incidents(instance) == {"j": "Expected a token on every flow into j, but none can arrive any more on b-j"}
    assert not instance.ended
    instance.retry(wait(instance, "j").id)
    assert incidents(instance).keys() == {"j"}


def test_join__each_activation_of_a_subprocess_has_its_own():
    instance = begin(
        start("s"),
        parallel("f"),
        task("one"),
        task("two"),
        subprocess(
            "sub",
            start("ss"),
            parallel("sf"),
            user("a"),
            user("b"),
            parallel("sj"),
            user("c"),
            end("se"),
            flows("ss -> sf -> a -> sj -> c -> se", "sf -> b -> sj"),
        ),
        end("e"),
        flows("s -> f -> one -> sub -> e", "f -> two -> sub"),
    )
    assert standing(instance) == ["a", "b", "a", "b"]

    complete(instance, "a", "a")
    assert standing(instance) == ["b", "b"]
    complete(instance, "b")

    assert standing(instance) == ["b", "c"]


def test_history__tokens_that_meet_all_end():
    instance = begin(
        start("s"), parallel("f"), task("a"), task("b"), parallel("j"), end("e"), flows("s -> f -> a -> j -> e", "f -> b -> j")
    )

    assert instance.ended
    assert {outcome for _, outcome in outcomes(instance)} == {"completed"}
    assert [element for element, _ in outcomes(instance)].count("j") == 2
