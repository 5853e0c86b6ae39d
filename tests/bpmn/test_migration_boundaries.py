"""Migration of what watches beside: boundary events, event subprocesses, events behind a gateway."""

from __future__ import annotations

import re

import pytest

from bpmn.waits import WaitKind
from tests.bpmn.definitions import instances
from tests.bpmn.diagrams import (
    end,
    event_gateway,
    event_subprocess,
    flows,
    message_boundary,
    message_catch,
    parallel,
    receive,
    start,
    subprocess,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.instances import HOUR, NOW, begin, complete, fire, standing, wait
from tests.bpmn.migrating import BOX, LATER, PLAIN, migrate, timed, told, verdicts


def test_migrate__new_boundary_events_watch():
    old = begin(*PLAIN)

    moved = migrate(
        old,
        start("s"), user("review"), timer_boundary("late", on="review", duration="PT3H"), message_boundary("stop", on="review", message="stop"),
        end("e"), end("stopped"), flows("s -> review -> e", "late -> e", "stop -> stopped"),
    )  # fmt: skip

    late = wait(moved.instance, "late")
    assert verdicts(moved) == {"review": "kept", "late": "started", "stop": "started"}
    assert (late.since, late.due_at, late.attached_to) == (LATER, LATER + 3 * HOUR, wait(old, "review").id)
    assert len({each.id for each in moved.instance.waits()}) == 3
    moved.instance.deliver(wait(moved.instance, "stop").id)
    assert (moved.instance.ended, moved.instance.end) == (True, "stopped")


def test_migrate__new_boundary_event_around_what_runs_inside():
    old = begin(start("s"), subprocess("box", *BOX), end("e"), flows("s -> box -> e"))

    moved = migrate(
        old, start("s"), subprocess("box", *BOX), timer_boundary("late", on="box", duration="PT3H"), end("e"), flows("s -> box -> e", "late -> e")
    )  # fmt: skip

    assert standing(moved.instance) == ["review", "late"]
    fire(moved.instance, "late")
    assert moved.instance.ended


def test_migrate__boundary_event_that_is_gone():
    old = begin(*timed("PT9H"))

    moved = migrate(old, *PLAIN)

    assert verdicts(moved) == {"review": "kept", "late": "stopped"}
    assert standing(moved.instance) == ["review"]
    complete(moved.instance, "review")
    assert moved.instance.ended


def test_migrate__boundary_event_of_another_kind():
    """What waited for the time and what waits for a message are two events."""
    old = begin(*timed("PT9H"))
    after = (
        start("s"),
        user("review"),
        message_boundary("late", on="review", message="m"),
        end("e"),
        flows("s -> review -> e", "late -> e"),
    )

    moved = migrate(old, *after)

    assert [(str(step.verdict), step.element, step.to) for step in moved.steps][1:] == [
        ("stopped", "late", None),
        ("started", None, "late"),
    ]
    assert wait(moved.instance, "late").kind is WaitKind.MESSAGE
    assert wait(moved.instance, "late").id != wait(old, "late").id


def test_migrate__boundary_event_that_has_fired_for_good():
    """It is not new: nobody is reminded twice."""
    content = (
        start("s"), user("review"), timer_boundary("late", on="review", duration="PT1H", interrupting=False), end("e"), end("told"),
        flows("s -> review -> e", "late -> told"),
    )  # fmt: skip
    old = begin(*content)
    fire(old, "late")

    moved = migrate(old, *content)

    assert standing(moved.instance) == ["review"]


def test_migrate__boundary_event_on_another_task():
    def both(on):
        return (
            start("s"), parallel("f"), user("a"), user("b"), timer_boundary("late", on=on, duration="PT1H"), end("e"),
            flows("s -> f -> a -> e", "f -> b -> e", "late -> e"),
        )  # fmt: skip

    old = begin(*both("a"))

    moved = migrate(old, *both("b"))

    assert wait(moved.instance, "late").attached_to == wait(old, "b").id
    assert wait(moved.instance, "late").since == LATER


def test_migrate__message_of_another_name():
    def waiting(message):
        return (start("s"), receive("paid", message=message), end("e"), flows("s -> paid -> e"))

    moved = migrate(begin(*waiting("fee_paid")), *waiting("fee_settled"))

    assert wait(moved.instance, "paid").name == "fee_settled"
    assert moved.instance.throw("fee_paid") == 0
    assert moved.instance.throw("fee_settled") == 1


def race(*events):
    """An event-based gateway with these events behind it."""
    names = [re.search(r'id="(\w+)"', event)[1] for event in events]
    return (
        start("s"),
        event_gateway("g"),
        *events,
        user("z"),
        end("e"),
        flows("s -> g", *(f"g -> {name} -> z" for name in names), "z -> e"),
    )


PAID, LATE = message_catch("paid", message="paid"), timer_catch("late", duration="PT9H")


def test_migrate__new_event_behind_an_event_based_gateway():
    old = begin(*race(PAID, LATE))

    moved = migrate(old, *race(PAID, LATE, message_catch("recalled", message="recalled")))

    assert verdicts(moved) == {"g": "kept", "paid": "kept", "late": "kept", "recalled": "started"}
    assert wait(moved.instance, "late").due_at == NOW + 9 * HOUR
    moved.instance.throw("recalled")
    assert standing(moved.instance) == ["z"]


def test_migrate__event_gone_from_behind_an_event_based_gateway():
    moved = migrate(begin(*race(PAID, LATE)), *race(PAID, message_catch("recalled", message="recalled")))

    assert verdicts(moved) == {"g": "kept", "paid": "kept", "late": "stopped", "recalled": "started"}
    assert standing(moved.instance) == ["paid", "recalled"]


ALARM = event_subprocess("alarm", start("rung", message="alarm", attrs={"isInterrupting": "false"}), user("help"), end("helped"), flows("rung -> help -> helped"))  # fmt: skip


def test_migrate__new_event_subprocess_watches():
    moved = migrate(begin(*PLAIN), *PLAIN, ALARM)

    assert verdicts(moved) == {"review": "kept", "rung": "started"}
    assert moved.instance.throw("alarm") == 1
    assert standing(moved.instance, WaitKind.USER_TASK) == ["review", "help"]


def test_migrate__event_subprocess_that_is_gone_or_at_work():
    old = begin(*PLAIN, ALARM)

    assert standing(migrate(old, *PLAIN).instance) == ["review"]
    old.throw("alarm")
    assert told(migrate(old, *PLAIN)) == tuple(f"Expected {key} in the new version, but it is not there" for key in ("alarm", "help"))
    moved = migrate(old, *PLAIN, ALARM)
    complete(moved.instance, "help", "review")
    assert moved.instance.ended


EACH = {"collection": "${people}", "elementVariable": "person"}


def rounds(*loop):
    return (start("s"), user("review", *loop), end("e"), flows("s -> review -> e"))


def test_migrate__several_instances_at_once():
    """Each round keeps its entry; the task behind them begins when all are done."""
    old = begin(*rounds(instances(**EACH)), variables={"people": ["li", "wang", "zhao"]})
    complete(old, "review")
    late = timer_boundary("late", on="review", duration="PT3H", interrupting=False)

    moved = migrate(
        old, start("s"), user("review", instances(**EACH)), late, user("check"), end("e"), flows("s -> review -> check -> e", "late -> e")
    )  # fmt: skip

    assert standing(moved.instance) == ["review", "review", "late"]
    assert [moved.instance.variables_at(each.id)["person"] for each in moved.instance.waits(WaitKind.USER_TASK)] == ["wang", "zhao"]
    complete(moved.instance, "review", "review")
    assert standing(moved.instance) == ["check"]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ((), (instances(**EACH),), "Expected review to stay in the process, but it is in review#multiInstanceBody"),
        ((instances(**EACH),), (), "Expected review to run several times in the new version, too, but it does not"),
        (
            (instances(**EACH),),
            (instances(**EACH, sequential=True),),
            "Expected review to keep its loop parallel, but it is sequential",
        ),
    ],
)
def test_migrate__runs_another_number_of_times(before, after, reason):
    moved = migrate(begin(*rounds(*before), variables={"people": ["li", "wang"]}), *rounds(*after))

    assert moved.instance is None
    assert reason in told(moved)
