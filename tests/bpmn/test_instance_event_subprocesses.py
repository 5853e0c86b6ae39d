"""Event subprocesses: what starts them, what they interrupt."""

from __future__ import annotations

import pytest

from bpmn.waits import WaitKind
from tests.bpmn.definitions import conditional, error, escalation, message, signal
from tests.bpmn.diagrams import (
    end,
    event_subprocess,
    exclusive,
    external,
    flows,
    parallel,
    start,
    subprocess,
    throw,
    timer,
    timer_boundary,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, fire, outcomes, standing, wait


def watched(definition, *, interrupting=True, variables=None, now=NOW):
    """A process with a task, and an event subprocess with one."""
    flag = {"isInterrupting": str(interrupting).lower()}
    handler = event_subprocess("es", start("on", definition, attrs=flag), user("help"), end("he"), flows("on -> help -> he"))
    content = (start("s"), user("a"), user("b"), end("e"), flows("s -> a -> b -> e"))
    return begin(*content, handler, variables=variables, now=now)


TRIGGERS = {
    "message": (message("m"), lambda i: i.throw("m")),
    "signal": (signal("g"), lambda i: i.broadcast("g")),
    "timer": (timer(duration="PT1H"), lambda i: fire(i, "on", at=NOW + HOUR)),
    "condition": (conditional("${late}"), lambda i: i.set_variables({"late": True})),
    "error": (error("E"), lambda i: i.raise_error(wait(i, "a").id, "E")),
    "escalation": (escalation("X"), lambda i: i.raise_escalation(wait(i, "a").id, "X")),
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_interrupting__ends_what_is_around(trigger):
    definition, happen = TRIGGERS[trigger]
    instance = again(watched(definition, variables={"late": False}))

    happen(instance)

    assert standing(instance) == ["help"]
    instance = again(instance)
    complete(instance, "help")
    assert instance.ended
    assert instance.error is None


@pytest.mark.parametrize("trigger", [t for t in TRIGGERS if t != "error"])
def test_beside__everything_goes_on(trigger):
    definition, happen = TRIGGERS[trigger]
    instance = again(watched(definition, interrupting=False, variables={"late": False}))

    happen(instance)

    assert {"a", "help"} <= set(standing(instance))
    complete(again(instance), "a")
    complete(instance, "a", "b")
    assert not instance.ended  # the subprocess still works
    complete(instance, "help")
    assert instance.ended


def test_beside__each_time():
    instance = watched(message("m"), interrupting=False)
    for _ in range(3):
        assert instance.throw("m") == 1

    assert standing(instance).count("help") == 3


def test_cycle__as_often_as_it_says():
    instance = watched(timer(cycle="R2/PT1H"), interrupting=False)
    fire(instance, "on", at=NOW + HOUR)
    fire(again(instance), "on", at=NOW + 2 * HOUR)
    fire(instance, "on", at=NOW + 2 * HOUR)

    assert WaitKind.TIMER not in {w.kind for w in instance.waits()}
    assert standing(instance).count("help") == 2


def test_watching__ends_with_its_scope():
    handler = event_subprocess("es", start("on", message("m")), user("help"), end("he"), flows("on -> help -> he"))
    sub = subprocess("sub", start("ss"), user("a"), end("se"), flows("ss -> a -> se"), handler)
    instance = begin(start("s"), sub, user("b"), end("e"), flows("s -> sub -> b -> e"))
    assert instance.throw("m") == 1
    assert standing(instance) == ["help"]
    complete(instance, "help")
    assert standing(instance) == ["b"]
    assert instance.throw("m") == 0


def test_boundary__of_the_scope_outlives_an_interruption():
    handler = event_subprocess("es", start("on", message("m")), user("help"), end("he"), flows("on -> help -> he"))
    sub = subprocess("sub", start("ss"), user("a"), end("se"), flows("ss -> a -> se"), handler)
    content = (sub, timer_boundary("late", on="sub", duration="PT1H"), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> sub -> e", "late -> c -> e"))
    instance.throw("m")
    assert set(standing(instance)) == {"help", "late"}

    fire(instance, "late", at=NOW + HOUR)

    assert standing(instance) == ["c"]


def test_nested__inner_one_first():
    inner = event_subprocess("ies", start("ion", error("E")), user("near"), end("ie"), flows("ion -> near -> ie"))
    sub = subprocess("sub", start("ss"), external("w", topic="t"), end("se"), flows("ss -> w -> se"), inner)
    outer = event_subprocess("oes", start("oon", error()), user("far"), end("oe"), flows("oon -> far -> oe"))
    instance = begin(start("s"), sub, end("e"), flows("s -> sub -> e"), outer)
    instance.raise_error(wait(instance, "w").id, "E")
    assert standing(instance) == ["near"]

    instance.raise_error(wait(instance, "near").id, "E")  # not by the one that throws it

    assert standing(instance) == ["far"]


def test_error__of_an_event_subprocess_itself_is_not_caught_by_it():
    handler = event_subprocess("es", start("on", error()), end("bad", error="F"), flows("on -> bad"))
    instance = begin(start("s"), end("first", error="E"), flows("s -> first"), handler)

    assert (instance.ended, instance.error) == (True, "F")


def test_error__gives_its_code_and_message():
    handler = event_subprocess(
        "es",
        start("on", error("E", errorCodeVariable="code", errorMessageVariable="text")),
        user("help"),
        end("he"),
        flows("on -> help -> he"),
    )
    instance = begin(start("s"), user("a"), end("e"), flows("s -> a -> e"), handler)
    instance.raise_error(wait(instance, "a").id, "E", "broken", {"x": 1})

    assert instance.variables == {"code": "E", "text": "broken", "x": 1}


def test_terminate__ends_the_scope_with_its_event_subprocess():
    handler = event_subprocess(
        "es",
        start("on", message("m"), attrs={"isInterrupting": "false"}),
        user("help"),
        end("stop", terminate=True),
        flows("on -> help -> stop"),
    )
    sub = subprocess("sub", start("ss"), user("a"), end("se"), flows("ss -> a -> se"), handler)
    instance = begin(start("s"), sub, user("b"), end("e"), flows("s -> sub -> b -> e"))
    instance.throw("m")
    complete(instance, "help")
    assert standing(instance) == ["on", "a"]  # terminate ends the subprocess that it stands in


def test_condition__that_holds_from_the_start():
    assert standing(watched(conditional("${late}"), variables={"late": True})) == ["help"]


def test_thrown__inside_and_caught_beside():
    handler = event_subprocess(
        "es", start("on", escalation("X"), attrs={"isInterrupting": "false"}), user("help"), end("he"), flows("on -> help -> he")
    )
    content = (start("s"), throw("up", escalation("X")), user("a"), end("e"), flows("s -> up -> a -> e"), handler)
    instance = begin(*content)

    assert set(standing(instance)) == {"help", "a"}


def test_stuck_join__is_told_although_somebody_watches():
    handler = event_subprocess("es", start("on", message("m")), user("help"), end("he"), flows("on -> help -> he"))
    content = (start("s"), parallel("f"), user("a"), user("b"), exclusive("g", default="x"), parallel("j"), end("e"), end("x"), handler)
    instance = begin(*content, flows("s -> f -> a -> j -> e", "f -> b -> g -> x", "g -> j [${ok}]"), variables={"ok": False})
    complete(instance, "a", "b")

    assert [w.kind for w in instance.waits()] == [WaitKind.MESSAGE, WaitKind.INCIDENT]


def test_history__start_event_and_subprocess():
    instance = watched(message("m"))
    instance.throw("m")
    complete(instance, "help")

    assert outcomes(instance)[-4:] == [("es", "completed"), ("on", "completed"), ("help", "completed"), ("he", "completed")]
    assert ("a", "canceled") in outcomes(instance)
