"""Forms that calculate: FEEL in flags and limits, computed fields, the day, lists."""

import datetime as dt

import pytest

from bpmn.errors import FormError
from tests.bpmn.schemas import component, errors, findings, form


def test_validate__expressions_instead_of_flags_and_limits():
    shape = form(
        component("checkbox", "company"),
        component("number", "least"),
        component("textfield", "code", validate={"required": "=company", "minLength": "=least"}),
        component("number", "n", validate={"min": "=least", "max": "=least + limit"}),
        component("textfield", "fixed", readonly="=company"),
        component("filepicker", "files", multiple="=company"),
    )

    assert shape.validate({"company": False, "n": 5}, {"limit": 1})["n"] == 5
    assert shape.validate({"company": True, "code": "ab", "least": 2, "n": 3, "files": ["M1"]}, {"limit": 1})["files"] == ["M1"]
    assert "fixed" not in shape.validate({"company": True, "code": "ab"}, {})
    found = errors(shape, {"company": True, "code": "", "least": 4, "n": 6, "fixed": "new"}, {"limit": 1, "fixed": "old"})
    assert "to be filled in" in found["code"]
    assert "at most 5, but it is 6" in found["n"]
    assert "to stay as it is" in found["fixed"]
    assert "at least 4" in errors(shape, {"company": True, "code": "abc", "least": 4})["code"]
    assert shape.describe()["fields"][2]["required"] == "=company"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"validate": {"required": "=1"}}, "required of 字段 to come to true or false, but it is a number"),
        ({"readonly": '="no"'}, "readonly of 字段 to come to true or false, but it is a text"),
        ({"validate": {"minLength": "=true"}}, "min_length of 字段 to come to a number, but it is a boolean"),
        ({"validate": {"maxLength": '=1 + "a"'}}, "max_length of 字段 to come to a number, but Expected two values"),
    ],
)
def test_validate__expression_of_another_type(attributes, message):
    assert message in errors(form(component("textfield", **attributes)), {"x": "a"})["x"]


def test_validate__expression_fields_are_computed_by_the_server():
    shape = form(
        component("expression", "total", expression="=net + tax"),
        component("expression", "tax", expression="=net * rate"),
        component("number", "net"),
        component("expression", "secret", expression="=1", conditional={"hide": "=total < 1000"}),
        component("textfield", "reason", conditional={"hide": "=total < 100"}),
    )

    assert shape.validate({"net": 50, "total": 0}, {"rate": 0.1}) == {"total": 55, "tax": 5, "net": 50}
    assert shape.validate({"net": 100, "reason": "r"}, {"rate": 0.1})["reason"] == "r"
    assert "Expected to compute tax, but" in errors(shape, {"net": "x"}, {"rate": 0.1})["tax"]


def test_parse_form__expression_fields_that_go_round():
    found = findings(component("expression", "a", expression="=b"), component("expression", "b", expression="=a"))

    assert [finding.rule for finding in found] == ["self-reference"]


NOW = dt.datetime(2026, 11, 25, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.mark.parametrize(
    ("subtype", "value", "passed"),
    [
        ("date", "2026-11-24", True),
        ("date", "2026-11-25", False),
        ("datetime", "2026-11-24T23:59", True),
        ("datetime", "2026-11-25T00:00", False),
        ("datetime", "2026-11-24T15:59:59Z", True),
        ("datetime", "2026-11-24T16:00:00Z", False),
    ],
)
def test_validate__dates_that_have_passed(subtype, value, passed):
    shape = form(component("datetime", subtype=subtype, disallowPassedDates=True))

    assert shape.validate({"x": value}, {}) == {"x": value}
    if passed:
        with pytest.raises(FormError, match=r"Expected 字段 to be today \(2026-11-25\) or later, but it is"):
            shape.validate({"x": value}, {}, now=NOW)
    else:
        assert shape.validate({"x": value}, {}, now=NOW) == {"x": value}


def test_validate__expressions_know_the_day():
    shape = form(
        component("expression", "age", expression="=years and months duration(born, today()).years"), component("textfield", "born")
    )

    assert "Expected to compute age" in errors(shape, {"born": "2000-11-26"})["age"]
    dated = form(
        component("expression", "age", expression="=years and months duration(date(born), today()).years"), component("textfield", "born")
    )
    assert dated.validate({"born": "2000-11-26"}, {}, now=NOW)["age"] == 25
    assert dated.validate({"born": "2000-11-25"}, {}, now=NOW)["age"] == 26


def test_validate__list_whose_length_is_fixed():
    shape = form(
        {"type": "dynamiclist", "path": "l", "allowAddRemove": False, "defaultRepetitions": 2, "components": [component("number", "n")]}
    )

    assert shape.validate({"l": [{"n": 1}, {"n": 2}]}, {}) == {"l": [{"n": 1}, {"n": 2}]}
    assert "to have 2 entries, but it has 1" in errors(shape, {"l": [{}]})["l"]
    assert shape.validate({"l": [{}, {}, {}]}, {"l": [{}, {}, {}]})["l"]
    assert "to have 3 entries" in errors(shape, {"l": [{}, {}]}, {"l": [{}, {}, {}]})["l"]


def test_validate__conditions_in_a_list_see_the_entry_and_what_is_around():
    child = component("number", "n", conditional={"hide": "=this.kind = parent.skipped or i > 2"})
    shape = form(
        component("textfield", "skipped"), {"type": "dynamiclist", "path": "l", "components": [component("textfield", "kind"), child]}
    )

    found = shape.validate({"skipped": "a", "l": [{"kind": "a"}, {"kind": "b", "n": 1}, {"kind": "b"}]}, {})

    assert found["l"] == [{"kind": "a"}, {"kind": "b", "n": 1}, {"kind": "b"}]
