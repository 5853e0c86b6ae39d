"""Calls of other processes, and decisions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bpmn.waits import WaitKind
from tests.bpmn.diagrams import call, decision, end, flows, start, user
from tests.bpmn.instances import again, begin, complete, incidents, standing, wait


def calling(variables=None, *, of="food_permit", inputs=(), outputs=()):
    return begin(
        start("s"), call("c", of=of, inputs=inputs, outputs=outputs), user("a"), end("e"), flows("s -> c -> a -> e"), variables=variables
    )


def test_call__says_whom_and_with_what():
    instance = calling({"kind": "food", "n": 2, "form": {"a": [1]}}, of="${kind}_permit", inputs=["form", "n -> count", "${n + 1} -> next"])

    called = wait(instance, "c")

    assert (called.kind, called.name) == (WaitKind.CALL, "food_permit")
    assert called.variables == {"form": {"a": [1]}, "count": 2, "next": 3}


def test_call__all_variables_in_and_out():
    instance = calling({"a": 1}, inputs=["all"], outputs=["all"])
    assert wait(instance, "c").variables == {"a": 1}

    complete(instance, "c", a=2, b=3)

    assert standing(instance) == ["a"]
    assert instance.variables == {"a": 2, "b": 3}


def test_call__hands_over_what_is_mapped_only():
    instance = calling({"a": 1}, outputs=["result", "${a * 10} -> ten"])
    assert wait(instance, "c").variables == {}

    complete(instance, "c", result="granted", a=7, secret=True)

    assert instance.variables == {"a": 1, "result": "granted", "ten": 70}


def test_call__what_it_was_given_stays_as_it_was():
    instance = calling({"form": {"n": 1}}, inputs=["form"])

    instance.variables["form"]["n"] = 2

    assert wait(instance, "c").variables == {"form": {"n": 1}}
    assert wait(again(instance), "c").variables == {"form": {"n": 1}}


def test_call__an_output_that_fails_loses_nothing():
    instance = calling(outputs=["result -> outcome", "${number} -> number"])

    complete(instance, "c", result="granted")
    assert incidents(instance).keys() == {"c"}
    assert instance.variables == {}
    instance = again(instance)
    instance.retry(wait(instance, "c").id)
    assert incidents(instance).keys() == {"c"}


def test_call__an_output_that_fails_is_tried_again_with_what_was_returned():
    answers = []

    def lookup(number):
        if not answers:
            raise LookupError("register is down")
        return f"{answers[0]}-{number}"

    instance = begin(
        start("s"),
        call("c", of="x", outputs=["${lookup(n)} -> number"]),
        user("a"),
        end("e"),
        flows("s -> c -> a -> e"),
        functions={"lookup": lookup},
    )
    complete(instance, "c", n=7)
    assert "register is down" in incidents(instance)["c"]

    answers.append("No")
    instance = again(instance)
    instance.retry(wait(instance, "c").id)

    assert standing(instance) == ["a"]
    assert instance.variables == {"number": "No-7"}


@pytest.mark.parametrize("of", ["${nothing}", "${null}", "${7}", "${''}", "${' '}"])
def test_call__of_nothing_is_an_incident(of):
    assert incidents(calling({}, of=of)).keys() == {"c"}


def deciding(rows, mapping=None, *, result="outcome", variables=None):
    def decide(ref, known):
        assert ref == "limits"
        if isinstance(rows, Exception):
            raise rows
        return rows(known) if callable(rows) else rows

    content = (start("s"), decision("d", ref="limits", result=result, mapping=mapping), user("a"), end("e"))
    return begin(*content, flows("s -> d -> a -> e"), decide=decide, variables=variables)


ROWS = [{"days": 5}, {"days": 7}]


@pytest.mark.parametrize(
    ("mapping", "rows", "result"),
    [
        (None, ROWS, ROWS),
        ("resultList", [], []),
        ("singleEntry", ROWS[:1], 5),
        ("singleEntry", [], None),
        ("singleResult", [{"days": 5, "of": "law"}], {"days": 5, "of": "law"}),
        ("singleResult", [], None),
        ("collectEntries", ROWS, [5, 7]),
        ("collectEntries", [], []),
        ("singleEntry", [{"d": date(2026, 12, 1)}], "2026-12-01"),
        ("singleEntry", [{"d": Decimal("2.50")}], 2.5),
    ],
)
def test_decide__maps_its_result(mapping, rows, result):
    instance = deciding(rows, mapping)

    assert standing(instance) == ["a"]
    assert instance.variables == {"outcome": result}


@pytest.mark.parametrize(
    ("mapping", "rows", "message"),
    [
        ("singleEntry", ROWS, "one row at most, but it gives 2"),
        ("singleResult", ROWS, "one row at most, but it gives 2"),
        ("singleEntry", [{"a": 1, "b": 2}], "one output, but it has a, b"),
        ("collectEntries", [{"a": 1, "b": 2}], "one output, but it has a, b"),
        ("resultList", KeyError("limits"), "KeyError: 'limits'"),
    ],
)
def test_decide__what_fits_no_mapping_is_an_incident(mapping, rows, message):
    instance = deciding(rows, mapping)

    assert message in incidents(instance)["d"]
    assert instance.variables == {}


def test_decide__sees_the_variables():
    instance = deciding(lambda known: [{"days": known["n"] * 2}], "singleEntry", variables={"n": 4})

    assert instance.variables["outcome"] == 8


def test_decide__nobody_asks_for_the_result():
    assert deciding(ROWS, result=None).variables == {}


def test_decide__a_context_without_decisions():
    instance = begin(start("s"), decision("d", ref="limits", result="r"), end("e"), flows("s -> d -> e"))

    assert "there are no decisions here" in incidents(instance)["d"]


def test_call__a_variable_that_was_never_set_is_handed_over_as_null():
    """As in Camunda 7, `source="x"` passes null then; only an expression over it is an error."""
    instance = calling(inputs=["form"], outputs=["id_number"])
    assert wait(instance, "c").variables == {"form": None}

    complete(instance, "c")

    assert instance.variables == {"id_number": None}
