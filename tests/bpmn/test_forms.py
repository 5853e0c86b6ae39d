"""Forms: what a designer drew is what the server takes, and nothing else."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import forms, xml
from bpmn.errors import DocumentError, FormError
from bpmn.forms.component import TYPES as COMPONENTS
from bpmn.forms.reading import SILENT
from tests.bpmn.schemas import OPTIONS, component, errors, findings, form

CHOICES = [{"label": "受理", "value": "accept"}, {"label": "不予受理", "value": "refuse"}]


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (component("textfield"), "张三"),
        (component("textfield", validate={"minLength": 2, "maxLength": 3}), "abc"),
        (component("textfield", validate={"pattern": r"^\d{3}$"}), "123"),
        (component("textfield", validate={"validationType": "email"}), "li@example.cn"),
        (component("textfield", validate={"validationType": "phone"}), "+86 138 0013 8000"),
        (component("textfield", properties={"onething.format": "id_number"}), "11010519491231002X"),
        (component("textfield", properties={"onething.format": "credit_code"}), "91350100M0001TGQXM"),
        (component("textfield", properties={"onething.format": "phone"}), "13800138000"),
        (component("textarea"), "one\ntwo\tthree"),
        (component("number"), 1.5),
        (component("number", decimalDigits=0), -3),
        (component("number", decimalDigits=2, validate={"min": 0, "max": "10"}), 9.99),
        (component("checkbox"), True),
        (component("checkbox"), False),
        (component("radio", **OPTIONS), "a"),
        (component("select", values=[{"label": "1", "value": 1}]), 1),
        (component("checklist", **OPTIONS), ["b", "a"]),
        (component("taglist", **OPTIONS), []),
        (component("number", serializeToString=True), "12345678901234.50"),
        (component("filepicker"), "M-2026.1"),
        (component("filepicker", multiple=True), ["M1", "M2"]),
        (component("datetime", subtype="date"), "2026-11-25"),
        (component("datetime", subtype="time"), "08:30Z"),
        (component("datetime", subtype="datetime"), "2026-11-25T08:30"),
    ],
)
def test_validate__fits(shape, value):
    assert form(shape).validate({"x": value}, {}) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("id_number", "11010519491231002x", "11010519491231002X"),
        ("id_number", " １１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("credit_code", "91350100m0001tgqxm", "91350100M0001TGQXM"),
        ("phone", "１３８００１３８０００ ", "13800138000"),
    ],
)
def test_validate__number_as_somebody_types_it(kind, typed, kept):
    shape = form(component("textfield", validate={"maxLength": 18}, properties={"onething.format": kind}))

    assert shape.validate({"x": typed}, {}) == {"x": kept}


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        (component("textfield"), 1, "to be text, but it is a number"),
        (component("textfield"), "a\nb", "one line of text"),
        (component("textfield"), "a\x00", "control characters"),
        (component("textarea"), "a\x00", "control characters"),
        (component("textfield"), "a" * 1_001, "at most 1000 characters, but it has 1001"),
        (component("textfield", validate={"maxLength": 2}), "abc", "at most 2 characters"),
        (component("textfield", validate={"minLength": 2}), "a", "at least 2 characters"),
        (component("textfield", validate={"pattern": r"^\d+$"}), "12a", "to match the pattern"),
        (component("textfield", validate={"pattern": r"^\d+$"}), "１２", "to match the pattern"),
        (component("textfield", validate={"validationType": "email"}), "li@", "an e-mail address"),
        (component("textfield", validate={"validationType": "phone"}), "110", "a telephone number"),
        (component("textfield", properties={"onething.format": "id_number"}), "110105194912310021", "identity number, but its check"),
        (component("textfield", properties={"onething.format": "credit_code"}), "9135", "a credit code, but"),
        (component("number"), "1", "to be a number, but it is text"),
        (component("number"), True, "to be a number, but it is true or false"),
        (component("number"), float("nan"), "at most 15 digits"),
        (component("number"), 1e300, "at most 15 digits"),
        (component("number"), 2**60, "at most 15 digits"),
        (component("number", decimalDigits=0), 1.5, "a whole number"),
        (component("number", decimalDigits=1), 1.55, "at most 1 digits after the point"),
        (component("number", validate={"min": 3}), 2, "at least 3, but it is 2"),
        (component("number", validate={"max": 3}), 4, "at most 3, but it is 4"),
        (component("checkbox"), "true", "true or false, but it is text"),
        (component("radio", **OPTIONS), "c", "one of 'a', 'b', but it is 'c'"),
        (component("select", values=[{"label": "1", "value": 1}]), True, "one of 1"),
        (component("checklist", **OPTIONS), "a", "a list of options"),
        (component("checklist", **OPTIONS), ["a", "c"], "'c' is none of them"),
        (component("checklist", **OPTIONS), ["a", "a"], "stands twice"),
        (component("number", serializeToString=True), 5, "a number written as text, but it is 5"),
        (component("number", serializeToString=True), "1e5", "a number written as text"),
        (component("number", serializeToString=True, validate={"max": 3}), "3.5", "at most 3, but it is 3.5"),
        (component("number", serializeToString=True, decimalDigits=1), "3.55", "at most 1 digits"),
        (component("filepicker"), ["M1"], "a material that was handed in"),
        (component("filepicker"), "../x", "a material that was handed in"),
        (component("filepicker", multiple=True), "M1", "a list of materials"),
        (component("filepicker", multiple=True), ["M1", 2], "a material that was handed in, but it is 2"),
        (component("datetime", subtype="date"), "25.11.2026", "such as 2026-11-25"),
        (component("datetime", subtype="date"), "2026-02-30", "such as 2026-11-25"),
        (component("datetime", subtype="date"), 5, "such as 2026-11-25"),
        (component("datetime", subtype="time"), "25:00", "such as 08:30"),
        (component("datetime", subtype="datetime"), "2026-11-25", "such as 2026-11-25T08:30"),
    ],
)
def test_validate__does_not_fit(shape, value, message):
    found = errors(form(shape), {"x": value})

    assert list(found) == ["x"]
    assert found["x"].startswith("Expected 字段 ")
    assert message in found["x"]


def test_validate__empty_fields_have_their_empty_value():
    shape = form(
        component("textfield", "text"),
        component("textarea", "area"),
        component("number", "number"),
        component("checkbox", "box"),
        component("radio", "radio", **OPTIONS),
        component("checklist", "list", **OPTIONS),
        component("datetime", "date"),
        component("textfield", "default", defaultValue="d"),
    )

    clean = shape.validate({"text": "", "area": None}, {})

    assert clean == {"text": None, "area": None, "number": None, "box": False, "radio": None, "list": [], "date": None, "default": "d"}


@pytest.mark.parametrize(
    ("shape", "empties"),
    [
        (component("textfield", validate={"required": True}), [None, ""]),
        (component("number", validate={"required": True}), [None]),
        (component("checkbox", validate={"required": True}), [None, False]),
        (component("radio", validate={"required": True}, **OPTIONS), [None, ""]),
        (component("checklist", validate={"required": True}, **OPTIONS), [None, []]),
    ],
)
def test_validate__required(shape, empties):
    for data in [{}, *({"x": value} for value in empties)]:
        assert "to be filled in, but it is empty" in errors(form(shape), data)["x"]


def test_validate__unknown_fields_and_all_errors_at_once():
    found = errors(form(component("number"), component("checkbox", "y")), {"x": "1", "y": 2, "admin": True, "__class__": 1})

    assert set(found) == {"x", "y", "admin", "__class__"}
    assert "none of them" in found["admin"]


def test_validate__hidden_fields_are_absent():
    shape = form(
        component("radio", "outcome", values=CHOICES, validate={"required": True}),
        component("textarea", "reason", label="理由", validate={"required": True}, conditional={"hide": '=outcome != "refuse"'}),
    )

    assert shape.validate({"outcome": "accept"}, {}) == {"outcome": "accept"}
    assert shape.validate({"outcome": "accept", "reason": None}, {}) == {"outcome": "accept"}
    assert shape.validate({"outcome": "refuse", "reason": "r"}, {}) == {"outcome": "refuse", "reason": "r"}
    assert "Expected 理由 to be filled in" in errors(shape, {"outcome": "refuse"})["reason"]
    assert "Expected 理由 to be absent" in errors(shape, {"outcome": "accept", "reason": "r"})["reason"]


def test_validate__conditions_see_the_form_before_the_variables():
    shape = form(component("textfield", "outcome"), component("textfield", "reason", conditional={"hide": "=outcome = null and kind = 1"}))

    assert shape.validate({}, {"outcome": "stale", "kind": 1}) == {"outcome": None}
    assert shape.validate({}, {"kind": 2}) == {"outcome": None, "reason": None}


def test_validate__condition_that_fails_is_told():
    shape = form(component("number", "n"), component("textfield", conditional={"hide": "=n < 3"}))

    assert "two values of one kind" in errors(shape, {"n": "text"})["x"]


def test_validate__one_key_for_two_fields_that_exclude_each_other():
    shape = form(
        component("checkbox", "who"),
        component("textfield", "id", properties={"onething.format": "id_number"}, conditional={"hide": "=who"}),
        component("textfield", "id", properties={"onething.format": "credit_code"}, conditional={"hide": "=not(who)"}),
    )

    assert shape.validate({"who": False, "id": "11010519491231002X"}, {})["id"] == "11010519491231002X"
    assert shape.validate({"who": True, "id": "91350100M000100Y43"}, {})["id"] == "91350100M000100Y43"
    assert "credit code" in errors(shape, {"who": True, "id": "11010519491231002X!"})["id"]


@pytest.mark.parametrize("attribute", ["readonly", "disabled"])
def test_validate__readonly(attribute):
    shape = form(component("textfield", **{attribute: True}), component("textfield", "y", conditional={"hide": '=x = "v"'}))

    assert shape.validate({}, {"x": "v"}) == {}
    assert shape.validate({"x": "v"}, {"x": "v"}) == {}
    assert "to stay as it is" in errors(shape, {"x": "w"}, {"x": "v"})["x"]


def test_validate__options_from_variables():
    by_key = form(component("select", valuesKey="halls"))
    by_expression = form(component("checklist", valuesExpression="=for h in halls return {value: h.value, label: h.label}"))
    halls = {"halls": [{"value": "A", "label": "一号"}, {"value": "B", "label": "二号"}]}

    assert by_key.validate({"x": "B"}, halls) == {"x": "B"}
    assert by_key.validate({"x": "C"}, {"halls": ["C"]}) == {"x": "C"}
    assert by_expression.validate({"x": ["A"]}, halls) == {"x": ["A"]}
    assert "one of 'A', 'B'" in errors(by_key, {"x": "C"}, halls)["x"]
    assert "no options" in errors(by_key, {"x": "A"})["x"]


def test_validate__default_is_nobodys_to_change():
    shape = form(component("checklist", defaultValue=["a"], **OPTIONS))

    shape.validate({}, {})["x"].append("b")

    assert shape.validate({}, {}) == {"x": ["a"]}


def test_validate__groups_and_lists():
    child = component("textfield", "name", label="姓名", validate={"required": True})
    shape = form(
        {"type": "group", "label": "flat", "components": [component("number", "n")], "conditional": {"hide": "=who"}},
        {"type": "group", "label": "地址", "path": "address", "components": [component("textfield", "street")]},
        {"type": "dynamiclist", "label": "子女", "path": "children", "components": [child, component("checkbox", "twin")]},
        component("checkbox", "who"),
    )

    data = {"n": 1, "address": {"street": "s"}, "children": [{"name": "a"}, {"name": "b", "twin": True}]}
    assert shape.validate(data, {}) == {**data, "children": [{"name": "a", "twin": False}, {"name": "b", "twin": True}], "who": False}
    assert shape.validate({"who": True}, {}) == {"address": None, "children": [], "who": True}
    found = errors(shape, {"who": True, "n": 1, "address": {"town": 1}, "children": [{"name": "a"}, {}, 5]})
    assert set(found) == {"n", "address.town", "children[2].name", "children[3]"}
    assert "a list" in errors(shape, {"children": {"name": "a"}})["children"]
    assert "at most 200" in errors(shape, {"children": [{}] * 201})["children"]


def test_validate__pattern_that_takes_long_refuses_long_text():
    shape = form(component("textfield", validate={"pattern": "^.*a.*b$", "maxLength": 100_000}))

    assert shape.validate({"x": "xaxb"}, {}) == {"x": "xaxb"}
    assert "too long" in errors(shape, {"x": "a" * 50_000})["x"]


def test_describe__json():
    shape = form(
        component("textfield", description="说明", validate={"required": True, "pattern": "a"}, properties={"onething.format": "phone"}),
        component("radio", "r", label="", defaultValue="a", conditional={"hide": "=n > 1"}, **OPTIONS),
        {"type": "dynamiclist", "label": "l", "path": "list", "components": [component("number", "n")]},
    )

    described = json.loads(json.dumps(shape.describe()))

    assert described["key"] == "f"
    assert described["fields"][0] == {
        "key": "x",
        "label": "字段",
        "type": "text",
        "required": True,
        "description": "说明",
        "pattern": "a",
        "format": "phone",
    }
    assert described["fields"][1]["options"] == [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]
    assert described["fields"][1] | {"label": "r", "default": "a", "hide": ["=n > 1"]} == described["fields"][1]
    assert described["fields"][2]["fields"][0]["key"] == "n"


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        (component("signature"), "unsupported-component"),
        (component("expression"), "bad-expression"),
        (component("expression", expression="x + 1"), "bad-expression"),
        (component("expression", expression="=x + 1"), "self-reference"),
        (component("textfield", conditional={"hide": "=x = null"}), "self-reference"),
        (component("textfield", conditional={"hide": "=workdays(5) > 1"}), "unknown-function"),
        (component("filepicker", multiple="yes"), "unsupported-attribute"),
        (component("datetime", disallowPassedDates="=x"), "unsupported-attribute"),
        (component("textfield", validate={"required": "=1 +"}), "bad-expression"),
        (
            {"type": "dynamiclist", "path": "l", "allowAddRemove": False, "defaultRepetitions": -1, "components": []},
            "unsupported-attribute",
        ),
        (component(None), "unsupported-component"),
        (component(["textfield"]), "unsupported-component"),
        (component("textfield", ""), "bad-key"),
        (component("textfield", "a.b"), "bad-key"),
        (component("textfield", None), "bad-key"),
        ({"type": "dynamiclist", "components": []}, "bad-key"),
        (component("textfield", validate={"minItems": 1}), "unsupported-validation"),
        (component("textfield", validate=[]) | {"validate": "x"}, "unsupported-validation"),
        (component("textfield", validate={"pattern": "("}), "bad-pattern"),
        (component("textfield", validate={"pattern": "(a+)+$"}), "bad-pattern"),
        (component("textfield", validate={"minLength": -1}), "unsupported-attribute"),
        (component("textfield", validate={"minLength": "x"}), "unsupported-attribute"),
        (component("textfield", validate={"minLength": 3, "maxLength": 2}), "bad-bounds"),
        (component("number", validate={"min": 3, "max": 2}), "bad-bounds"),
        (component("textfield", validate={"validationType": "iban"}), "unsupported-attribute"),
        (component("textfield", properties={"onething.format": "passport"}), "unsupported-attribute"),
        (component("number", properties={"onething.format": "phone"}), "unsupported-attribute"),
        (component("textfield", readonly="x"), "unsupported-attribute"),
        (component("textfield", disabled="=x"), "unsupported-attribute"),
        (component("number", defaultValue="x"), "bad-default"),
        (component("radio", defaultValue="c", **OPTIONS), "bad-default"),
        (component("radio"), "missing-options"),
        (component("radio", values=[{"label": "no value"}]), "bad-options"),
        (component("datetime", subtype="month"), "unsupported-attribute"),
        (component("textfield", conditional={"hide": "=1 +"}), "bad-expression"),
        (component("textfield", conditional={"hide": "${x}"}), "bad-expression"),
        (component("select", valuesExpression="halls"), "bad-expression"),
        ("text", "bad-component"),
    ],
)
def test_parse_form__refused(shape, rule):
    found = findings(shape)

    assert rule in {finding.rule for finding in found}
    assert all(finding.resource == "f.form" and finding.severity == "error" for finding in found)


def test_parse_form__explains_all_that_is_wrong_at_once():
    found = findings(
        component("signature", "a"), component("textfield", "b", validate={"pattern": "("}), component("textfield", "b"), id=""
    )

    assert [(finding.rule, finding.element) for finding in found] == [
        ("missing-id", ""),
        ("unsupported-component", "a"),
        ("bad-pattern", "b"),
        ("double-key", "b"),
    ]


def test_parse_form__what_only_shows_is_silent():
    shown = [{"type": kind} for kind in ("text", "html", "spacer", "separator", "button", "image", "iframe", "table", "documentPreview")]

    assert form(*shown).fields == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"id": NaN}',
        b"[" * 100_000,
        b" " * 1_000_001,
        b'{"id": "f"}',
        b'{"id": "f", "components": {}}',
    ],
    ids=range(11),
)
def test_parse_form__malformed(content):
    with pytest.raises(DocumentError):
        forms.parse_form(content, "f.form")


def test_parse_form__other_encodings():
    content = '{"id": "f", "components": []}'

    assert forms.parse_form(content.encode("utf-16"), "f.form").key == "f"
    assert forms.parse_form(content.encode("utf-8-sig"), "f.form").key == "f"


def test_parse_form__nested_too_deep():
    inner = component("textfield")
    for _ in range(12):
        inner = {"type": "group", "components": [inner]}

    assert {finding.rule for finding in findings(inner)} == {"too-large"}


GENERATED = """
<formData xmlns="http://camunda.org/schema/1.0/bpmn">
  <formField id="name" label="姓名" type="string"><validation><constraint name="required"/><constraint name="maxlength" config="4"/></validation></formField>
  <formField id="age" label="年龄" type="long" defaultValue="18"><validation><constraint name="min" config="0"/></validation></formField>
  <formField id="agreed" type="boolean"><validation><constraint name="required"/></validation></formField>
  <formField id="born" type="date"/>
  <formField id="kind" type="enum" defaultValue="a"><value id="a" name="甲"/><value id="b" name="乙"/></formField>
  <formField id="no" type="string"><properties><property id="onething.format" value="phone"/></properties>
    <validation><constraint name="readonly"/></validation></formField>
