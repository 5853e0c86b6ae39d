"""Local variables, parameters, conditions: what an element sees, and who notices."""

from __future__ import annotations

import pytest

from bpmn.errors import InstanceError
from bpmn.waits import WaitKind
from tests.bpmn.definitions import conditional, parameters
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    element,
    end,
    external,
    flows,
    parallel,
    script,
    start,
    subprocess,
    timer_boundary,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, incidents, standing, wait

# Parameters ----------------------------------------------------------------------------------------------------------------------------


def test_input__is_local_to_the_activity():
    task = user("a", ext=parameters(inputs={"x": "${y + 1}", "y": "${x}", "text": "plain"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"), variables={"x": 1, "y": 2})
    number = wait(instance, "a").id

    assert instance.variables_at(number) == {"x": 3, "y": 1, "text": "plain"}  # each sees what is around, none another
    assert instance.variables_at(number, local=True) == {"x": 3, "y": 1, "text": "plain"}
    instance = again(instance)
    complete(instance, "a", x=10, new=1)
    assert instance.variables == {"x": 1, "y": 2, "new": 1}  # what is local stays there, what is new goes to the process


def test_output__sees_what_is_local():
    task = user("a", ext=parameters(inputs={"x": "5"}, outputs={"sum": "${x + more}"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"))
    complete(instance, "a", more=2, x=3)

    assert instance.variables == {"more": 2, "sum": 5}


def test_parameters__lists_and_maps():
    rows = "<camunda:list><camunda:value>${a}</camunda:value><camunda:value>b</camunda:value></camunda:list>"
    keys = '<camunda:map><camunda:entry key="k">${a}</camunda:entry></camunda:map>'
    task = user("t", ext=parameters(inputs={"rows": rows, "keys": keys}))
    instance = begin(start("s"), task, end("e"), flows("s -> t -> e"), variables={"a": 1})

    assert instance.variables_at(wait(instance, "t").id, local=True) == {"rows": [1, "b"], "keys": {"k": 1}}


def test_input__that_fails_is_an_incident():
    task = user("a", ext=parameters(inputs={"x": "${missing}"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"))
    assert "missing" in incidents(instance)["a"]

    instance.set_variables({"missing": 1})
    instance.retry(wait(instance, "a").id)

    assert instance.variables_at(wait(instance, "a").id)["x"] == 1


def test_output__that_fails_is_an_incident_and_the_work_is_not_done_again():
    task = user("a", ext=parameters(outputs={"x": "${missing}"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"))
    complete(instance, "a")
    assert "missing" in incidents(instance)["a"]

    instance = again(instance)
    instance.set_variables({"missing": 1})
    instance.retry(wait(instance, "a").id)

    assert (instance.ended, instance.variables["x"]) == (True, 1)


def test_subprocess__local_variables_of_a_scope():
    sub = subprocess(
        "sub",
        start("ss"),
        user("a"),
        script("sum", "${x + y}", result="x"),
        end("se"),
        flows("ss -> a -> sum -> se"),
        ext=parameters(inputs={"x": "1"}, outputs={"result": "${x}"}),
    )
    instance = begin(start("s"), sub, end("e"), flows("s -> sub -> e"))
    complete(instance, "a", y=4)

    assert instance.variables == {"y": 4, "result": 5}


def test_boundary__timer_sees_the_activity():
    task = user("a", ext=parameters(inputs={"hours": "2"}))
    content = (task, timer_boundary("t", on="a", duration="PT${hours}H"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e", "t -> e"))

    assert wait(instance, "t").due_at == NOW + 2 * HOUR


def test_call__passes_local_ones_only():
    mapping = '<camunda:in variables="all" local="true"/>'
    task = call("c", of="p", ext=parameters(inputs={"x": "1"}) + mapping)
    instance = begin(start("s"), task, end("e"), flows("s -> c -> e"), variables={"y": 2})

    assert wait(instance, "c").variables == {"x": "1"}


def test_variables__set_and_removed_from_outside():
    task = user("a", ext=parameters(inputs={"x": "1"}))
    instance = begin(start("s"), task, end("e"), flows("s -> a -> e"), variables={"y": 2})
    number = wait(instance, "a").id
    instance.set_variables({"x": 5, "y": 6}, at=number)
    instance.set_variables({"z": 7}, at=number, local=True)
    assert (instance.variables, instance.variables_at(number, local=True)) == ({"y": 6}, {"x": 5, "z": 7})

    instance.remove_variables(["x", "unknown"], at=number)
    instance.remove_variables(["y"])

    assert (instance.variables, instance.variables_at(number)) == ({}, {"z": 7})
    with pytest.raises(InstanceError, match="Expected activation 99 to last"):
        instance.set_variables({}, at=99)


# Expressions ---------------------------------------------------------------------------------------------------------------------------


def test_tasks__that_compute():
    service = element("serviceTask", "service", attrs={"camunda:expression": "${a * 2}", "camunda:resultVariable": "b"})
    content = (start("s"), service, script("feel", "= a + b", language="feel", result="c"), end("e"))
    instance = begin(*content, flows("s -> service -> feel -> e"), variables={"a": 3})

    assert instance.variables == {"a": 3, "b": 6, "c": 9}


def test_external__priority():
    task = external("a", topic="t", attrs={"camunda:taskPriority": "${7 * 10}"})
    assert wait(begin(start("s"), task, end("e"), flows("s -> a -> e")), "a").priority == 70


# Conditions ----------------------------------------------------------------------------------------------------------------------------


def test_condition__when_a_variable_makes_it_true():
    content = (parallel("f"), catch("c", conditional("${n > 2}")), user("a"), user("b"), end("e"))
    instance = begin(start("s"), *content, flows("s -> f -> c -> b -> e", "f -> a -> e"))
    assert [w.kind for w in instance.waits()] == [WaitKind.CONDITION, WaitKind.USER_TASK]
    instance.set_variables({"n": 1})
    assert standing(again(instance)) == ["c", "a"]

    complete(instance, "a", n=3)

    assert standing(instance) == ["b"]


def test_condition__that_holds_already_passes():
    content = (catch("c", conditional("${n > 2}")), user("b"), end("e"))
    assert standing(begin(start("s"), *content, flows("s -> c -> b -> e"), variables={"n": 3})) == ["b"]


def test_condition__boundary_beside_at_each_change():
    content = (user("a"), boundary("b", conditional("${n > 2}"), on="a", interrupting=False), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e", "b -> c -> e"), variables={"n": 0})
    for n in (3, 1, 4):
        instance.set_variables({"n": n})

    assert standing(instance).count("c") == 2


def test_condition__boundary_that_interrupts():
    content = (user("a"), boundary("b", conditional("${stop}"), on="a"), parallel("f"), user("x"), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> f -> a -> e", "f -> x -> e", "b -> c -> e"), variables={"stop": False})
    complete(instance, "x", stop=True)

    assert standing(instance) == ["c"]


@pytest.mark.parametrize(
    ("filters", "fires"),
    [
        ({"variableName": "n"}, True),
        ({"variableName": "m"}, False),
        ({"variableEvents": "update"}, True),
        ({"variableEvents": "create, delete"}, False),
    ],
)
def test_condition__asked_for_some_changes_only(filters, fires):
    content = (user("a"), boundary("b", conditional("${n > 2}", **filters), on="a", interrupting=False), user("c"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e", "b -> c -> e"), variables={"n": 0})
    instance.set_variables({"n": 3})

    assert ("c" in standing(instance)) is fires


def test_condition__local_variables_of_others_do_not_concern_it():
    first = subprocess(
        "one", start("s1"), catch("c1", conditional("${n > 2}")), end("e1"), flows("s1 -> c1 -> e1"), ext=parameters(inputs={"n": "0"})
    )
    second = subprocess(
        "two", start("s2"), catch("c2", conditional("${n > 2}")), end("e2"), flows("s2 -> c2 -> e2"), ext=parameters(inputs={"n": "0"})
    )
    instance = begin(start("s"), parallel("f"), first, second, end("e"), flows("s -> f -> one -> e", "f -> two -> e"))
    instance.set_variables({"n": 5}, at=wait(instance, "c1").id)

    assert standing(instance) == ["c2"]


def test_condition__that_fails_is_an_incident():
    content = (catch("c", conditional("${n > 2}")), user("b"), end("e"))
    instance = begin(start("s"), *content, flows("s -> c -> b -> e"), variables={"n": 0})
    instance.set_variables({"n": "text"})
    assert "c" in incidents(instance)

    instance.set_variables({"n": 5})
    instance.retry(wait(instance, "c").id)
    assert standing(instance) == ["b"]


def test_condition__chain_of_changes():
    content = (
        parallel("f"),
        catch("c1", conditional("${a}")),
        script("set", "${true}", result="b"),
        catch("c2", conditional("${b}")),
        user("x"),
        end("e"),
    )
    instance = begin(start("s"), *content, flows("s -> f -> c1 -> set -> e", "f -> c2 -> x -> e"), variables={"a": False, "b": False})
    instance.set_variables({"a": True})

    assert standing(instance) == ["x"]


def test_initiator__is_who_starts_the_process():
    content = [start("s", attrs={"camunda:initiator": "who"}), user("a", assignee="${who}"), end("e"), flows("s -> a -> e")]

    instance = begin(*content, functions={"authenticatedUserId": lambda: "li"})

    assert instance.variables == {"who": "li"}
    assert wait(instance, "a").assignee == "li"
