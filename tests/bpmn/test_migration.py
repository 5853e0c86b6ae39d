"""Migration: who waits goes on waiting in another version, and what that would break stays as it is."""

from __future__ import annotations

import functools
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpiffWorkflow.task import TaskState

from bpmn import compiler, migration
from bpmn import snapshot as snapshots
from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.migration import Plan
from bpmn.spiff import process
from bpmn.waits import Context
from tests.bpmn import graphs
from tests.bpmn.diagrams import (
    call,
    end,
    external,
    flows,
    message_boundary,
    message_catch,
    start,
    subprocess,
    timer_catch,
    user,
)
from tests.bpmn.instances import NOW, begin, complete, proceed, standing, wait
from tests.bpmn.migrating import BOX, PLAIN, migrate, told
from tests.bpmn.test_instance_shipped import SHIPPED, World, command


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
