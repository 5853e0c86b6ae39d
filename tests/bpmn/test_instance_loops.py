"""Activities that run several times: multi-instance and standard loops."""

from __future__ import annotations

import pytest

from bpmn.waits import WaitKind
from tests.bpmn.definitions import again as loop
from tests.bpmn.definitions import error, instances, parameters
from tests.bpmn.diagrams import boundary, call, end, error_boundary, exclusive, flows, message_boundary, start, subprocess, user
from tests.bpmn.instances import again, begin, complete, incidents, outcomes, standing, wait

ITEMS = {"items": ["food", "fire", "sign"]}


def several(*content, variables=None, **characteristics):
    """A process with one user task that runs several times."""
    task = user("a", instances(**characteristics), *content)
    return begin(start("s"), task, user("b"), end("e"), flows("s -> a -> b -> e"), variables=ITEMS if variables is None else variables)


def seen(instance, number, *names):
    variables = instance.variables_at(number)
    return tuple(variables[name] for name in names)


def test_parallel__one_for_each_entry_in_any_order():
    instance = several(collection="items", elementVariable="item")
    first, second, third = instance.waits()

    assert [seen(instance, w.id, "item", "loopCounter") for w in (first, second, third)] == [("food", 0), ("fire", 1), ("sign", 2)]
    assert seen(instance, first.id, "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances") == (3, 0, 3)
    instance.complete(third.id)
    instance = again(instance)
    assert seen(instance, first.id, "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances") == (3, 1, 2)
    instance.complete(first.id)
    instance.complete(second.id)

    assert standing(instance) == ["b"]
    assert instance.variables == ITEMS  # counters and entries are local


@pytest.mark.parametrize("sequential", [False, True])
def test_collection__of_feel_values_that_json_has_not(sequential):
    """They are kept as everything that an expression gives: as JSON."""
    instance = several(collection='=[1.5, @"2026-12-01", {share: 1/4}]', elementVariable="item", sequential=sequential)

    found = []
    while standing(instance) != ["b"]:
        instance = again(instance)
        here = instance.waits()[0].id
        found += seen(instance, here, "item")
        instance.complete(here)
    assert found == [1.5, "2026-12-01", {"share": 0.25}]


def test_sequential__one_after_the_other():
    instance = several(collection="${items}", elementVariable="item", sequential=True)

    for number, item in enumerate(ITEMS["items"]):
        instance = again(instance)
        (only,) = instance.waits()
        assert seen(instance, only.id, "item", "loopCounter", "nrOfCompletedInstances", "nrOfActiveInstances") == (item, number, number, 1)
        instance.complete(only.id)

    assert standing(instance) == ["b"]


@pytest.mark.parametrize("sequential", [False, True])
def test_entries__that_an_expression_has_made(sequential):
    """They are in the process what they are in its snapshot: a number, and the text of a day."""
    instance = several(collection='=[1 / 2, date("2026-03-02")]', elementVariable="item", sequential=sequential)
    found = []
    while standing(instance) != ["b"]:
        first = instance.waits()[0]
        found.append(seen(instance, first.id, "item"))
        assert seen(again(instance), first.id, "item") == found[-1]
        instance.complete(first.id)

    assert found == [(0.5,), ("2026-03-02",)]


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("characteristics", [{"count": "0"}, {"collection": "nothing"}, {"count": "${0}"}])
def test_none__passes(characteristics, sequential):
    instance = several(**characteristics, sequential=sequential, variables={"nothing": []})

    assert standing(instance) == ["b"]


def test_completion_condition__ends_the_rest():
    instance = several(count="5", until="${nrOfCompletedInstances >= 2}")
    complete(instance, "a", "a")

    assert standing(instance) == ["b"]
    assert [o for e, o in outcomes(instance) if e == "a"] == ["completed"] * 2 + ["canceled"] * 3


def test_completion_condition__sees_the_variables_of_the_round():
    instance = several(collection="items", elementVariable="item", until="${item == 'fire'}")
    instance.complete(instance.waits()[1].id)

    assert standing(instance) == ["b"]


def test_completion_condition__of_a_sequence():
    instance = several(count="4", until="${refused}", sequential=True, variables={"refused": False})
    complete(instance, "a")
    complete(instance, "a", refused=True)

    assert standing(instance) == ["b"]


def test_completion_condition__that_fails_is_an_incident_and_counts_once():
    instance = several(count="2", until="${enough && nrOfCompletedInstances == 1}")
    complete(instance, "a")
    assert "enough" in incidents(instance)["a"]

    instance.set_variables({"enough": True})
    instance.retry(next(w.id for w in instance.waits() if w.kind is WaitKind.INCIDENT))

    assert standing(instance) == ["b"]


