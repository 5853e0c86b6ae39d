"""Modification: tokens are put somewhere else by hand."""

from __future__ import annotations

import pytest

from bpmn.definition import BODY
from bpmn.errors import InstanceError
from bpmn.instructions import PROCESS, Instruction, Verb
from bpmn.waits import WaitKind
from tests.bpmn import definitions
from tests.bpmn.definitions import instances, parameters
from tests.bpmn.diagrams import end, event_subprocess, flows, start, subprocess, timer_boundary, user
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

    assert (instance.ended, instance.emptied) == (True, True)
    assert ("sub", "canceled") in outcomes(instance)


def test_cancel__beside_what_comes_to_the_end():
    """Then it has ended as drawn."""
    instance = begin(*CONTENT)
    instance.modify(cancel(instance, "a"), before("e"))

    assert (instance.ended, instance.emptied) == (True, False)


def test_after_and_along():
    instance = begin(*CONTENT)
    instance.modify(Instruction(verb=Verb.AFTER, target="sub"), Instruction(verb=Verb.ALONG, target="sub-d"), cancel(instance, "a"))

    assert standing(instance) == ["d", "d"]


@pytest.mark.parametrize(("interrupting", "left"), [(True, ["b"]), (False, ["a", "b"])])
def test_before_the_start_of_an_event_subprocess__its_event_has_happened(interrupting, left):
    watching = start("m", definitions.message("stop"), attrs={"isInterrupting": str(interrupting).lower()})
    inside = event_subprocess("ev", watching, user("b"), end("ee"), flows("m -> b -> ee"))
    instance = begin(start("s"), user("a"), inside, end("e"), flows("s -> a -> e"))

    instance.modify(before("m"))

    assert sorted(wait.element for wait in instance.waits(WaitKind.USER_TASK)) == left
    instance = again(instance)
    for name in left:
        complete(instance, name)
    assert (instance.ended, instance.emptied) == (True, False)


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


def rounds():
    """Two rounds of a subprocess, and the numbers of their activations."""
    inside = subprocess("sub", instances(count="2"), start("ss"), user("b"), user("c"), end("se"), flows("ss -> b -> c -> se"))
    instance = begin(start("s"), inside, end("e"), flows("s -> sub -> e"))
    return instance, [token.id for token in instance.tokens() if token.element == "sub"]


def test_within__one_of_several_scopes():
    instance, (_first, second) = rounds()

    instance.modify(Instruction(verb=Verb.BEFORE, target="c", within=second))

    (there,) = [token for token in instance.tokens() if token.element == "c"]
    assert there.scope == second
    assert again(instance).tokens() == instance.tokens()


def test_within__what_lies_between_begins_anew():
    instance = begin(*CONTENT)
    complete(instance, "a")

    instance.modify(Instruction(verb=Verb.BEFORE, target="c", within=PROCESS))

    scopes = [token.id for token in instance.tokens() if token.element == "sub"]
    assert [(token.element, scopes.index(token.scope)) for token in instance.tokens() if token.element in {"b", "c"}] == [
        ("b", 0),
        ("c", 1),
    ]


def test_within__nothing_that_is_around():
    instance, _numbers = rounds()
    beside = wait(instance, "b").id
    for number, message in ((beside, "but activation .* is at b"), (None, "there are 2"), (99, "Expected activation 99 to last")):
        with pytest.raises(InstanceError, match=message):
            again(instance).modify(Instruction(verb=Verb.BEFORE, target="c", within=number))


def test_within__one_more_round():
    """It counts like the others: the activity goes on when all are done."""
    instance = begin(start("s"), user("b", instances(count="2")), end("e"), flows("s -> b -> e"))
    (body,) = [token.id for token in instance.tokens() if token.element == "b" + BODY]

    (number,) = instance.modify(Instruction(verb=Verb.BEFORE, target="b", within=body, local={"name": "丙"}))

    assert instance.variables_at(number, local=True) == {"loopCounter": 2, "name": "丙"}
    assert instance.variables_at(body, local=True) == {"nrOfInstances": 3, "nrOfCompletedInstances": 0, "nrOfActiveInstances": 3}
    for left in (2, 1, 0):
        instance = again(instance)
        instance.complete(instance.waits()[0].id)
        assert (len(instance.waits()), instance.ended) == (left, not left)


