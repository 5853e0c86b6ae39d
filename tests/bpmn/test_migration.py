"""Migration: who waits goes on waiting in another version, and what that would break stays as it is."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpiffWorkflow.task import TaskState

from bpmn import compiler, markings, migration
from bpmn import snapshot as snapshots
from bpmn.definition import Element, ElementType
from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.migration import Plan
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests.bpmn import graphs
from tests.bpmn.definitions import conditional, instances, signal
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    end,
    event_gateway,
    event_subprocess,
    exclusive,
    external,
    flow,
    flows,
    inclusive,
    message_boundary,
    message_catch,
    parallel,
    receive,
    start,
    subprocess,
    task,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.instances import HOUR, NOW, begin, complete, definition, fire, incidents, proceed, standing, wait
from tests.bpmn.test_instance_shipped import SHIPPED, World, command

LATER = NOW + 5 * HOUR


def migrate(instance, *content, now=LATER, **renamed):
    """Move an instance into another drawing, five hours later; `renamed` are ids, with `__` for a hyphen."""
    names = {old.replace("__", "-"): new for old, new in renamed.items()}
    plan = Plan(source=instance.definition, target=definition(*content), renamed=names)
    context = Context(**{**vars(instance.context), "now": now})
    return migration.migrate(plan, instance.snapshot(), instance.variables, context)


def verdicts(moved):
    return {step.element or step.to: str(step.verdict) for step in moved.steps}


def told(moved):
    """What speaks against it, without what helps; but something does."""
    pairs = [reason.rsplit(": ", 1) for reason in moved.reasons]
    assert all(helps.split()[0] in {"say", "let", "draw", "move"} for _, helps in pairs)
    return tuple(reason for reason, _ in pairs)


def row(instance, element):
    return next(row for row in snapshots.decode(instance.snapshot()).rows if row.element == element)


PLAIN = (start("s"), user("review", groups="market"), end("e"), flows("s -> review -> e"))


def test_migrate__task_inserted_behind():
    old = begin(*PLAIN)
    known = wait(old, "review")

    moved = migrate(old, start("s"), user("review", groups="market"), user("check"), end("e"), flows("s -> review -> check -> e"))

    assert moved.reasons == ()
    assert moved.instance.waits() == (known,)  # number, time of arrival and groups
    complete(moved.instance, "review")
    assert standing(moved.instance) == ["check"]
    complete(moved.instance, "check")
    assert moved.instance.ended


def test_migrate__task_inserted_before():
    """It has been passed: nobody goes back."""
    moved = migrate(begin(*PLAIN), start("s"), user("check"), user("review", groups="market"), end("e"), flows("s -> check -> review -> e"))

    assert standing(moved.instance) == ["review"]


def test_migrate__groups_and_assignee_stay():
    moved = migrate(begin(*PLAIN), start("s"), user("review", groups="fire", assignee="li"), end("e"), flows("s -> review -> e"))

    assert (wait(moved.instance, "review").groups, wait(moved.instance, "review").assignee) == (("market",), None)


def test_migrate__renamed():
    old = begin(*PLAIN)

    moved = migrate(old, start("s"), user("check", name="复核"), end("e"), flows("s -> check -> e"), review="check")

    assert (wait(moved.instance, "check").id, wait(moved.instance, "check").since) == (wait(old, "review").id, wait(old, "review").since)
    complete(moved.instance, "check")
    assert moved.instance.ended


def test_migrate__the_instance_itself_is_left_alone():
    old = begin(*PLAIN)
    before = old.snapshot()

    migrate(
        old,
        start("s"),
        user("review"),
        message_boundary("stop", on="review", message="stop"),
        end("e"),
        flows("s -> review -> e", "stop -> e"),
    )

    assert old.snapshot() == before
    assert standing(old) == ["review"]


BOX = (start("i"), user("review"), end("o"), flows("i -> review -> o"))
ANOTHER = {
    "missing": (PLAIN, (start("s"), user("check"), end("e"), flows("s -> check -> e")), "Expected review in the new version, but it is not there"),
    "another type": (PLAIN, (start("s"), external("review", topic="t"), end("e"), flows("s -> review -> e")), "Expected review to keep its type userTask, but it is serviceTask"),
    "into a scope": (PLAIN, (start("s"), subprocess("box", *BOX), end("e"), flows("s -> box -> e")), "Expected review to stay in the process, but it is in box"),
    "out of a scope": ((start("s"), subprocess("box", *BOX), end("e"), flows("s -> box -> e")), PLAIN, "Expected box in the new version, but it is not there"),
    "another event": (
        (start("s"), message_catch("review", message="m"), end("e"), flows("s -> review -> e")),
        (start("s"), timer_catch("review", duration="PT1H"), end("e"), flows("s -> review -> e")),
        "Expected review to keep its event message, but it is timer",
    ),
    "another process is called": (
        (start("s"), call("review", of="food_permit"), end("e"), flows("s -> review -> e")),
        (start("s"), call("review", of="fire_check"), end("e"), flows("s -> review -> e")),
        "Expected review to keep its process food_permit, but it is fire_check",
    ),
    "another meaning": (
        (start("s"), user("review", properties={"onething.kind": "decision"}), end("e"), flows("s -> review -> e")),
        PLAIN,
        "Expected review to keep its onething.kind decision, but it is none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", ANOTHER)
def test_migrate__refused(circumstance):
    before, after, reason = ANOTHER[circumstance]
    old = begin(*before)

    moved = migrate(old, *after)

    assert moved.instance is None
    assert reason in told(moved)


def test_migrate__ended():
    old = begin(start("s"), end("e"), flows("s -> e"))

    assert migrate(old, *PLAIN).reasons == ("Expected an instance that runs, but it has ended",)


@pytest.mark.parametrize(
    ("renamed", "refusal"),
    [
        ({"nothing": "review"}, "but one of them is none"),
        ({"review": "nothing"}, "but one of them is none"),
        ({"nothing": "nowhere"}, "Expected to find nothing in the old version"),
        ({"review": "e"}, "Expected one element to become e, but there are 2"),
        ({"review": "s__review"}, "but one of them is none"),
    ],
)
def test_plan__refused(renamed, refusal):
    with pytest.raises(InstanceError, match=refusal):
        migrate(begin(*PLAIN), *PLAIN, **{old: new.replace("__", "-") for old, new in renamed.items()})


# Timers ---------------------------------------------------------------------------------------------------------------------------------


def timed(when, how="duration"):
    return (
        start("s"),
        user("review"),
        timer_boundary("late", on="review", **{how: when}),
        end("e"),
        flows("s -> review -> e", "late -> e"),
    )


def test_migrate__timer_as_it_was():
    """Its date was computed once, and variables that have changed since have no say."""
    old = begin(*timed("${wait}"), variables={"wait": "PT9H"})
    old.variables["wait"] = "PT1H"

    moved = migrate(old, *timed("${wait}"))

    assert wait(moved.instance, "late") == wait(old, "late")
    assert verdicts(moved) == {"review": "kept", "late": "kept"}


def test_migrate__timer_reads_otherwise():
    """It is computed anew from the moment when it was set."""
    old = begin(*timed("PT9H"))

    moved = migrate(old, *timed("PT12H"))

    late = wait(moved.instance, "late")
    assert (late.id, late.since, late.due_at) == (wait(old, "late").id, NOW, NOW + 12 * HOUR)
    assert verdicts(moved)["late"] == "reset"
    fire(moved.instance, "late", at=late.due_at)
    assert moved.instance.ended


def test_migrate__duration_becomes_a_cycle():
    old = begin(*timed("PT9H"))

    moved = migrate(old, *timed("R3/PT6H", "cycle"))

    assert wait(moved.instance, "late").due_at == NOW + 6 * HOUR


def test_migrate__timer_in_the_flow():
    old = begin(start("s"), timer_catch("rest", duration="PT9H"), end("e"), flows("s -> rest -> e"))

    moved = migrate(old, start("s"), timer_catch("rest", duration="PT2H"), end("e"), flows("s -> rest -> e"))

    assert wait(moved.instance, "rest").due_at == NOW + 2 * HOUR


def test_migrate__bound_timer():
    """It moves with the world before and after."""
    known = {"functions": {"deadline": lambda: NOW + 7 * HOUR}, "live": frozenset({"deadline"})}
    old = begin(*timed("${deadline()}", "date"), **known)

    kept, reset = migrate(old, *timed("${deadline()}", "date")), migrate(old, *timed("PT1H"))

    assert wait(kept.instance, "late").due_at == NOW + 7 * HOUR
    assert wait(reset.instance, "late").due_at == NOW + HOUR


def test_migrate__timer_that_cannot_be_computed():
    moved = migrate(begin(*timed("PT9H")), *timed("${unknown}"))

    assert moved.instance is None
    (reason,) = moved.reasons
    assert reason.startswith("Expected to set late anew, but ")


def alarmed(name):
    return (start("s"), catch("rest", signal(name)), end("e"), flows("s -> rest -> e"))


def test_migrate__signal_of_another_name():
    """It is found out anew, as the name of a message is."""
    moved = migrate(begin(*alarmed("fire")), *alarmed("flood"))

    assert verdicts(moved) == {"rest": "reset"}
    assert wait(moved.instance, "rest").name == "flood"
    assert moved.instance.broadcast("fire") == 0
    assert moved.instance.broadcast("flood") == 1


def test_migrate__message_whose_name_reads_otherwise():
    def reported(name):
        return (start("s"), message_catch("rest", message=name), end("e"), flows("s -> rest -> e"))

    moved = migrate(begin(*reported("fire-${n}"), variables={"n": 7}), *reported("flood-${n}"))
    back = migrate(moved.instance, *reported("drought"))

    assert verdicts(moved) == verdicts(back) == {"rest": "reset"}
    assert wait(moved.instance, "rest").name == "flood-7"
    assert wait(back.instance, "rest").name == "drought"
    assert back.instance.throw("flood-7") == 0


def guarded(condition):
    return (start("s"), catch("rest", conditional(condition)), end("e"), flows("s -> rest -> e"))


def test_migrate__condition_that_reads_otherwise():
    """One that holds already would carry the case on: that is no move."""
    old = begin(*guarded("${n == 3}"), variables={"n": 1})

    assert verdicts(migrate(old, *guarded("${n == 2}"))) == {"rest": "reset"}
    assert told(migrate(old, *guarded("${n == 1}"))) == ("Expected rest to wait where it is, but it would go on at once",)
    moved = migrate(old, *guarded("${n == 2}"))
    moved.instance.set_variables({"n": 2})
    assert moved.instance.ended


# Boundary events ------------------------------------------------------------------------------------------------------------------------


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


# Joins ----------------------------------------------------------------------------------------------------------------------------------

FORK = (start("s"), parallel("f"), user("a"), user("b"), parallel("j"), user("z"), end("e"))
BOTH = (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b -> j"))


def branches(*more, third="f -> c -> j"):
    return (*FORK, user("c"), *more, flows("s -> f -> a -> j -> z -> e", "f -> b -> j", third))


def test_migrate__waiting_at_a_join():
    old = begin(*BOTH)
    complete(old, "a")

    moved = migrate(old, *BOTH, user("y"))

    complete(moved.instance, "b")
    assert standing(moved.instance) == ["z"]


DROPPED = (
    *FORK,
    user("b2"),
    flows("s -> f -> a -> j -> z -> e", "f -> b"),
    flow("b", "b2", key="b-j"),
    flow("b2", "j", key="b2-j"),
)


@pytest.mark.parametrize(("done", "left"), [(["a"], ["b", "b2"]), (["b"], ["a"])])
def test_migrate__task_dropped_on_a_flow_into_the_join(done, left):
    """Modeler leaves the old id to the first arrow, and the join has a new one: it leads the same way."""
    old = begin(*BOTH)
    complete(old, *done)

    moved = migrate(old, *DROPPED)

    assert moved.reasons == ()
    assert moved.notes[0] == "Flow b-j into j is b2-j now: it leads the same way"
    assert moved.notes[1:] == (() if done == ["a"] else ("b2 is new, and this case does not come to it any more",))
    complete(moved.instance, *left)
    assert standing(moved.instance) == ["z"]


def test_migrate__whoever_moves_says_which_flow_it_is():
    old = begin(*BOTH)
    complete(old, "a")

    assert migrate(old, *DROPPED, b__j="b2-j").notes == ()


@pytest.mark.parametrize("done", ["a", "b"])
def test_migrate__flow_drawn_again(done):
    old = begin(*BOTH)
    complete(old, done)
    after = (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b"), flow("b", "j", key="Flow_9"))

    moved = migrate(old, *after)

    assert moved.notes == ("Flow b-j into j is Flow_9 now: it leads the same way",)
    complete(moved.instance, *{"a", "b"} - {done})
    assert standing(moved.instance) == ["z"]


def test_migrate__renamed_and_drawn_again():
    old = begin(*BOTH)
    complete(old, "a")
    after = (
        start("s"), parallel("f"), user("a"), user("b2"), parallel("j2"), user("z"), end("e"),
        flows("s -> f -> a -> j2 -> z -> e", "f -> b2 -> j2"),
    )  # fmt: skip

    moved = migrate(old, *after, b="b2", j="j2")

    assert set(moved.notes) == {f"Flow {one}-j into j is {other}-j2 now: it leads the same way" for one, other in (("a", "a"), ("b", "b2"))}
    complete(moved.instance, "b2")
    assert standing(moved.instance) == ["z"]


def test_migrate__nobody_waits_at_the_join():
    """There is nothing to say."""
    assert migrate(begin(*BOTH), *DROPPED).notes == ()


ANOTHER_WAY = {
    "two lead there now": (
        (*FORK, flows("s -> f -> a -> j -> z -> e", "f -> b"), flow("b", "j", key="one"), flow("b", "j", key="two")), None,
    ),
    "over a choice, which keeps every case of the new version waiting": (
        (*FORK, exclusive("x", default="j"), end("o"), flows("s -> f -> a -> j -> z -> e", "f -> b"),
         flow("b", "x", key="b-j"), flow("x", "j", key="x-j"), flow("x", "o", key="x-o", when="${x}")), None,
    ),
    "a branch behind b": (
        (*FORK, user("c"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j", "b -> c -> j")), None,
    ),
    "over what another branch meets, too": (
        (*FORK, exclusive("m"), flows("s -> f -> a -> m", "j -> z -> e", "f -> b"), flow("b", "m", key="b-m"), flow("m", "j", key="m-j")),
        "Expected j to go on waiting, but all it waits for have come",
    ),
    "from elsewhere": (
        (*FORK, user("c"), end("o"), flows("s -> f -> a -> j -> z -> e", "f -> b -> o", "f -> c -> j")),
        "Expected a token on every flow into j, but it could wait for ever for one by c-j",
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", ANOTHER_WAY)
def test_migrate__another_way_into_the_join(circumstance):
    """What counts is whether somebody still comes by each flow, not which flows there are."""
    after, reason = ANOTHER_WAY[circumstance]
    old = begin(*BOTH)
    complete(old, "a")

    moved = migrate(old, *after)

    assert told(moved) == (() if reason is None else (reason,))
    assert moved.notes == ()


def test_migrate__the_flow_by_which_it_came_is_renamed():
    old = begin(*BOTH)
    complete(old, "a")
    after = (*FORK, flows("s -> f -> a", "j -> z -> e", "f -> b -> j"), flow("a", "j", key="Flow_2"))

    moved = migrate(old, *after, a__j="Flow_2")

    complete(moved.instance, "b")
    assert standing(moved.instance) == ["z"]


BREAKING = {
    "a third branch, and one waits": (BOTH, ["a"], branches(), "Expected a token on every flow into j, but it could wait for ever for one by c-j"),
    "a third branch, and nobody waits": (BOTH, [], branches(), "Expected a token on every flow into j, but it could wait for ever for one by c-j"),
    "a branch less": (branches(), ["c"], BOTH, "Expected flow c-j, by which a token has come to j, to lead there in the new version, but it does not"),
    "one after the other": (
        BOTH, [], (start("s"), user("a"), user("b"), user("z"), end("e"), flows("s -> a -> b -> z -> e")),
        "Expected a and b beside one another, but that never happens in the new version",
    ),
    "one or the other": (
        BOTH, [], (start("s"), exclusive("f", default="b"), user("a"), user("b"), exclusive("j"), user("z"), end("e"), flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j")),
        "Expected a and b beside one another, but that never happens in the new version",
    ),
    "no longer a join": (
        BOTH, ["a"], (start("s"), parallel("f"), user("a"), user("b"), exclusive("j"), user("z"), end("e"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j")),
        "Expected j to keep its type parallelGateway, but it is exclusiveGateway",
    ),
    "a fork that is new, around what runs": (
        PLAIN, [], (start("s"), parallel("f"), user("review"), user("b"), parallel("j"), end("e"), flows("s -> f -> review -> j -> e", "f -> b -> j")),
        "Expected a token on every flow into j, but it could wait for ever for one by b-j",
    ),
    "in a round that has begun": (
        (start("s"), exclusive("m"), user("a"), exclusive("x", default="e"), end("e"), flows("s -> m -> a -> x -> e", "x -> m [${again}]")), [],
        (start("s"), exclusive("m"), parallel("f"), user("a"), user("b"), parallel("j"), exclusive("x", default="e"), end("e"),
         flows("s -> m -> f -> a -> j -> x -> e", "f -> b -> j", "x -> m [${again}]")),
        "Expected a token on every flow into j, but it could wait for ever for one by b-j",
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", BREAKING)
def test_migrate__a_join_would_break(circumstance):
    before, done, after, reason = BREAKING[circumstance]
    old = begin(*before)
    complete(old, *done)

    moved = migrate(old, *after)

    assert moved.instance is None
    assert told(moved) == (reason,)


def test_migrate__a_branch_that_meets_nobody():
    """It has no join to keep waiting; this case goes on without it."""
    moved = migrate(begin(*BOTH), *branches(end("e2"), third="f -> c -> e2"))

    complete(moved.instance, "a", "b", "z")
    assert moved.instance.ended


def test_migrate__branches_within_a_subprocess():
    def box(*more, arrows=()):
        inner = (
            start("i"),
            parallel("f"),
            user("a"),
            user("b"),
            parallel("j"),
            end("o"),
            *more,
            flows("i -> f -> a -> j -> o", "f -> b -> j", *arrows),
        )
        return (start("s"), subprocess("box", *inner), end("e"), flows("s -> box -> e"))

    old = begin(*box())

    assert migrate(old, *box()).reasons == ()
    assert told(migrate(old, *box(user("c"), arrows=["f -> c -> j"]))) == (
        "Expected a token on every flow into j, but it could wait for ever for one by c-j",
    )


def test_migrate__inclusive_join():
    def some(*more, third=()):
        return (
            start("s"), inclusive("f", default="b"), user("a"), user("b"), inclusive("j"), user("z"), end("e"), *more,
            flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j", *third),
        )  # fmt: skip

    old = begin(*some(), variables={"x": True})

    moved = migrate(old, *some(user("c"), third=["f -> c [${y}]", "c -> j"]))
    assert moved.reasons == ()  # nobody waits for what was not chosen
    complete(moved.instance, "a")
    assert standing(moved.instance) == ["z"]


def test_migrate__behind_an_inclusive_join_that_would_have_waited():
    """Who is behind the join has left nobody before it: the branches were no branches of it when this case went by."""
    content = (start("s"), user("a"), user("b"), user("z"), end("e"))
    old = begin(*content, parallel("f"), flows("s -> f -> a -> z -> e", "f -> b -> e"))
    after = (
        *content,
        inclusive("f", default="b"),
        inclusive("j"),
        flows("s -> f", "f -> a [${x}]", "f -> b", "a -> j -> z -> e", "b -> j"),
    )
    before = (*content, parallel("f"), inclusive("j"), flows("s -> f -> a -> j -> z -> e", "f -> b -> j"))

    complete(old, "a")

    for drawn in (after, before):
        moved = migrate(old, *drawn)
        assert moved.instance is None
        assert told(moved) == ("Expected b and z beside one another, but that never happens in the new version",)


def test_migrate__which_branches_were_chosen_is_not_known():
    """Each may be taken with each other, but the default flow only alone."""

    def chosen(*names, default):
        conditions = [f"f -> {name} [${{{name}x}}]" for name in names if name != default]
        return (
            start("s"), inclusive("f", default=default), *map(user, names), inclusive("j"), end("e"),
            flows("s -> f", *conditions, f"f -> {default}", *(f"{name} -> j" for name in names), "j -> e"),
        )  # fmt: skip

    old = begin(*chosen("a", "b", "c", default="c"), variables={"ax": True, "bx": True})

    assert migrate(old, *chosen("a", "b", "c", default="c")).reasons == ()
    assert told(migrate(old, *chosen("a", "b", "c", default="b"))) == (
        "Expected a and b beside one another, but that never happens in the new version",
    )


def test_migrate__behind_an_inclusive_join_with_too_many_ways():
    """What leads there is another drawing, and nobody can say what it means: the case stays.  Where it is the same, nobody has to."""

    def drawn(*more):
        return (
            start("s"), exclusive("m"), parallel("g"), inclusive("f", default="b"), user("a"), user("b"), inclusive("j"), user("z"), user("y"),
            parallel("k"), exclusive("x", default="e"), end("e"), user("n"),
            flows("s -> m -> g -> f", "f -> a [${x}]", "f -> b", "b -> j", "g -> y -> k -> x -> e", "x -> m [${again}]", *more),
        )  # fmt: skip

    old, fresh = begin(*drawn("a -> j -> z -> k"), variables={"x": True}), drawn("a -> n -> j -> z -> k")
    complete(old, "a")
    assert standing(old) == ["y", "z"]

    assert migrate(old, *fresh).reasons == ()  # y comes to j again in the next round only, and that waits for z
    with mock.patch.object(markings, "MOST", 3):
        moved, same = migrate(old, *fresh), migrate(old, *drawn("a -> j -> z -> k"))

    assert same.reasons == ()
    assert moved.instance is None
    assert told(moved) == ("Expected to tell whether there may be y and z beside one another, but there are too many ways to them",)


def test_migrate__what_would_go_on_at_once():
    """The one that it waited for can no longer come: but moving is no step of a case."""

    def drawn(*arrows):
        return (
            start("s"), exclusive("pre", default="f"), parallel("f"), user("a"), user("b"), exclusive("x", default="o"), task("y"),
            inclusive("j"), user("z"), end("e"), end("o"), flows("s -> pre -> f -> a -> j -> z -> e", "pre -> y [${go}]", "f -> b -> x -> o", "y -> j", *arrows),
        )  # fmt: skip

    old = begin(*drawn("x -> y [${go}]"), variables={"go": False})
    complete(old, "a")
    assert standing(old) == ["b"]

    moved = migrate(old, *drawn())

    assert moved.instance is None
    assert told(moved) == ("Expected j to wait where it is, but it would go on at once",)


def test_migrate__what_would_begin_at_once():
    """A condition that is new, and holds already."""
    sure = boundary("sure", conditional("${n == 1}"), on="review", interrupting=False)
    after = (start("s"), user("review"), sure, user("more"), end("e"), flows("s -> review -> e", "sure -> more -> e"))

    moved = migrate(begin(*PLAIN, variables={"n": 1}), *after)

    assert told(moved) == ("Expected nothing to begin at once, but more would",)


def test_migrate__new_work_that_the_case_has_passed():
    """It is told, since nobody will do it: before the token, and on a branch that was not taken."""
    after = (start("s"), user("check", name="复核"), parallel("f"), call("fee", of="fee"), user("review"), user("look"), end("e"),
             flows("s -> check -> f -> review -> look -> e", "f -> fee -> e"))  # fmt: skip

    moved = migrate(begin(*PLAIN), *after)

    assert moved.reasons == ()
    assert moved.notes == (
        "“复核” (check) is new, and this case does not come to it any more",
        "fee is new, and this case does not come to it any more",
    )


# Incidents ------------------------------------------------------------------------------------------------------------------------------


def test_migrate__incident_mended_by_the_new_version():
    def decided(condition):
        return (
            start("s"),
            task("t"),
            exclusive("x"),
            end("e"),
            end("o"),
            flows("s -> t -> x", f"x -> e [{condition}]", "x -> o [${not true}]"),
        )

    old = begin(*decided("${missing}"))
    assert list(incidents(old)) == ["x"]

    moved = migrate(old, *decided("${true}"))

    assert incidents(moved.instance) == incidents(old)
    moved.instance.retry(wait(old, "x").id)
    assert moved.instance.end == "e"


def test_migrate__incident_watches_for_nothing_yet():
    """Who has not come in has no boundary events; they come with the retry."""
    old = begin(start("s"), user("review", groups="${who}"), end("e"), flows("s -> review -> e"))
    after = (
        start("s"),
        user("review", groups="market"),
        timer_boundary("late", on="review", duration="PT1H"),
        end("e"),
        flows("s -> review -> e", "late -> e"),
    )

    moved = migrate(old, *after)

    assert verdicts(moved) == {"review": "kept"}
    moved.instance.retry(wait(old, "review").id)
    assert standing(moved.instance) == ["review", "late"]


def test_migrate__timer_that_failed_and_reads_otherwise():
    old = begin(start("s"), timer_catch("rest", duration="${unknown}"), end("e"), flows("s -> rest -> e"))
    assert list(incidents(old)) == ["rest"]

    moved = migrate(old, start("s"), timer_catch("rest", duration="PT2H"), end("e"), flows("s -> rest -> e"))

    assert wait(moved.instance, "rest").due_at == NOW + 2 * HOUR


def test_migrate__stuck_at_a_join_stays_so():
    """What the old version broke is not the move's doing."""
    stuck = (
        start("s"),
        exclusive("x", default="a"),
        user("a"),
        user("b"),
        parallel("j"),
        end("e"),
        flows("s -> x -> a -> j -> e", "x -> b [${go}]", "b -> j"),
    )
    old = begin(*stuck, variables={"go": False})
    complete(old, "a")
    assert list(incidents(old)) == ["j"]

    moved = migrate(old, *stuck, user("unused"))

    assert incidents(moved.instance) == incidents(old)


