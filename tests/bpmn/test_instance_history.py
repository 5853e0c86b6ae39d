"""History: an activation begins when its element is entered, and ends before the job behind it."""

from __future__ import annotations

from bpmn.definition import Definition
from bpmn.instance import Instance
from bpmn.waits import Context
from tests.bpmn.diagrams import end, flows, parallel, start, task, timer_boundary, user
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, definition, outcomes, wait


def asynchronous(*content, **flags) -> Definition:
    """A diagram whose task `a` waits for jobs, which the compiler may not let through yet."""
    compiled = definition(*content)
    object.__setattr__(compiled.elements["a"], "async_before", flags.get("before", False))
    object.__setattr__(compiled.elements["a"], "async_after", flags.get("after", False))
    return compiled


LATE = (start("s"), user("a"), timer_boundary("late", on="a", duration="PT1H"), end("e"), flows("s -> a -> e", "late -> e"))


def test_history__an_activity_begins_with_its_job_and_so_does_its_timer():
    instance = Instance.start(asynchronous(*LATE, before=True), {}, Context(now=NOW))
    assert outcomes(instance) == [("s", "completed")]

    instance = again(instance, now=NOW + 5 * HOUR)
    instance.execute(wait(instance, "a").id)

    (begun,) = instance.history()
    assert (begun.element, begun.started_at) == ("a", NOW + 5 * HOUR)
    assert wait(instance, "late").due_at == NOW + 6 * HOUR


def test_history__an_activity_ends_before_the_job_behind_it():
    instance = Instance.start(asynchronous(*LATE, after=True), {}, Context(now=NOW))

    complete(instance, "a")
    ended = next(activity for activity in instance.history() if activity.element == "a")
    instance = again(instance, now=NOW + 5 * HOUR)
    instance.execute(wait(instance, "a").id)

    assert (ended.outcome, ended.ended_at) == ("completed", NOW)
    assert [activity.element for activity in instance.history()] == ["e"]


def test_history__one_branch_after_the_other():
    instance = begin(
        start("s"),
        parallel("f"),
        task("t1"),
        task("t2"),
        user("a"),
        user("b"),
        end("e"),
        flows("s -> f -> t1 -> a -> e", "f -> t2 -> b -> e"),
    )

    assert [activity.element for activity in instance.history()] == ["s", "f", "t1", "a", "t2", "b"]