</formData>
"""


def generated(text):
    return forms.parse_form_data(xml.parse(text.encode(), "x.bpmn"), "x.bpmn")


def test_parse_form_data__fields_of_camunda_7():
    shape = generated(GENERATED)

    assert shape.validate({"name": "张三", "born": "2026-11-25"}, {}) == {
        "name": "张三",
        "age": 18,
        "agreed": False,
        "born": "2026-11-25",
        "kind": "a",
    }
    assert set(errors(shape, {"name": "12345", "age": 1.5, "kind": "c", "no": "1"}, {"no": "2"})) == {"name", "age", "kind", "no"}
    assert set(errors(shape, {"age": -1})) == {"name", "age"}


@pytest.mark.parametrize(
    "field",
    [
        '<formField id="a" type="money"/>',
        '<formField type="string"/>',
        '<formField id="a" type="enum"/>',
        '<formField id="a" type="long" defaultValue="x"/>',
        '<formField id="a" type="string"><validation><constraint name="validator" config="com.example.V"/></validation></formField>',
        '<formField id="a" type="string"/><formField id="a" type="long"/>',
    ],
)
def test_parse_form_data__refused(field):
    with pytest.raises(DocumentError):
        generated(f'<formData xmlns="http://camunda.org/schema/1.0/bpmn">{field}</formData>')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "name", "z"]), inner, max_size=3),
    max_leaves=6,
)
EVERY_TYPE = form(
    component("textfield", "a", validate={"pattern": "^[a-z]*x?$"}, properties={"onething.format": "phone"}),
    component("textarea", "b"),
    component("number", "c", decimalDigits=2),
    component("checkbox", "d"),
    component("radio", "e", **OPTIONS),
    component("checklist", "f", **OPTIONS),
    component("datetime", "g", subtype="datetime"),
    component("datetime", "h", subtype="time", conditional={"hide": "=c > 3 or d"}),
    component("select", "i", valuesKey="x"),
    component("filepicker", "k", multiple="=d"),
    component("expression", "l", expression="=c + 1"),
    component("number", "m", serializeToString=True, validate={"min": "=c", "required": "=x"}),
    {
        "type": "dynamiclist",
        "path": "j",
        "components": [component("textfield", "name"), component("number", "x", conditional={"hide": "=name = b"})],
    },
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefghijklm"), JSON), st.dictionaries(st.sampled_from("abcx"), JSON))
def test_validate__any_data(data, variables):
    with contextlib.suppress(FormError):
        clean = EVERY_TYPE.validate(data, variables)

        assert EVERY_TYPE.validate(clean, variables) == clean


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "type",
                "key",
                "values",
                "validate",
                "conditional",
                "defaultValue",
                "components",
                "path",
                "subtype",
                "readonly",
                "expression",
                "multiple",
            ]
        ),
        JSON,
    )
)
def test_parse_form__any_component(shape):
    content = json.dumps({"id": "f", "components": [component("textfield") | shape]}).encode()

    with contextlib.suppress(DocumentError):
        assert forms.parse_form(content, "f.form").key == "f"


def test_reference__components():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "forms.md").read_text(encoding="utf-8")
    listed = page.partition("## Components")[2].partition("## ")[0]

    rows = [re.findall(r"`(\w+)`", cell) for cell in re.findall(r"^\| (`[^|]+) \|", listed, re.MULTILINE)]

    assert {name for row in rows for name in row} == {*COMPONENTS, *SILENT, "group", "dynamiclist"}
