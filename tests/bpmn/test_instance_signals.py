"""Signals, escalations, event-based gateways, links, quantities: tokens that reach others."""

from __future__ import annotations

import pytest

from bpmn.errors import InstanceError
from bpmn.waits import Signal, WaitKind
from tests.bpmn.definitions import escalation, link, signal
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    end,
    event_gateway,
    exclusive,
    flows,
    message_catch,
    parallel,
    start,
    subprocess,
    throw,
    timer_catch,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, fire, incidents, outcomes, standing, wait

# Signals -------------------------------------------------------------------------------------------------------------------------------


def test_signal__reaches_all_that_wait_in_the_instance():
    content = (
        parallel("f"),
        catch("c1", signal("go")),
        catch("c2", signal("go")),
        throw("t", signal("go")),
        user("a"),
        user("b"),
        end("e"),
    )
    instance = begin(start("s"), *content, flows("s -> f -> c1 -> a -> e", "f -> c2 -> b -> e", "f -> t -> e"))

    assert standing(instance) == ["a", "b"]
    assert instance.signals == [Signal(name="go", variables={})]


def test_signal__is_not_kept_for_who_comes_later():
    content = (throw("t", signal("go")), catch("c", signal("go")), end("e"))
    instance = again(begin(start("s"), *content, flows("s -> t -> c -> e")))

    assert [(w.kind, w.name) for w in instance.waits()] == [(WaitKind.SIGNAL, "go")]
    assert instance.signals == []  # told once
    assert instance.broadcast("other") == 0
    assert instance.broadcast("go", {"x": 1}) == 1
    assert (instance.ended, instance.variables) == (True, {"x": 1})


def test_signal__takes_variables_and_computes_its_name():
    content = (throw("t", signal("g_${n}", "n")), end("e"))
    instance = begin(start("s"), *content, flows("s -> t -> e"), variables={"n": 7, "secret": 1})

    assert instance.signals == [Signal(name="g_7", variables={"n": 7})]


def test_signal__that_interrupts_its_thrower():
    sub = subprocess("sub", start("ss"), throw("t", signal("stop")), user("a"), end("se"), flows("ss -> t -> a -> se"))
    instance = begin(start("s"), sub, boundary("b", signal("stop"), on="sub"), user("c"), end("e"), flows("s -> sub -> e", "b -> c -> e"))

    assert standing(instance) == ["c"]


def test_signal__boundary_beside_and_end():
    content = (user("a"), boundary("b", signal("ping"), on="a", interrupting=False), end("e"), end("out", signal("done")))
    instance = begin(start("s"), *content, flows("s -> a -> out", "b -> e"))
    assert [instance.broadcast("ping"), instance.broadcast("ping")] == [1, 1]
    complete(instance, "a")

    assert instance.end == "out"
    assert [s.name for s in instance.signals] == ["done"]


# Escalations ---------------------------------------------------------------------------------------------------------------------------


def escalating(*caught, code="X"):
    sub = subprocess("sub", start("ss"), throw("up", escalation(code)), user("a"), end("se"), flows("ss -> up -> a -> se"))
    return begin(start("s"), sub, *caught, user("c"), end("e"), flows("s -> sub -> e", "b -> c -> e"))


def test_escalation__caught_beside():
    instance = escalating(boundary("b", escalation("X", escalationCodeVariable="why"), on="sub", interrupting=False))

    assert set(standing(instance)) == {"a", "c"}
    assert instance.variables == {"why": "X"}


def test_escalation__caught_with_interruption():
    instance = escalating(boundary("b", escalation("X"), on="sub"))

    assert standing(instance) == ["c"]
    assert ("up", "canceled") in outcomes(instance)


def test_escalation__of_any_code():
    assert standing(escalating(boundary("b", escalation(), on="sub"), code="Y")) == ["c"]


def test_escalation__nobody_listens():
    assert standing(escalating(boundary("b", escalation("Z"), on="sub"))) == ["a"]


