"""Jobs: a token that waits until the engine carries it on."""

from __future__ import annotations

from bpmn.waits import WaitKind
from tests.bpmn.definitions import message
from tests.bpmn.diagrams import boundary, element, end, exclusive, flows, inclusive, parallel, start, user
from tests.bpmn.instances import again, begin, complete, incidents, standing, wait


def test_job__before_and_after():
    task = user("a", attrs={"camunda:asyncBefore": "true", "camunda:asyncAfter": "true", "camunda:jobPriority": "5"})
    content = (task, boundary("m", message("stop"), on="a"), user("b"), end("e"))
    instance = again(begin(start("s"), *content, flows("s -> a -> b -> e", "m -> e")))
    (job,) = instance.waits()
    assert (job.kind, job.element, job.priority) == (WaitKind.JOB, "a", 5)  # nothing watches yet

    instance.execute(job.id)
    assert set(standing(instance)) == {"a", "m"}
    complete(instance, "a")
    (job,) = again(instance).waits()
    assert (job.kind, job.element) == (WaitKind.JOB, "a")  # nothing watches any more
    instance = again(instance)
    instance.execute(job.id)

    assert standing(instance) == ["b"]


def test_job__before_a_gateway_and_a_join():
    fork = element("exclusiveGateway", "x", attrs={"camunda:asyncBefore": "true", "default": "x-b"})
    join = element("parallelGateway", "j", attrs={"camunda:asyncBefore": "true"})
    content = (fork, user("b"), user("c"), parallel("f"), join, end("e"))
    instance = begin(
        start("s"),
        *content,
        flows("s -> x -> b -> f -> j -> e", "x -> c [${c}]", "c -> e", "f -> j2 -> j"),
        user("j2"),
        variables={"c": False},
    )
    instance.execute(wait(instance, "x").id)
    complete(instance, "b")
    assert [(w.kind, w.element) for w in instance.waits()] == [(WaitKind.JOB, "j"), (WaitKind.USER_TASK, "j2")]
    instance.execute(wait(instance, "j").id)
    complete(instance, "j2")
    instance = again(instance)
    instance.execute(wait(instance, "j").id)

    assert instance.ended


def test_job__carries_its_retries():
    cycle = "<camunda:failedJobRetryTimeCycle>R5/PT1M</camunda:failedJobRetryTimeCycle>"
    task = user("a", ext=cycle, attrs={"camunda:asyncBefore": "true"})
    assert wait(begin(start("s"), task, end("e"), flows("s -> a -> e")), "a").retry_cycle == "R5/PT1M"


def test_job__that_fails_can_be_tried_again():
    task = exclusive("x", default="e", attrs={"camunda:asyncBefore": "true", "default": "x-e"})
    instance = begin(start("s"), task, user("a"), end("e"), flows("s -> x -> e", "x -> a [${broken}]", "a -> e"))
    instance.execute(wait(instance, "x").id)
    assert "broken" in incidents(instance)["x"]

    instance.set_variables({"broken": False})
    instance.retry(wait(instance, "x").id)
    assert instance.ended


ASYNC = {"camunda:asyncBefore": "true"}


def test_job__before_an_activity_that_needs_several_tokens():
    """They have come together before the job: it waits for no others."""
    content = (parallel("f"), user("a"), user("b"), user("c", attrs={**ASYNC, "startQuantity": "2"}), end("e"))
    instance = begin(start("s"), *content, flows("s -> f -> a -> c -> e", "f -> b -> c"))
    complete(instance, "a", "b")

    instance = again(instance)
    instance.execute(wait(instance, "c").id)

    assert [(w.kind, w.element) for w in instance.waits()] == [(WaitKind.USER_TASK, "c")]


def test_job__before_an_inclusive_join():
    """Who waits for a job before the join can still come: it waits for it, as in Camunda 7."""
    content = (parallel("f"), user("a"), user("b"), inclusive("j", attrs=ASYNC), user("z"), end("e"))
    instance = begin(start("s"), *content, flows("s -> f -> a -> j -> z -> e", "f -> b -> j"))
    complete(instance, "a", "b")
    first, second = instance.waits()

    instance.execute(first.id)
    instance = again(instance)
    assert instance.waits() == (second,)
    instance.execute(second.id)

    assert standing(instance) == ["z"]