# Scopes, loops and event-based gateways -------------------------------------------------------------------------------------------------


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


# What is remembered of other elements ----------------------------------------------------------------------------------------------------


def compensable(*entries, handler="undo"):
    """A process in which something was done that a handler can undo."""
    content = (start("s"), user("book"), user("review"), end("e"), flows("s -> book -> review -> e"))
    drawn = definition(*content)
    undo = Element(id=handler, name="", type=ElementType.USER_TASK, for_compensation=True)
    drawn = replace(drawn, elements={**drawn.elements, undo.id: undo})
    instance = Instance.start(drawn, {}, Context(now=NOW))
    complete(instance, "book")
    return drawn, replace(snapshots.decode(instance.snapshot()), facts={"compensable": list(entries)})


def remembered(handler):
    return {"activity": "book", "local": {}, "handler": handler}


def test_migrate__handlers_of_compensation():
    before, state = compensable(remembered("undo"), {"activity": "box", "local": {}, "inner": [remembered("undo")]})
    after, _ = compensable(handler="cancel")

    moved = migration.migrate(
        Plan(source=before, target=after, renamed={"undo": "cancel"}), snapshots.encode(state), {}, Context(now=LATER)
    )

    found = snapshots.decode(moved.instance.snapshot())
    assert found.facts["compensable"] == [remembered("cancel"), {"activity": "box", "local": {}, "inner": [remembered("cancel")]}]


