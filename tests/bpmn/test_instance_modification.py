"""Modification: tokens are put somewhere else by hand."""

from __future__ import annotations

import pytest

from bpmn.errors import InstanceError
from bpmn.instance import Instruction, Verb
from tests.bpmn.definitions import instances
from tests.bpmn.diagrams import end, flows, start, subprocess, timer_boundary, user
from tests.bpmn.instances import again, begin, complete, outcomes, standing, wait

INSIDE = subprocess("sub", start("ss"), user("b"), user("c"), end("se"), flows("ss -> b -> c -> se"))
CONTENT = (
    start("s"),
    user("a"),
    INSIDE,
    timer_boundary("late", on="sub", duration="P1D"),
    user("d"),
    end("e"),
    flows("s -> a -> sub -> d -> e", "late -> e"),
)


def before(target):
    return Instruction(verb=Verb.BEFORE, target=target)


def cancel(instance, element):
    return Instruction(verb=Verb.CANCEL, target=wait(instance, element).id)


def test_back_and_forth():
    instance = begin(*CONTENT)
    instance.modify(cancel(instance, "a"), before("d"))
    assert standing(instance) == ["d"]
    instance.modify(before("a"), cancel(instance, "d"))
    assert standing(again(instance)) == ["a"]
    assert [o for e, o in outcomes(instance) if e == "d"] == ["canceled"]


def test_into_a_scope__opens_it_without_its_start():
    instance = begin(*CONTENT)
    instance.modify(before("c"), cancel(instance, "a"))

    assert set(standing(instance)) == {"c", "late"}
    instance = again(instance)
    complete(instance, "c")
    assert standing(instance) == ["d"]


def test_into_a_scope__that_is_there():
    instance = begin(*CONTENT)
    complete(instance, "a")
    instance.modify(before("c"), cancel(instance, "b"))

    assert sorted(standing(instance)) == ["c", "late"]
    assert len([a for a in instance.tokens() if a.element == "sub"]) == 1


def test_cancel__of_the_last_one_ends_its_scope_and_the_instance():
    instance = begin(*CONTENT)
    complete(instance, "a")
    instance.modify(cancel(instance, "b"))

    assert instance.ended
    assert ("sub", "canceled") in outcomes(instance)


def test_after_and_along():
    instance = begin(*CONTENT)
    instance.modify(Instruction(verb=Verb.AFTER, target="sub"), Instruction(verb=Verb.ALONG, target="sub-d"), cancel(instance, "a"))

    assert standing(instance) == ["d", "d"]


def test_several_times__starts_as_a_whole():
    instance = begin(start("s"), user("a"), user("b", instances(count="2")), end("e"), flows("s -> a -> b -> e"))
    instance.modify(before("b"), cancel(instance, "a"))

    assert standing(instance) == ["b", "b"]


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        (before("nothing"), "Expected an element nothing"),
        (before("late"), "but late is none"),
        (Instruction(verb=Verb.AFTER, target="e"), "Expected one sequence flow out of e, but there are 0"),
        (Instruction(verb=Verb.ALONG, target="x"), "Expected a sequence flow x"),
        (Instruction(verb=Verb.CANCEL, target=99), "Expected activation 99 to last"),
    ],
)
def test_refused(instruction, message):
    instance = begin(*CONTENT)
    with pytest.raises(InstanceError, match=message):
        instance.modify(instruction)