def test_cancel__one_of_several_rounds():
    """The activity goes on when the others are done."""
    instance = begin(start("s"), user("b", instances(count="3")), user("z"), end("e"), flows("s -> b -> z -> e"))
    (body,) = [token.id for token in instance.tokens() if token.element == "b" + BODY]
    complete(instance, "b")

    instance.modify(cancel(instance, "b"))

    assert instance.variables_at(body, local=True) == {"nrOfInstances": 3, "nrOfCompletedInstances": 1, "nrOfActiveInstances": 1}
    instance = again(instance)
    complete(instance, "b")
    assert standing(instance) == ["z"]


def test_cancel__the_last_round_at_work_while_another_waits_for_its_job():
    task = user("b", instances(count="2", asyncAfter="true"))
    instance = begin(start("s"), task, user("z"), end("e"), flows("s -> b -> z -> e"))
    complete(instance, "b")

    instance.modify(Instruction(verb=Verb.CANCEL, target=next(w.id for w in instance.waits() if w.kind is WaitKind.USER_TASK)))
    instance.execute(instance.waits()[0].id)

    assert standing(again(instance)) == ["z"]


def test_within__one_more_round_of_a_subprocess():
    instance, _numbers = rounds()
    (body,) = [token.id for token in instance.tokens() if token.element == "sub" + BODY]

    instance.modify(Instruction(verb=Verb.BEFORE, target="c", within=body))

    assert instance.variables_at(body, local=True)["nrOfInstances"] == 3
    assert sorted(standing(again(instance))) == ["b", "b", "c"]


@pytest.mark.parametrize("several", [instances(count="2", sequential=True), definitions.again("${true}")])
def test_within__one_more_round_where_one_follows_the_other(several):
    instance = begin(start("s"), user("b", several), end("e"), flows("s -> b -> e"))
    (body,) = [token.id for token in instance.tokens() if token.element == "b" + BODY]

    with pytest.raises(InstanceError, match="Expected rounds of b side by side"):
        instance.modify(Instruction(verb=Verb.BEFORE, target="b", within=body))


def test_local__variables_of_what_starts():
    instance = begin(*CONTENT)

    numbers = instance.modify(
        cancel(instance, "a"),
        Instruction(verb=Verb.BEFORE, target="c", local={"n": 1}),
        Instruction(verb=Verb.ALONG, target="sub-d", local={"n": 2}),
    )

    assert [instance.variables_at(number, local=True) for number in numbers[1:]] == [{"n": 1}, {"n": 2}]
    assert instance.variables == {}


def test_skips_mappings__until_it_has_come_to_rest():
    def mapped(id_):
        return user(id_, ext=parameters(inputs={"x": "1"}, outputs={f"of_{id_}": "2"}))

    instance = begin(start("s"), mapped("a"), mapped("b"), end("e"), flows("s -> a -> b -> e"))

    instance.modify(cancel(instance, "a"), Instruction(verb=Verb.BEFORE, target="a", skips_mappings=True))
    assert instance.variables_at(wait(instance, "a").id) == {}
    complete(instance, "a")

    assert instance.variables_at(wait(instance, "b").id) == {"of_a": "2", "x": "1"}


HANDS_OUT = user("b", ext=parameters(outputs={"n": "${m}"}))
WITH_OUTPUTS = (
    start("s"),
    subprocess("sub", start("ss"), HANDS_OUT, end("se"), flows("ss -> b -> se"), ext=parameters(outputs={"all": "${n}"})),
    user("c"),
    end("e"),
    flows("s -> sub -> c -> e"),
)


def test_cancel__hands_out_what_it_has():
    """With the scope in which nothing else is."""
    instance = begin(*WITH_OUTPUTS, variables={"m": 1})

    instance.modify(cancel(instance, "b"), before("c"))

    assert (standing(again(instance)), instance.variables) == (["c"], {"m": 1, "n": 1, "all": 1})


def test_cancel__cannot_hand_out():
    instance = begin(*WITH_OUTPUTS)

    with pytest.raises(InstanceError, match=r"Expected b to hand out 'n' when it is canceled, but: .* no m"):
        instance.modify(cancel(instance, "b"))

    instance = begin(*WITH_OUTPUTS)
    instance.modify(before("c"), Instruction(verb=Verb.CANCEL, target=wait(instance, "b").id, skips_mappings=True))
    assert (standing(instance), instance.variables) == (["c"], {})
