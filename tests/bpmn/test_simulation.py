"""Sample data for drawings, what of them was reached, and the picture of that."""

import datetime as dt
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn import forms, patterns
from bpmn.simulation import drawing, samples, telling
from bpmn.simulation.coverage import Coverage
from tests.bpmn import tables
from tests.bpmn.diagrams import (
    decision,
    diagram,
    element,
    end,
    exclusive,
    flows,
    message_catch,
    start,
    subprocess,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.drawings import compiled
from tests.bpmn.schemas import OPTIONS, component, form

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SVG = "{http://www.w3.org/2000/svg}"
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
CHOICES = {"values": [{"label": each, "value": each} for each in ("granted", "denied")]}


def filled(*components, variables=None, telling=None):
    return samples.of_form(form(*components), variables or {}, telling or {}, now=NOW)


# Telling values -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "values"),
    [
        ("${kind == 'a'}", "kind", ["a"]),
        ('${"a" eq kind || kind == "b"}', "kind", ["a", "b"]),
        ("${amount > 1000.5}", "amount", [1000.5]),
        ("${granted}", "granted", [True]),
        ("${!granted}", "granted", [True]),
        ("${kinds == 'a' && kind == 'b'}", "kind", ["b"]),
        ("${x.kind == 'a' && kind == 'b'}", "kind", ["b"]),
        ("${kind == null}", "kind", [None]),
        ("=amount >= 10 and amount < 20", "amount", [10, 20]),
    ],
)
def test_compared__with_what_a_variable_is_compared(source, name, values):
    assert telling.compared(source, name) == values


def test_values__and_what_lies_beside_them():
    drawn = compiled(
        start("s"),
        exclusive("one", default="e"),
        exclusive("two", default="e"),
        end("e"),
        end("f"),
        flows("s -> one -> e", "one -> two [${kind == 'a' && fast}]", "two -> e", "two -> f [${amount > 10}]"),
    )

    assert telling.values(drawn) == {"kind": ["a", telling.OTHER], "fast": [True, False], "amount": [10, 11, 9]}


def test_values__of_the_tables_that_are_asked():
    drawn = compiled(start("s"), decision("ask", ref="fee", result="fee"), end("e"), flows("s -> ask -> e"))
    found = tables.read(
        tables.decision("fee", ["age:number", "kind:string"], ["fee:number"], '< 18 | "a","b" => 0', '>= 18 | "a","b" => 5'),
        tables.decision("other", ["never:string"], ["x:number"], '"z" => 1'),
    )

    told = telling.values(drawn, telling.asked(drawn, found))

    assert told == {"age": [18, 19, 17], "kind": ["a", "b", telling.OTHER]}


# Samples of forms ---------------------------------------------------------------------------------------------------------------------


def test_of_form__one_for_each_choice_that_a_condition_reads():
    found = filled(
        component("radio", "outcome", validate={"required": True}, **CHOICES),
        component("textfield", "reason", validate={"required": True}, conditional={"hide": '=outcome = "granted"'}),
        telling={"outcome": ["granted"]},
    )

    assert found == [{"outcome": "granted"}, {"outcome": "denied", "reason": samples.TEXT}]


def test_of_form__what_nobody_reads_is_filled_in_once():
    assert filled(component("radio", "outcome", validate={"required": True}, **CHOICES)) == [{"outcome": "granted"}]


def test_of_form__numbers_on_either_side_of_a_limit():
    found = filled(component("number", "amount", validate={"required": True, "min": 0}), telling={"amount": [0, 1, -1]})

    assert found == [{"amount": 0}, {"amount": 1}]


def test_of_form__too_many_choices_each_once():
    boxes = [component("checkbox", name) for name in "abcdef"]

    found = filled(*boxes, telling={name: [True, False] for name in "abcdef"})

    assert len(found) == 7
    assert all({sample[name] for sample in found} == {True, False} for name in "abcdef")


def test_of_form__options_of_a_variable():
    shape = component("select", "who", validate={"required": True}, valuesExpression="=people")

    assert filled(shape, variables={"people": ["赵", "钱"]}) == [{"who": "赵"}]


def test_of_form__that_nobody_can_fill_in():
    shape = component("select", "who", validate={"required": True}, valuesExpression="=people")

    assert filled(shape, variables={"people": []}) == []