@pytest.mark.parametrize(
    ("characteristics", "message"),
    [
        ({"count": "${x}"}, "x"),
        ({"count": "${-1}"}, "Expected the cardinality to be a whole number of 0 or more"),
        ({"count": "${2.5}"}, "Expected the cardinality to be a whole number of 0 or more"),
        ({"count": "${true}"}, "Expected the cardinality to be a whole number of 0 or more"),
        ({"collection": "text", "elementVariable": "x"}, "Expected the collection to be a list"),
        ({"count": "20001"}, "Expected at most 20000 rounds side by side, but there are 20001"),
        ({"count": "999999999"}, "Expected at most 20000 rounds side by side"),
    ],
)
def test_number__that_cannot_be_told_is_an_incident(characteristics, message):
    instance = several(**characteristics, variables={"text": "abc"})

    assert message in next(iter(incidents(instance).values()))


def test_boundary__stands_on_all_of_them():
    content = (user("a", instances(count="3")), message_boundary("stop", on="a", message="stop"), user("b"), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> b -> e", "stop -> c -> e"))
    complete(instance, "a")

    assert instance.throw("stop") == 1
    assert standing(instance) == ["c"]


def test_error__in_one_ends_all():
    inner = subprocess("sub", instances(count="3"), start("ss"), user("a"), end("bad", error="E"), flows("ss -> a -> bad"))
    instance = begin(
        start("s"), inner, error_boundary("caught", on="sub", error="E"), user("c"), end("e"), flows("s -> sub -> e", "caught -> c -> e")
    )
    complete(instance, "a")

    assert standing(instance) == ["c"]


def test_nested__and_entered_again():
    inner = subprocess(
        "sub",
        instances(collection="rows", elementVariable="row"),
        start("ss"),
        user("a", instances(collection="${row}", elementVariable="cell", sequential=True)),
        end("se"),
        flows("ss -> a -> se"),
    )
    content = (
        start("s"),
        exclusive("m"),
        inner,
        exclusive("x", default="e"),
        end("e"),
        flows("s -> m -> sub -> x -> e", "x -> m [${more}]"),
    )
    instance = begin(*content, variables={"rows": [["a", "b"], ["c"]], "more": True})

    for more in (True, False):
        instance = again(instance)
        assert [seen(instance, w.id, "cell")[0] for w in instance.waits()] == ["a", "c"]
        instance.complete(instance.waits()[0].id, {"more": more})
        assert [seen(instance, w.id, "cell")[0] for w in instance.waits()] == ["c", "b"]
        complete(instance, "a", "a")

    assert instance.ended


def test_calls__pass_the_entry():
    content = (start("s"), call("c", instances(collection="items", elementVariable="item"), of="${item}", inputs=["item"]), end("e"))
    instance = begin(*content, flows("s -> c -> e"), variables=ITEMS)

    assert [(w.name, w.variables) for w in instance.waits()] == [(i, {"item": i}) for i in ITEMS["items"]]
    complete(instance, "c", "c", "c")
    assert instance.ended


def test_input_parameters__of_each_round():
    task = user("a", instances(collection="items", elementVariable="item"), ext=parameters(inputs={"title": "${item}-${loopCounter}"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"), variables=ITEMS)

    assert [seen(instance, w.id, "title")[0] for w in instance.waits()] == ["food-0", "fire-1", "sign-2"]


def test_history__tells_the_body_and_each_round():
    instance = several(count="2")
    complete(instance, "a", "a")
    bodies = [a for a in instance.history() if a.element == "a#multiInstanceBody"]
    rounds = [a for a in instance.history() if a.element == "a"]

    assert [(b.outcome, b.scope) for b in bodies] == [("completed", None)]
    assert [(r.outcome, r.scope) for r in rounds] == [("completed", bodies[0].id)] * 2


def looped(condition, **more):
    content = (start("s"), user("a", loop(condition, **more)), user("b"), end("e"), flows("s -> a -> b -> e"))
    return begin(*content, variables={"more": True})


def test_standard_loop__while_the_condition_holds():
    instance = looped("${more}")
    complete(instance, "a")
    assert seen(instance, wait(instance, "a").id, "loopCounter") == (1,)
    complete(again(instance), "a")
    complete(instance, "a", more=False)

    assert standing(instance) == ["b"]


def test_standard_loop__condition_before_and_most():
    assert standing(looped("${!more}", before=True)) == ["b"]
    assert standing(looped("${more}", before=True)) == ["a"]
    instance = looped("${more}", most=2)
    complete(instance, "a", "a")
    assert standing(instance) == ["b"]


def test_error__raised_at_a_round():
    content = (user("a", instances(count="2")), boundary("bad", error("E", errorCodeVariable="code"), on="a"), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e", "bad -> c -> e"))
    instance.raise_error(wait(instance, "a").id, "E")

    assert standing(instance) == ["c"]
    assert instance.variables == {"code": "E"}
