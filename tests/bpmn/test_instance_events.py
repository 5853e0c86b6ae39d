"""Messages and boundary events, and who comes first."""

from __future__ import annotations

import pytest

from bpmn.errors import InstanceError
from bpmn.waits import WaitKind
from tests.bpmn.diagrams import (
    end,
    external,
    flows,
    message_boundary,
    message_catch,
    parallel,
    receive,
    start,
    subprocess,
    timer_boundary,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, fire, outcomes, standing, wait

GUARDED = (
    start("s"),
    user("a"),
    timer_boundary("late", on="a", duration="P1D"),
    message_boundary("recall", on="a", message="recall"),
    user("b"),
    user("c"),
    end("e"),
    flows("s -> a -> e", "late -> b -> e", "recall -> c -> e"),
)


def test_boundary__watches_with_its_activity():
    instance = begin(*GUARDED)

    task, late, recall = instance.waits()

    assert [late.kind, recall.kind] == [WaitKind.TIMER, WaitKind.MESSAGE]
    assert late.attached_to == recall.attached_to == task.id
    assert task.attached_to is None


@pytest.mark.parametrize("cold", [False, True])
def test_boundary__ends_with_its_activity(cold):
    instance = begin(*GUARDED)
    instance = again(instance) if cold else instance

    complete(instance, "a")

    assert instance.ended
    assert instance.waits() == ()


@pytest.mark.parametrize("cold", [False, True])
def test_boundary__interrupts_its_activity(cold):
    instance = begin(*GUARDED)
    late = wait(instance, "late").id
    instance = again(instance) if cold else instance

    fire(instance, "late", at=NOW + 24 * HOUR)

    assert standing(instance) == ["b"]
    assert ("a", "canceled") in outcomes(instance)
    fired = next(activity for activity in instance.history() if activity.element == "late")
    assert (fired.id, fired.started_at, fired.outcome) == (late, NOW + 24 * HOUR, "completed")


def test_boundary__the_timer_loses_the_race_against_completion():
    instance = begin(*GUARDED)
    late = wait(instance, "late").id
    complete(instance, "a")

    with pytest.raises(InstanceError, match="has ended"):
        instance.fire(late)


def test_boundary__completion_loses_the_race_against_the_timer():
    instance = begin(*GUARDED)
    task = wait(instance, "a").id
    fire(instance, "late")

    with pytest.raises(InstanceError, match="nothing waits"):
        instance.complete(task)

    assert standing(instance) == ["b"]


def test_boundary__no_history_of_what_never_fired():
    instance = begin(*GUARDED)

    complete(instance, "a")

    assert [element for element, _ in outcomes(instance)] == ["s", "a", "e"]


BESIDE = (
    start("s"),
    user("a"),
    message_boundary("more", on="a", message="more", interrupting=False),
    user("b"),
    end("e"),
    flows("s -> a -> e", "more -> b -> e"),
)


@pytest.mark.parametrize("cold", [False, True])
def test_boundary__beside_its_activity_every_time(cold):
    instance = begin(*BESIDE)

    for count in (1, 2, 3):
        assert instance.throw("more") == 1
        assert standing(instance, WaitKind.USER_TASK) == ["a", *["b"] * count]
        instance = again(instance) if cold else instance

    complete(instance, "a", "b", "b")
    assert not instance.ended
    assert standing(instance) == ["b"]
    complete(instance, "b")
    assert instance.ended


def test_boundary__each_time_is_an_activation_of_its_own():
    instance = begin(*BESIDE)

    instance.throw("more")
    instance.throw("more")

    fired = [activity.id for activity in instance.history() if activity.element == "more"]
    assert len(set(fired)) == 2
    assert wait(instance, "more").id not in fired


@pytest.mark.parametrize("activity", [user("a"), external("a", topic="t"), receive("a", message="m")])
def test_boundary__on_every_activity_that_waits(activity):
    instance = begin(
        start("s"), activity, timer_boundary("late", on="a", duration="PT1H"), end("e"), end("l"), flows("s -> a -> e", "late -> l")
    )
    assert standing(instance) == ["a", "late"]

    fire(instance, "late")

    assert instance.end == "l"


def test_boundary__on_a_subprocess_takes_everything_in_it():
    instance = begin(
        start("s"),
        subprocess(
            "sub",
            start("ss"),
            parallel("f"),
            user("a"),
            timer_boundary("reminder", on="a", cycle="R/PT1H", interrupting=False),
            user("b"),
            end("se"),
            flows("ss -> f -> a -> se", "f -> b -> se", "reminder -> se"),
        ),
        message_boundary("withdraw", on="sub", message="withdraw"),
        end("w"),
        end("e"),
        flows("s -> sub -> e", "withdraw -> w"),
    )

    assert instance.throw("withdraw") == 1

    assert instance.end == "w"
    assert instance.ended
    assert [pair for pair in outcomes(instance) if pair[1] == "canceled"] == [("sub", "canceled"), ("a", "canceled"), ("b", "canceled")]


def test_boundary__on_a_subprocess_ends_with_it():
    content = (
        start("s"),
        subprocess("sub", start("ss"), user("a"), end("se"), flows("ss -> a -> se")),
        timer_boundary("late", on="sub", duration="P1D"),
        end("l"),
        end("e"),
        flows("s -> sub -> e", "late -> l"),
    )
    instance = begin(*content)
    assert wait(instance, "late").attached_to == 2

    complete(instance, "a")

    assert instance.ended
    assert instance.end == "e"


def test_throw__reaches_every_wait_for_the_message():
    instance = begin(
        start("s"),
        parallel("f"),
        receive("r", message="paid"),
        message_catch("c", message="paid"),
        message_catch("other", message="other"),
        end("e"),
        flows("s -> f -> r -> e", "f -> c -> e", "f -> other -> e"),
    )

    assert instance.throw("paid", {"amount": 5}) == 2

    assert standing(instance) == ["other"]
    assert instance.variables == {"amount": 5}


def test_throw__nobody_waits():
    instance = begin(start("s"), user("a"), end("e"), flows("s -> a -> e"))

    assert instance.throw("paid", {"amount": 5}) == 0

    assert instance.variables == {}
    assert standing(instance) == ["a"]


def test_throw__what_waits_only_afterwards_takes_nothing():
    instance = begin(start("s"), message_catch("c1", message="m"), message_catch("c2", message="m"), end("e"), flows("s -> c1 -> c2 -> e"))

    assert instance.throw("m") == 1
    assert standing(instance) == ["c2"]


def test_throw__what_was_interrupted_takes_nothing():
    instance = begin(
        start("s"),
        subprocess("sub", start("ss"), receive("r", message="m"), end("se"), flows("ss -> r -> se")),
        message_boundary("b", on="sub", message="m"),
        end("w"),
        end("e"),
        flows("s -> sub -> e", "b -> w"),
    )

    assert instance.throw("m") == 1

    assert instance.end == "w"


def test_deliver__to_one_wait_of_two():
    instance = begin(
        start("s"),
        parallel("f"),
        receive("r1", message="m"),
        receive("r2", message="m"),
        end("e"),
        flows("s -> f -> r1 -> e", "f -> r2 -> e"),
    )

    instance.deliver(wait(instance, "r2").id)

    assert standing(instance) == ["r1"]