def test_escalation__at_the_end():
    sub = subprocess("sub", start("ss"), end("up", escalation("X")), flows("ss -> up"))
    content = (sub, boundary("b", escalation("X"), on="sub", interrupting=False), user("c"), user("d"), end("e"))
    instance = begin(start("s"), *content, flows("s -> sub -> d -> e", "b -> c -> e"))

    assert set(standing(instance)) == {"c", "d"}


def test_escalation__out_of_a_called_instance_waits_for_its_answer():
    content = (start("s"), throw("up", escalation("X")), user("a"), end("e"), flows("s -> up -> a -> e"))
    instance = again(begin(*content, called=True))
    assert [(w.kind, w.name) for w in instance.waits()] == [(WaitKind.ESCALATION, "X")]

    instance.complete(wait(instance, "up").id)

    assert standing(instance) == ["a"]
    assert standing(begin(*content)) == ["a"]  # nobody has called it


def test_escalation__at_a_call():
    content = (call("c", of="other"), boundary("b", escalation("X"), on="c", interrupting=False), user("a"), end("e"))
    instance = begin(start("s"), *content, flows("s -> c -> e", "b -> a -> e"))

    assert instance.raise_escalation(wait(instance, "c").id, "X") is True
    assert instance.raise_escalation(wait(instance, "c").id, "Y") is False
    assert standing(instance) == ["c", "a"]


# Event-based gateways ------------------------------------------------------------------------------------------------------------------


def racing():
    content = (event_gateway("g"), message_catch("m", message="paid"), timer_catch("t", duration="PT1H"), catch("n", signal("stop")))
    return begin(start("s"), *content, user("a"), user("b"), end("e"), flows("s -> g -> m -> a -> e", "g -> t -> b -> e", "g -> n -> e"))


def test_event_gateway__the_first_wins():
    instance = again(racing())
    assert {w.element: w.kind for w in instance.waits()} == {"m": WaitKind.MESSAGE, "t": WaitKind.TIMER, "n": WaitKind.SIGNAL}
    number = wait(instance, "m").id

    instance.throw("paid", {"sum": 5})

    assert standing(instance) == ["a"]
    assert outcomes(instance)[:2] == [("g", "completed"), ("m", "completed")]
    assert number in {activity.id for activity in instance.history() if activity.element == "m"}
    with pytest.raises(InstanceError, match="nothing waits"):
        instance.fire(number)


def test_event_gateway__time_wins():
    instance = racing()
    fire(instance, "t", at=NOW + HOUR)

    assert standing(instance) == ["b"]
    assert instance.throw("paid") == 0


# Links and quantities ------------------------------------------------------------------------------------------------------------------


def test_link__goes_on_at_its_other_end():
    content = (user("a"), throw("out", link("L")), catch("in", link("L")), user("b"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> out", "in -> b -> e"))
    complete(instance, "a")

    assert standing(instance) == ["b"]
    assert [e for e, _ in outcomes(instance)][2:4] == ["out", "in"]


def test_start_quantity__waits_for_so_many_tokens():
    content = (parallel("f"), exclusive("m"), user("a", attrs={"startQuantity": "2"}), user("b"), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> f -> b -> m -> a -> e", "f -> c -> m"))
    complete(instance, "b")
    assert standing(again(instance)) == ["c"]
    complete(again(instance), "c")
    complete(instance, "c")
    assert standing(instance) == ["a"]


def test_start_quantity__that_never_comes_is_told():
    content = (user("a", attrs={"startQuantity": "2"}), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e"))

    assert incidents(instance)["a"].startswith("Expected 2 tokens to start a, but 1 ")


def test_completion_quantity__leaves_as_many_tokens():
    content = (user("a", attrs={"completionQuantity": "3"}), user("b"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> b -> e"))
    complete(instance, "a")

    assert standing(instance) == ["b", "b", "b"]