@pytest.mark.parametrize("entry", [remembered("undo"), {"activity": "box", "local": {}, "inner": [remembered("undo")]}])
def test_migrate__handler_that_is_gone(entry):
    before, state = compensable(entry)
    after, _ = compensable(handler="cancel")

    moved = migration.migrate(Plan(source=before, target=after), snapshots.encode(state), {}, Context(now=LATER))

    assert told(moved) == ("Expected to compensate book as before, but: Expected undo in the new version, but it is not there",)


# Everything -----------------------------------------------------------------------------------------------------------------------------


@functools.cache
def plans_to_itself(path):
    versions = (compiler.compile(path.read_bytes(), path.name) for _ in range(2))
    return [Plan(source=before, target=after) for before, after in zip(*versions, strict=True)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_migrate__shipped_to_itself_wherever_it_rests(path, data):
    """Nothing is refused, nothing changes: whatever a case may come to is sound in its own drawing."""
    for plan in plans_to_itself(path):
        before = plan.source
        world = World(before, data.draw(st.integers(0, 2**16), label="chance"))
        starts = before.starts()
        at = None if any(each.event is None or each.event.type == "none" for each in starts) else starts[0].id
        instance = Instance.start(before, world.variables(), world.context(), at=at)
        for world.step in range(15):
            if instance.ended:
                break
            moved = migration.migrate(plan, instance.snapshot(), instance.variables, world.context())
            assert moved.reasons == ()
            assert moved.instance.snapshot() == instance.snapshot()
            command(instance, data.draw(st.sampled_from(instance.waits())), world)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_migrate__any_graph_to_itself(data):
    drawn = data.draw(graphs.definitions())
    draw, plan = functools.partial(_draw, data, graphs.conditions(drawn)), Plan(source=drawn, target=drawn)
    with mock.patch.object(process, "STEP_LIMIT", 100):
        instance = Instance.start(drawn, draw(), Context(now=NOW))
        for _ in range(6):
            if instance.ended:
                break
            moved = migration.migrate(plan, instance.snapshot(), instance.variables, instance.context)
            assert moved.reasons == ()
            assert moved.instance.snapshot() == instance.snapshot()
            proceed(instance, data.draw(st.sampled_from(instance.waits())), draw())


def _draw(data, names):
    return {name: data.draw(st.booleans(), label=name) for name in names}


def test_ready__is_what_the_executor_calls_so():
    assert snapshots.READY == TaskState.READY
