"""Incidents: what fails waits for a person; everything else goes on."""

from __future__ import annotations

import pytest

from bpmn.spiff import process
from bpmn.waits import WaitKind
from tests.bpmn.diagrams import end, exclusive, external, flows, inclusive, parallel, start, task, user
from tests.bpmn.instances import again, begin, complete, incidents, outcomes, standing, wait


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (user("x", groups="${v}"), None),
        (user("x", groups="${v}"), ""),
        (user("x", groups="${v}"), 7),
        (user("x", groups="${v}"), ["a", None]),
        (user("x", assignee="${v}"), 7),
        (user("x", assignee="${v}"), ["li"]),
        (user("x", name="${v}"), 7),
        (user("x", name="审核 ${unknown}"), 1),
        (user("x", due="${v}"), "2026-12-01"),
        (user("x", due="${v}"), 7),
        (user("x", priority="${v}"), "high"),
        (user("x", priority="${v}"), None),
        (user("x", priority="${v}"), 1.5),
        (user("x", priority="${v}"), True),
        (external("x", topic="${v}"), None),
        (external("x", topic="${v}"), "  "),
        (user("x", groups="${unknown}"), 1),
    ],
)
def test_incident__a_value_that_does_not_fit(element, value):
    instance = begin(start("s"), element, end("e"), flows("s -> x -> e"), variables={"v": value})

    assert incidents(instance)["x"].startswith("Expected ")
    assert not instance.ended


@pytest.mark.parametrize(
    ("value", "groups"),
    [("a", ("a",)), ("a, b", ("a", "b")), (["a", "b,c"], ("a", "b", "c")), (["a", "a"], ("a",)), ([], ())],
)
def test_groups__one_or_several(value, groups):
    instance = begin(start("s"), user("x", groups="${v}"), end("e"), flows("s -> x -> e"), variables={"v": value})

    assert wait(instance, "x").groups == groups


def test_incident__other_tokens_go_on():
    instance = begin(
        start("s"),
        parallel("f"),
        exclusive("x", default="c"),
        user("a"),
        user("b"),
        user("c"),
        end("e"),
        flows("s -> f -> x -> c -> e", "x -> a [${granted}]", "a -> e", "f -> b -> e"),
    )
    assert standing(instance) == ["x", "b"]

    complete(instance, "b")

    assert standing(instance) == ["x"]
    assert not instance.ended


@pytest.mark.parametrize("cold", [False, True])
def test_retry__again_and_again_until_it_works(cold):
    content = (start("s"), user("u"), exclusive("x", default="a"), user("a"), user("b"), end("e"))
    instance = begin(*content, flows("s -> u -> x -> a -> e", "x -> b [${granted}]", "b -> e"))
    complete(instance, "u")
    failed = wait(instance, "x")

    for _ in range(2):
        instance = again(instance) if cold else instance
        instance.retry(failed.id)
        assert wait(instance, "x") == failed
    instance.variables["granted"] = True
    instance.retry(failed.id)

    assert standing(instance) == ["b"]


def test_complete__raises_nothing_for_a_failure_behind_it():
    instance = begin(start("s"), user("u"), external("x", topic="${topic}"), end("e"), flows("s -> u -> x -> e"))

    complete(instance, "u", form={"a": 1})

    assert incidents(instance) == {"x": "Expected a known variable, but there is no topic, in ${topic}"}
    assert instance.variables == {"form": {"a": 1}}
    assert outcomes(instance) == [("s", "completed"), ("u", "completed"), ("x", None)]


def test_incident__after_a_fork_out_of_a_task():
    content = (start("s"), user("u"), user("a"), user("b"), end("e"))
    instance = begin(*content, flows("s -> u", "u -> a [${x}]", "u -> b [${!x}]", "a -> e", "b -> e"))
    complete(instance, "u")
    (failed,) = instance.waits()
    assert failed.kind is WaitKind.INCIDENT

    instance.variables["x"] = False
    instance.retry(failed.id)

    assert standing(instance) == ["b"]


def test_incident__whatever_a_function_raises():
    def ready(item):
        raise ZeroDivisionError(item)

    instance = begin(
        start("s"),
        inclusive("f", default="b"),
        user("a"),
        user("b"),
        end("e"),
        flows("s -> f -> b -> e", "f -> a [${ready('food')}]", "a -> e"),
        functions={"ready": ready},
    )

    assert "food" in incidents(instance)["f"]


def test_cancel__with_an_incident():
    instance = begin(start("s"), external("x", topic="${topic}"), end("e"), flows("s -> x -> e"))

    instance.cancel()

    assert instance.ended
    assert instance.waits() == ()


CIRCLE = (start("s"), exclusive("m"), task("t"), exclusive("x", default="m"), end("e"), flows("s -> m -> t -> x -> m", "x -> e [${stop}]"))


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(process, "STEP_LIMIT", 50)


@pytest.mark.usefixtures("few_steps")
def test_incident__a_flow_in_circles():
    instance = begin(*CIRCLE, variables={"stop": False})

    (failed,) = instance.waits()
    assert failed.error == "Expected to come to rest within 50 steps, but the flow goes in circles"
    instance.retry(failed.id)
    (failed,) = instance.waits()
    instance.variables["stop"] = True
    instance.retry(failed.id)

    assert instance.ended


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize(("phase", "after"), [("asyncBefore", "job"), ("asyncAfter", "user_task")])
def test_incident__too_many_steps_before_an_activity_with_a_job(monkeypatch, phase, after, cold):
    """Whether it was entered is known also when the instance is taken up again: its job is not left out, nor its entry told twice."""
    monkeypatch.setattr(process, "STEP_LIMIT", 2)
    instance = begin(start("s"), task("t"), user("u", attrs={f"camunda:{phase}": "true"}), end("e"), flows("s -> t -> u -> e"))
    assert standing(instance, WaitKind.INCIDENT) == ["u"]

    instance = again(instance) if cold else instance
    instance.retry(wait(instance, "u").id)

    (found,) = instance.waits()
    assert (found.element, found.kind) == ("u", after)
    assert [activity.element for activity in instance.history() if activity.element == "u"] == (["u"] if after == "user_task" else [])


@pytest.mark.usefixtures("few_steps")
def test_incident__tokens_that_double_in_circles():
    content = (start("s"), exclusive("m"), parallel("f"), task("a"), task("b"), user("u"), end("e"))
    instance = begin(*content, flows("s -> m -> f -> a -> m", "f -> b -> m", "f -> u -> e"))

    assert WaitKind.INCIDENT in {w.kind for w in instance.waits()}
    assert len(instance.waits()) < 100
    assert instance.waits() == again(instance).waits()


def test_incident__a_circle_under_the_real_limit():
    assert incidents(begin(*CIRCLE, variables={"stop": False})).keys() <= {"m", "t", "x"}
