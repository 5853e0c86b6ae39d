"""Drawings with more markings than anybody can look at: still a case is moved exactly where that breaks nothing."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import compiler, markings, migration
from bpmn.instance import Instance
from bpmn.instructions import Instruction, Verb
from bpmn.migration import Plan
from bpmn.soundness import Net
from bpmn.waits import Context, WaitKind
from tests.bpmn import exhaustive
from tests.bpmn.diagrams import end, exclusive, flows, inclusive, parallel, start, user
from tests.bpmn.instances import NOW, begin, complete, definition, standing
from tests.bpmn.test_instance_shipped import World, command

WORKFLOWS = Path(__file__).parents[2] / "workflows"
#: Departments that work beside one another, three tasks each: over a million markings.
DEPARTMENTS = "abcdefghij"


def joint(*more, arrows=("j -> e",), way="f -> {0}0 -> {0}1 -> {0}2 -> j", gateways=()):
    """All departments between a fork and a join, and more; `way` are the arrows of each, `gateways` its gateways."""
    names = [f"{letter}{number}" for letter in DEPARTMENTS for number in range(3)]
    ways = [path.format(letter) for letter in DEPARTMENTS for path in way.split("; ")]
    own = [gateway.replace("?", letter) for letter in DEPARTMENTS for gateway in gateways]
    content = (start("s"), parallel("f"), *map(user, names), *own, parallel("j"), end("e"), *more)
    return (*content, flows("s -> f", *ways, *arrows))


def migrate(instance, *content):
    plan = Plan(source=instance.definition, target=definition(*content))
    return migration.migrate(plan, instance.snapshot(), instance.variables, Context(now=NOW))


def told(moved):
    """What speaks against it, without what helps."""
    return [reason.split(":")[0] for reason in moved.reasons]


def to_the_end(instance):
    """Do whatever is there to be done; say in which order."""
    done = []
    while not instance.ended:
        here = instance.waits()[0]
        assert here.kind is WaitKind.USER_TASK, here
        instance.complete(here.id, {})
        done.append(here.element)
    return done


def test_large__nobody_can_look_at_every_order():
    drawn = definition(*joint())

    assert not exhaustive.Exhaustive(drawn, Net(drawn, None).steps, [("s",)]).complete


def test_migrate__a_sound_one():
    """A task is new behind the join, another within a department."""
    old = begin(*joint())
    complete(old, "a0", "a1", "a2", "b0", "c0", "c1")

    moved = migrate(old, *joint(user("z"), arrows=("j -> z -> e",), way="f -> {0}0 -> {0}1 -> {0}n -> {0}2 -> j", gateways=(user("?n"),)))

    assert moved.reasons == ()
    assert to_the_end(moved.instance)[-1] == "z"


def test_migrate__a_branch_that_the_case_has_passed():
    old = begin(*joint())
    complete(old, "a0", "a1", "a2", "b0", "c0", "c1")

    moved = migrate(old, *joint(user("n"), arrows=("f -> n -> j -> e",)))

    assert moved.instance is None
    assert told(moved) == ["Expected a token on every flow into j, but it could wait for ever for one by n-j"]


def test_migrate__an_unsound_one():
    """The new branch can be entered from another one, too; whichever way that goes, j lacks somebody.

    By which flows somebody can still come does not tell that: on each there may be one, but not on all.
    """
    old = begin(*joint(user("k"), arrows=("f -> k -> j -> e",)))
    complete(old, "a0", "b0")
    gate = exclusive("x", default="j")

    moved = migrate(old, *joint(user("k"), user("n"), gate, arrows=("f -> k -> x -> j -> e", "x -> n [${again}]", "f -> n -> j")))

    assert moved.instance is None
    assert told(moved) == ["Expected a token on every flow into j, but it could wait for ever for one by n-j"]


def test_migrate__choices_within_each_department():
    """Inclusive blocks in a parallel one: each is over before the next is looked at."""
    old = begin(*joint())
    complete(old, "a0", "b0")
    gateways = (inclusive("?f", default="?2"), inclusive("?j"))

    moved = migrate(old, *joint(gateways=gateways, way="f -> {0}0 -> {0}f -> {0}2 -> {0}j -> j; {0}f -> {0}1 [${{x}}]; {0}1 -> {0}j"))

    assert moved.reasons == ()


# The shipped bundles, which have more markings than that -------------------------------------------------------------------------------


@functools.cache
def restaurant(*changes):
    """The restaurant, its drawing changed: flows lead elsewhere, elements are new."""
    text = (WORKFLOWS / "open-restaurant/open-restaurant.bpmn").read_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (compiled,) = compiler.compile(text.encode(), "open-restaurant.bpmn")
    return compiled


def walks(data, drawn):
    """A case of the restaurant, wherever it comes to stand."""
    world = World(drawn, data.draw(st.integers(0, 2**16), label="chance"))
    instance = Instance.start(drawn, world.variables(), world.context(), at=drawn.starts()[0].id)
    for world.step in range(data.draw(st.integers(0, 12))):
        if not instance.ended:
            command(instance, data.draw(st.sampled_from(instance.waits())), world)
    return instance, world


#: Beside the issuance something else is done, and both meet.
MEET = (
    ('id="issue_to_handed_out" sourceRef="issue" targetRef="handed_out"', 'id="issue_to_handed_out" sourceRef="issue" targetRef="meet"'),
    ("<bpmn:incoming>issue_to_handed_out</bpmn:incoming>", "<bpmn:incoming>meet_on</bpmn:incoming>"),
    (
        'id="issuable_to_issue" name="有" sourceRef="issuable" targetRef="issue"',
        'id="issuable_to_issue" name="有" sourceRef="issuable" targetRef="part"',
    ),
    (
        '<bpmn:sequenceFlow id="handed_out_to_closing"',
        '<bpmn:parallelGateway id="part" /><bpmn:userTask id="tell" /><bpmn:parallelGateway id="meet" />'
        + "".join(
            f'<bpmn:sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}" />'
            for key, source, target in (
                ("p1", "part", "issue"),
                ("p2", "part", "tell"),
                ("t1", "tell", "meet"),
                ("meet_on", "meet", "handed_out"),
            )
        )
        + '<bpmn:sequenceFlow id="handed_out_to_closing"',
    ),
)


LACKS = "Expected a token on every flow into meet, but it could wait for ever for one by t1"
UNTOLD = "Expected to tell whether meet could wait for ever, but there are too many ways to it"


def move_restaurant(instance, context):
    return migration.migrate(Plan(source=restaurant(), target=restaurant(*MEET)), instance.snapshot(), instance.variables, context)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_migrate__a_join_is_new_ahead_of_the_restaurant(data):
    """However many items are on their way, and a few late joiners: only who is past the fork would wait there.

    Where more than a few stand in one place, there may be any number, and that is not told.
    """
    instance, world = walks(data, restaurant())
    if not instance.ended:
        here = Counter(standing(instance))
        crowded = here["follow_on"] > markings.CROWD + 1
        assert told(move_restaurant(instance, world.context())) == ([UNTOLD] if crowded else [LACKS] * ("issue" in here))


@pytest.mark.parametrize(("at", "refused"), [("issue", True), ("rate", False), ("supplement", False)])
def test_migrate__a_join_is_new_around_the_restaurant(at, refused):
    """Who is between the fork and the join would wait there for ever; who is before or behind both goes on."""
    world = World(restaurant(), 1)
    instance = Instance.start(restaurant(), world.variables(), world.context(), at=restaurant().starts()[0].id)
    (here,) = [wait for wait in instance.waits() if wait.element == "intake"]
    instance.modify(Instruction(verb=Verb.CANCEL, target=here.id), Instruction(verb=Verb.BEFORE, target=at))

    moved = move_restaurant(instance, world.context())

    assert told(moved) == [LACKS] * refused
