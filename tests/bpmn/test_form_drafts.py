"""Drafts of forms: half-filled is what a draft is; what the form could never take is out of place."""

import pytest

from tests.bpmn.schemas import OPTIONS, component, form
from tests.bpmn.test_forms import test_validate__fits as complete

#: Every kind of field with a value that it takes.
COMPLETE = complete.pytestmark[0].args[1]
LIST = {"type": "dynamiclist", "path": "people", "components": [component("textfield", "name"), component("number", "age")]}
GROUP = {"type": "group", "path": "person", "components": LIST["components"]}


def faults(shape, data):
    kept, errors = shape.fitting(data)
    return kept, {error.field: error.message for error in errors}


@pytest.mark.parametrize(("shape", "value"), COMPLETE)
def test_fitting__whatever_may_be_handed_in(shape, value):
    assert form(shape).fitting({"x": value}) == ({"x": value}, [])


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(("shape", "_value"), COMPLETE)
def test_fitting__nothing_yet(shape, _value, empty):
    assert form(shape).fitting({"x": empty}) == ({"x": empty}, [])


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (component("textfield", validate={"required": True, "minLength": 9, "pattern": "^9$"}), "1"),
        (component("textfield", properties={"onething.format": "id_number"}), "1101051949"),
        (component("number", validate={"min": 100}), 1),
        (component("radio", **OPTIONS), "c"),
        (component("checklist", **OPTIONS), ["c", "c"]),
        (component("datetime", subtype="date"), "2026-1"),
        (component("select", valuesExpression="=offered"), {"any": "thing"}),
        (component("expression", expression="=1 + 1"), 3),
        (component("textfield", conditional={"hide": "=true"}), "hidden by now"),
    ],
)
def test_fitting__what_is_not_right_yet(shape, value):
    assert form(shape).fitting({"x": value}) == ({"x": value}, [])


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        (component("textfield"), 1, "Expected 字段 to be text, but it is a number"),
        (component("datetime", subtype="time"), 830, "Expected 字段 to be text, but it is a number"),
        (component("number"), "1", "Expected 字段 to be a number, but it is text"),
        (component("number"), True, "Expected 字段 to be a number, but it is true or false"),
        (component("number", serializeToString=True), 1, "Expected 字段 to be text, but it is a number"),
        (component("checkbox"), 1, "Expected 字段 to be true or false, but it is a number"),
        (component("radio", **OPTIONS), ["a"], "Expected 字段 to be text, but it is a list"),
        (component("checklist", **OPTIONS), "a", "Expected 字段 to be a list, but it is text"),
        (component("filepicker", multiple=True), "M1", "Expected 字段 to be a list, but it is text"),
        (component("filepicker", multiple="=many"), 1, "Expected 字段 to be text or a list, but it is a number"),
    ],
)
def test_fitting__another_kind_of_value(shape, value, message):
    assert faults(form(shape), {"x": value}) == ({}, {"x": message})


def test_fitting__unknown_field():
    unknown = {"y": "Expected fields of the form only, but y is none of them"}

    assert faults(form(component("textfield")), {"x": "a", "y": None}) == ({"x": "a"}, unknown)


def test_fitting__one_of_two_fields_with_one_key():
    """One is shown, the other hidden; which, is told when the form is complete."""
    shape = form(component("number", conditional={"hide": "=a"}), component("textfield", id="other", conditional={"hide": "=not(a)"}))

    assert shape.fitting({"x": 1}) == ({"x": 1}, [])
    assert shape.fitting({"x": "1"}) == ({"x": "1"}, [])
    assert faults(shape, {"x": True})[0] == {}


def test_fitting__within_groups_and_lists():
    """What is in its place stays, and what is not goes alone."""
    kept, wrong = faults(
        form(LIST, GROUP),
        {"people": [{"name": "张三", "age": "3"}, {"name": "李四", "phone": "1"}, 7, {}], "person": {"name": 1, "age": 3}},
    )

    assert kept == {"people": [{"name": "张三"}, {"name": "李四"}, {}], "person": {"age": 3}}
    assert wrong.keys() == {"people[1].age", "people[2].phone", "people[3]", "person.name"}


def test_fitting__entries_of_a_checklist():
    assert faults(form(component("checklist", **OPTIONS)), {"x": ["a", 1]})[0] == {"x": ["a"]}
