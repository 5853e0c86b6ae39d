"""Subprocesses, terminate and errors: what ends with what."""

from __future__ import annotations

import pytest

from tests.bpmn.diagrams import call, end, error_boundary, external, flows, parallel, start, subprocess, task, timer_boundary, user
from tests.bpmn.instances import again, begin, complete, outcomes, standing, wait


def test_subprocess__goes_on_when_all_in_it_has_ended():
    instance = begin(
        start("s"),
        subprocess("sub", start("ss"), parallel("f"), user("a"), user("b"), end("se"), flows("ss -> f -> a -> se", "f -> b -> se")),
        user("c"),
        end("e"),
        flows("s -> sub -> c -> e"),
    )

    complete(instance, "a")
    assert standing(instance) == ["b"]
    complete(instance, "b")

    assert standing(instance) == ["c"]
    assert instance.end is None  # the end of a subprocess is not the end of the process


def test_subprocess__nobody_in_it_is_asked():
    instance = begin(
        start("s"),
        subprocess("sub", start("ss"), task("t"), end("se"), flows("ss -> t -> se")),
        user("c"),
        end("e"),
        flows("s -> sub -> c -> e"),
    )

    assert standing(instance) == ["c"]


def nested(depth):
    inner = [user("a")]
    for level in range(depth):
        inner = [subprocess(f"sub{level}", start(f"s{level}"), *inner, end(f"e{level}"), flows(f"s{level} -> {_first(inner)} -> e{level}"))]
    return (start("s"), *inner, end("e"), flows(f"s -> sub{depth - 1} -> e"))


def _first(inner):
    return inner[0].split('id="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize("cold", [False, True])
def test_subprocess__nested(cold):
    instance = begin(*nested(5))
    instance = again(instance) if cold else instance

    complete(instance, "a")

    assert instance.ended
    assert instance.end == "e"


TERMINATED = (
    start("ss"),
    parallel("f"),
    user("a"),
    user("b"),
    timer_boundary("t", on="b", duration="P1D"),
    end("stop", terminate=True),
    end("se"),
    flows("ss -> f -> a -> stop", "f -> b -> se", "t -> se"),
)


def test_terminate__ends_its_subprocess_only():
    instance = begin(
        start("s"),
        parallel("pf"),
        user("other"),
        subprocess("sub", *TERMINATED),
        timer_boundary("late", on="sub", duration="P9D"),
        user("c"),
        end("e"),
        flows("s -> pf -> sub -> c -> e", "pf -> other -> e", "late -> e"),
    )

    complete(instance, "a")

    assert sorted(standing(instance)) == ["c", "other"]
    assert ("b", "canceled") in outcomes(instance)
    assert ("sub", "completed") in outcomes(instance)


def test_terminate__ends_the_process():
    instance = begin(*TERMINATED)

    complete(instance, "a")

    assert instance.ended
    assert instance.end == "stop"
    assert instance.error is None


FAILING = subprocess(
    "sub",
    start("ss"),
    parallel("f"),
    user("a"),
    user("b"),
    end("bad", error="E1"),
    end("se"),
    flows("ss -> f -> a -> bad", "f -> b -> se"),
)


@pytest.mark.parametrize(
    ("codes", "handler"), [(["E1"], "h0"), ([None], "h0"), (["E2", "E1"], "h1"), ([None, "E1"], "h1"), (["E2", None], "h1")]
)
def test_error__caught_by_its_code_else_by_what_catches_all(codes, handler):
    handlers = [error_boundary(f"h{n}", on="sub", error=code) for n, code in enumerate(codes)]
    ends = [end(f"e_h{n}") for n in range(len(codes))]
    arrows = [f"h{n} -> e_h{n}" for n in range(len(codes))]
    instance = begin(start("s"), FAILING, *handlers, *ends, end("e"), flows("s -> sub -> e", *arrows))

    complete(instance, "a")

    assert instance.ended
    assert instance.end == f"e_{handler}"
    assert instance.error is None
    assert ("b", "canceled") in outcomes(instance)


def test_error__caught_further_out():
    instance = begin(
        start("s"),
        subprocess(
            "outer", start("os"), FAILING, error_boundary("wrong", on="sub", error="E2"), end("oe"), flows("os -> sub -> oe", "wrong -> oe")
        ),
        error_boundary("right", on="outer", error="E1"),
        end("r"),
        end("e"),
        flows("s -> outer -> e", "right -> r"),
    )

    complete(instance, "a")

    assert instance.end == "r"


def test_error__nothing_catches_it():
    instance = begin(start("s"), parallel("pf"), user("other"), FAILING, end("e"), flows("s -> pf -> sub -> e", "pf -> other -> e"))

    complete(instance, "a")

    assert instance.ended
    assert instance.error == "E1"
    assert instance.end == "bad"
    assert instance.waits() == ()
    assert ("other", "canceled") in outcomes(instance)
    assert ("bad", "completed") in outcomes(instance)


@pytest.mark.parametrize("activity", [external("a", topic="t"), call("a", of="other")])
def test_raise_error__caught_on_the_activity(activity):
    instance = begin(
        start("s"), activity, error_boundary("h", on="a", error="NO_STOCK"), end("r"), end("e"), flows("s -> a -> e", "h -> r")
    )

    instance.raise_error(wait(instance, "a").id, "NO_STOCK")

    assert instance.end == "r"
    assert ("a", "canceled") in outcomes(instance)


def test_raise_error__nothing_catches_it():
    instance = begin(start("s"), external("a", topic="t"), end("e"), flows("s -> a -> e"))

    instance.raise_error(wait(instance, "a").id, "NO_STOCK")

    assert instance.ended
    assert instance.error == "NO_STOCK"
    assert instance.end is None


def test_error__a_state_after_it_is_the_same_cold():
    instance = begin(start("s"), external("a", topic="t"), end("e"), flows("s -> a -> e"))
    instance.raise_error(wait(instance, "a").id, "NO_STOCK")

    loaded = again(instance)

    assert (loaded.ended, loaded.error, loaded.end, loaded.waits()) == (True, "NO_STOCK", None, ())