@pytest.mark.parametrize(
    "shape",
    [
        component("textfield", "x", validate={"required": True, "minLength": 5, "maxLength": 6}),
        component("textfield", "x", validate={"required": True, "pattern": r"^[A-Z]{2}-\d{4}(x|y)?$"}),
        component("textfield", "x", validate={"required": True, "validationType": "email"}),
        component("textfield", "x", validate={"required": True, "validationType": "phone"}),
        component("textfield", "x", validate={"required": True}, properties={"onething.format": "id_number"}),
        component("textfield", "x", validate={"required": True}, properties={"onething.format": "credit_code"}),
        component("textfield", "x", validate={"required": True}, properties={"onething.format": "phone"}),
        component("textarea", "x", validate={"required": True}),
        component("number", "x", validate={"required": True, "min": 5, "max": 6}),
        component("number", "x", validate={"required": True, "max": -3}),
        component("number", "x", validate={"required": True}, serializeToString=True),
        component("checkbox", "x", validate={"required": True}),
        component("checklist", "x", validate={"required": True}, **OPTIONS),
        component("taglist", "x", validate={"required": True}, **OPTIONS),
        component("datetime", "x", validate={"required": True}, subtype="date"),
        component("datetime", "x", validate={"required": True}, subtype="time"),
        component("datetime", "x", validate={"required": True}, subtype="datetime", timeSerializingFormat="no_timezone"),
        component("filepicker", "x", validate={"required": True}),
        component("group", path="x", components=[component("textfield", "y", validate={"required": True})]),
        component("dynamiclist", path="x", components=[component("textfield", "y", validate={"required": True})]),
    ],
    ids=lambda shape: str(shape.get("subtype") or shape["type"]),
)
def test_of_form__whatever_a_field_asks(shape):
    found = filled(shape)

    assert len(found) == 1
    assert form(shape).validate(found[0], {}, now=NOW)


@pytest.mark.parametrize("file", sorted(WORKFLOWS.rglob("*.form")), ids=lambda file: file.stem)
def test_of_form__shipped(file):
    shipped = forms.parse_form(file.read_bytes(), file.name)

    found = samples.of_form(shipped, {}, {"outcome": ["granted"]}, now=NOW)

    assert found
    for sample in found:
        shipped.validate(sample, {}, now=NOW)


@given(st.from_regex(r"(\[[a-z0-9]{1,5}\]|\\d|\\w|\.|[a-z]|\([a-z]\|[0-9]\)|\[\^[a-z]\])((\{[1-3]\})|[*+?])?", fullmatch=True))
def test_example__is_found(pattern):
    assert patterns.found(patterns.compile_pattern(pattern), patterns.example(pattern))


# Coverage -----------------------------------------------------------------------------------------------------------------------------

NESTED = (
    start("s"),
    subprocess("sub", start("t"), user("work"), timer_boundary("late", on="work", duration="P1D"), end("done"), end("over"),
               flows("t -> work -> done", "late -> over")),
    end("e"),
    flows("s -> sub -> e"),
)  # fmt: skip


def test_coverage__nodes_and_flows_as_drawn():
    covered = Coverage(process=compiled(start("s"), user("a"), end("e"), end("f"), flows("s -> a -> e", "a -> f [${x}]")))

    covered.see("s")
    covered.see("a", "s-a")

    assert ([each.id for each in covered.nodes], [each.id for each in covered.flows]) == (["s", "a", "e", "f"], ["s-a", "a-e", "a-f"])
    assert [each.id for each in covered.missed] == ["e", "f", "a-e", "a-f"]
    assert covered.percent == 42


def test_coverage__only_all_of_it_is_all():
    covered = Coverage(process=compiled(*NESTED))
    covered.reached.update(each.id for each in covered.drawn[:-1])
    assert covered.percent < 100

    covered.reached.add(covered.drawn[-1].id)
    assert (covered.percent, covered.missed) == (100, [])


def test_coverage__flows_to_what_an_event_based_gateway_waits_for():
    waiting = element("eventBasedGateway", "g"), timer_catch("t", duration="P1D"), message_catch("m", message="x")
    covered = Coverage(process=compiled(start("s"), *waiting, end("e"), flows("s -> g -> t -> e", "g -> m -> e")))

    covered.see("m")

    assert {"m", "g-m"} <= covered.reached
    assert "g-t" not in covered.reached


# Drawings -----------------------------------------------------------------------------------------------------------------------------


def test_draw__what_was_reached_is_told_apart():
    content = (WORKFLOWS / "open-restaurant/open-restaurant.bpmn").read_bytes()

    svg = ET.fromstring(drawing.draw(content, "x.bpmn", known={"intake", "rate", "submitted_to_intake"}, reached={"intake"}))

    groups = {each.find(f"{SVG}title").text: each for each in svg.iter(f"{SVG}g")}
    assert groups["一窗受理 (intake)"].get("class") == "userTask reached"
    assert groups["好差评 (rate)"].get("class") == "userTask missed"
    assert groups["submitted_to_intake"].get("class") == "flow missed"
    assert groups["申报提交 (submitted)"].get("class") == "startEvent"
    assert "".join(text.text for text in groups["一窗受理 (intake)"].iter(f"{SVG}text")) == "一窗受理"


def test_draw__without_a_picture():
    assert drawing.draw(diagram(start("s"), end("e"), flows("s -> e")), "x.bpmn", known=set(), reached=set()) == ""


@pytest.mark.parametrize("file", sorted(WORKFLOWS.rglob("*.bpmn")), ids=lambda file: file.stem)
def test_draw__every_shape_and_edge_of_what_is_shipped(file):
    content = file.read_bytes()

    svg = ET.fromstring(drawing.draw(content, file.name, known=set(), reached=set()))

    assert len(list(svg.iter(f"{SVG}polyline"))) == content.count(b"<bpmndi:BPMNEdge ")
    assert len([each for each in svg.iter(f"{SVG}g") if "flow" not in each.get("class")]) == content.count(b"<bpmndi:BPMNShape ")
