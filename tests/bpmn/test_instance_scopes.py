"""Subprocesses, terminate and errors: what ends with what."""

from __future__ import annotations

import pytest

from bpmn.errors import InstanceError
from bpmn.waits import WaitKind
from tests.bpmn.diagrams import (
    call,
    end,
    error_boundary,
    external,
    flows,
    message_boundary,
    parallel,
    start,
    subprocess,
    task,
    timer_boundary,
    user,
)
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

    assert standing(instance) == ["other", "b"]
    assert [(activity.outcome, activity.error) for activity in instance.history() if activity.element == "bad"] == [("completed", "E1")]
    complete(instance, "b", "other")
    assert (instance.ended, instance.failed, instance.error, instance.end) == (True, False, "E1", "e")


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

    assert (instance.ended, instance.failed, instance.error, instance.end) == (True, True, "NO_STOCK", "a")


def test_error__a_state_after_it_is_the_same_cold():
    instance = begin(start("s"), external("a", topic="t"), end("e"), flows("s -> a -> e"))
    instance.raise_error(wait(instance, "a").id, "NO_STOCK")

    loaded = again(instance)

    assert (loaded.ended, loaded.failed, loaded.error, loaded.end, loaded.waits()) == (True, True, "NO_STOCK", "a", ())


def test_raise_error__out_of_a_called_instance_waits_for_its_answer():
    """Nobody does the task any more, and nothing watches there; what is beside goes on."""
    content = (start("s"), parallel("f"), external("a", topic="t"), timer_boundary("late", on="a", duration="PT1H"), user("b"), end("e"))
    instance = again(begin(*content, flows("s -> f -> a -> e", "f -> b -> e", "late -> e"), called=True))

    instance.raise_error(wait(instance, "a").id, "NO_STOCK", "none left")

    instance = again(instance)
    assert [(w.kind, w.element, w.name, w.error) for w in instance.waits(WaitKind.ERROR)] == [
        (WaitKind.ERROR, "a", "NO_STOCK", "none left")
    ]
    assert (set(standing(instance)), instance.error) == ({"a", "b"}, None)
    with pytest.raises(InstanceError, match="but it is error a"):
        instance.raise_error(wait(instance, "a").id, "NO_STOCK")
    instance.complete(wait(instance, "a").id)
    assert (standing(again(instance)), instance.error) == (["b"], "NO_STOCK")


def test_error__out_of_a_called_instance_that_is_interrupted_meanwhile():
    content = (
        subprocess("sub", start("ss"), end("bad", error="E1"), flows("ss -> bad")),
        message_boundary("stop", on="sub", message="stop"),
    )
    instance = again(begin(start("s"), *content, end("e"), flows("s -> sub -> e", "stop -> e"), called=True))
    assert [(w.kind, w.name) for w in instance.waits(WaitKind.ERROR)] == [(WaitKind.ERROR, "E1")]

    instance.throw("stop")

    assert (instance.ended, instance.error, instance.end) == (True, None, "e")
    assert ("bad", "canceled") in outcomes(instance)


@pytest.mark.parametrize(("code", "caught", "at"), [("E1", True, "r"), ("E2", False, "c")])
def test_offer_error__at_a_call(code, caught, at):
    """One that nothing here catches leaves the call as it is, but what the other process has is mapped out."""
    content = (call("c", of="other", outputs=["n"]), error_boundary("b", on="c", error="E1"), user("r"), end("e"))
    instance = begin(start("s"), *content, flows("s -> c -> e", "b -> r -> e"))

    assert instance.offer_error(wait(instance, "c").id, code, None, {"n": 1}) is caught

    assert (standing(again(instance)), instance.variables, instance.error) == ([at], {"n": 1}, None)
