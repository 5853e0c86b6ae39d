"""Decisions: what a table says is what comes of it, and what cannot be told is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import decisions, xml
from bpmn.errors import DocumentError, ExpressionError
from tests.bpmn.tables import DMN13, decision, findings, only, read
from tests.effort import calls

SEASON = (["season", "guests:integer"], ["dish:string", "cost:double"])
RULES = ('"winter" | <= 8 => "roast" | 12.5', '"winter" | > 8 => "stew" | 7', 'not("winter") | - => "salad" | guests * 2')


@pytest.mark.parametrize(
    ("variables", "row"),
    [
        ({"season": "winter", "guests": 8}, {"dish": "roast", "cost": 12.5}),
        ({"season": "winter", "guests": "9"}, {"dish": "stew", "cost": 7}),
        ({"season": "summer", "guests": 3}, {"dish": "salad", "cost": 6}),
        ({"season": "summer"}, {"dish": "salad", "cost": None}),
    ],
)
def test_evaluate__unique(variables, row):
    table = only(*SEASON, *RULES)

    assert table.evaluate(variables) == [row]


def test_evaluate__no_rule_hits():
    table = only(["a"], ["x"], "1 => 2")

    assert table.evaluate({"a": 3}) == []


def test_evaluate__unknown_variable_is_null():
    assert only(["nowhere"], ["x"], "null => 1").evaluate({}) == [{"x": 1}]


def test_evaluate__unique_overlaps():
    table = only(["a"], ["x"], "< 5 => 1", "> 1 => 2", name="限额")

    with pytest.raises(ExpressionError, match=r"Decision 限额 \(d\), .*UNIQUE.*rule 1 \(d_1\), rule 2 \(d_2\)"):
        table.evaluate({"a": 3})


def test_evaluate__any():
    table = only(["a"], ["x"], "< 5 => 1", "> 1 => 1.0", "3 => 2", policy="ANY")

    assert table.evaluate({"a": 2}) == [{"x": 1}]
    with pytest.raises(ExpressionError, match=r"ANY.*rule 1 \(d_1\), rule 2 \(d_2\), rule 3 \(d_3\)"):
        table.evaluate({"a": 3})


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("FIRST", ["low"]),
        ("PRIORITY", ["high"]),
        ("RULE ORDER", ["low", "mid", "high"]),
        ("OUTPUT ORDER", ["high", "mid", "low"]),
        ("COLLECT", ["low", "mid", "high"]),
    ],
)
def test_evaluate__hit_policies(policy, expected):
    table = only(["a"], ['risk = "high", "mid", "low"'], '- => "low"', '> 1 => "mid"', '> 2 => "high"', '> 9 => "low"', policy=policy)

    assert [row["risk"] for row in table.evaluate({"a": 3})] == expected


@pytest.mark.parametrize("policy", ["PRIORITY", "OUTPUT ORDER", "UNIQUE", "COLLECT"])
def test_evaluate__output_that_is_none_of_the_output_values(policy):
    table = only(["a"], ['risk = "high", "low"'], "- => a", policy=policy)

    assert table.evaluate({"a": "low"}) == [{"risk": "low"}]
    with pytest.raises(
        ExpressionError, match=r"rule 1 \(d_1\), output 'risk': Expected one of the output values, but it is a text \(middling\)"
    ):
        table.evaluate({"a": "middling"})


def test_evaluate__priority_of_an_empty_cell_is_the_lowest():
    table = only(["a"], ['risk = "high", "low"'], "- => ", '- => "low"', policy="OUTPUT ORDER")

    assert [row["risk"] for row in table.evaluate({"a": 1})] == ["low", None]


def test_evaluate__default_of_a_table_that_says_nothing():
    part = decision("d", ["a"], ["x:integer", "y"], "1 => 2 | 3").replace(
        '<output label="x" name="x" typeRef="integer">',
        '<output label="x" name="x" typeRef="integer"><defaultOutputEntry><text>7</text></defaultOutputEntry>',
    )

    assert read(part)["d"].evaluate({"a": 1}) == [{"x": 2, "y": 3}]
    assert read(part)["d"].evaluate({"a": 5}) == [{"x": 7, "y": None}]


def test_evaluate__input_values():
    part = decision("d", ["a:string"], ["x"], "- => 1").replace(
        "</inputExpression>", '</inputExpression><inputValues><text>"A", "B"</text></inputValues>'
    )

    assert read(part)["d"].evaluate({"a": "B"}) == [{"x": 1}]
    assert read(part)["d"].evaluate({"a": None}) == [{"x": 1}]
    with pytest.raises(ExpressionError, match=r'input \'a\': Expected one of the input values "A", "B", but it is a text \(C\)'):
        read(part)["d"].evaluate({"a": "C"})


@pytest.mark.parametrize(
    ("aggregation", "expected", "of_none"),
    [("SUM", 0.6, []), ("MIN", 0.1, []), ("MAX", 0.3, []), ("COUNT", 3, [{"x": 0}])],
)
def test_evaluate__aggregation(aggregation, expected, of_none):
    table = only(["a"], ["x"], "> 0 => 0.1", "> 0 => 0.2", "> 0 => 0.3", policy="COLLECT", more=f'aggregation="{aggregation}"')

    assert table.evaluate({"a": 1}) == [{"x": expected}]
    assert table.evaluate({"a": 0}) == of_none


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 5), ("MIN", 2), ("MAX", 3), ("COUNT", 2)])
def test_evaluate__aggregation_leaves_empty_cells_aside(aggregation, expected):
    table = only([], ["x"], "=> 2", "=> ", "=> 3", policy="COLLECT", more=f'aggregation="{aggregation}"')

    assert table.evaluate({}) == [{"x": expected}]


def test_evaluate__aggregation_of_null():
    table = only([], ["x"], "=> 2", "=> null", policy="COLLECT", more='aggregation="SUM"')

    with pytest.raises(ExpressionError, match="but it is null"):
        table.evaluate({})


def test_evaluate__aggregation_of_texts():
    table = only(["a"], ["x"], '- => "one"', policy="COLLECT", more='aggregation="SUM"')

    with pytest.raises(ExpressionError, match=r"Expected numbers to aggregate \(SUM\), but rule 1 \(d_1\) give"):
        table.evaluate({})


def test_evaluate__empty_cells():
    table = only(["a", "b"], ["x", "y"], " | - => 1 | ")

    assert table.evaluate({"a": 1, "b": 2}) == [{"x": 1, "y": None}]


def test_evaluate__single_output_without_name_takes_the_decisions():
    part = decision("days", ["a"], ["x"], "- => 3").replace('name="x"', "")

    assert read(part)["days"].evaluate({}) == [{"days": 3}]


def test_evaluate__literal_expression():
    part = '<decision id="fee" name="Fee"><variable name="amount" typeRef="double"/><literalExpression><text>area * 0.1</text></literalExpression></decision>'

    assert read(part)["fee"].evaluate({"area": 3}) == [{"amount": 0.3}]
    assert read(part)["fee"].reads == {"area"}


def test_evaluate__required_decisions():
    parts = (
        decision("threshold", ["region"], ["limit"], '"CS" => 300', 'not("CS") => 200', name="local threshold"),
        decision("address", [], ["hall", "floor"], '=> "A" | 2'),
        decision("kinds", ["area"], ["kind"], '> 0 => "food"', '> 250 => "fire"', policy="COLLECT"),
        decision(
            "all",
            ["area"],
            ["by_id", "by_name", "by_output", "context", "hall_of", "list", "as_list"],
            "> limit => threshold | local threshold | limit | address.floor | hall | count(kinds) | kind",
            requires=("threshold", "address", "kinds"),
        ),
    )

    row = read(*parts)["all"].evaluate({"region": "CS", "area": 301})

    expected = {"by_id": 300, "by_name": 300, "by_output": 300, "context": 2, "hall_of": "A", "list": 2, "as_list": ["food", "fire"]}
    assert row == [expected]


def test_evaluate__required_list_of_one_stays_a_list():
    parts = (
        decision("kinds", ["area"], ["kind"], '> 0 => "food"', policy="COLLECT"),
        decision("d", ['list contains(kinds, "food")'], ["x"], "true => 1", requires=("kinds",)),
    )

    assert read(*parts)["d"].evaluate({"area": 1}) == [{"x": 1}]


def test_evaluate__required_decision_that_says_nothing():
    parts = (decision("a", ["x"], ["y"], "1 => 2"), decision("b", ["a"], ["z"], "null => 3", requires=("a",)))

    assert read(*parts)["b"].evaluate({"x": 5}) == [{"z": 3}]


def test_evaluate__diamonds_are_decided_once():
    layers = [decision("n0", ["v"], ["o0"], "- => v"), decision("n1", ["v"], ["o1"], "- => n0", requires=("n0",))]
    layers += [decision(f"n{n}", ["v"], [f"o{n}"], f"- => n{n - 1}", requires=(f"n{n - 1}", f"n{n - 2}")) for n in range(2, 40)]

    assert read(*layers)["n39"].evaluate({"v": 7}) == [{"o39": 7}]


@pytest.mark.parametrize(
    ("kind", "given_value", "cell"),
    [
        ("integer", "12", "12"),
        ("long", 12.0, "12"),
        ("double", "1.5", "> 1.4"),
        ("number", 3, "3"),
        ("string", 3, '"3"'),
        ("string", True, '"true"'),
        ("boolean", "true", "true"),
        ("date", "2026-11-25", '> date("2026-01-01")'),
        ("date", "2026-11-25T08:00:00", '[date and time("2026-11-25T00:00:00")..date and time("2026-11-26T00:00:00"))'),
        ("dateTime", "2026-11-25", 'date and time("2026-11-25T00:00:00")'),
        ("time", "08:30", '< time("09:00")'),
        ("dayTimeDuration", "P2D", '> duration("P1D")'),
        ("years and months duration", "P1Y", 'duration("P12M")'),
        ("feel:string", "x", '"x"'),
        ("list", "x", "count(?) = 1"),
        ("context", {"a": 1}, "?.a = 1"),
        ("Any", [1], "list contains(?, 1)"),
        ("", "x", '"x"'),
    ],
)
def test_evaluate__typed_inputs(kind, given_value, cell):
    assert only([f"a:{kind}"], ["x"], f"{cell} => 1").evaluate({"a": given_value}) == [{"x": 1}]


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        ("integer", "twelve"),
        ("integer", 1.5),
        ("integer", True),
        ("double", [1]),
        ("boolean", "yes"),
        ("boolean", 1),
        ("string", [1]),
        ("date", "25.11.2026"),
        ("date", 5),
        ("time", 5),
        ("dayTimeDuration", "P1Y"),
        ("context", 1),
    ],
)
def test_evaluate__input_of_another_type(kind, given_value):
    table = only([f"a:{kind}"], ["x"], "- => 1")

    with pytest.raises(ExpressionError, match=r"Decision d \(d\), input 'a': Expected"):
        table.evaluate({"a": given_value})


def test_evaluate__cell_of_another_type_names_rule_and_column():
    table = only(["area"], ["x"], "null => 1", "< 100 => 2")

    with pytest.raises(ExpressionError, match=r"Decision d \(d\), rule 2 \(d_2\), input 'area': Expected two values of one kind"):
        table.evaluate({"area": "large"})


def test_evaluate__output_of_another_type_names_rule_and_column():
    table = only(["area"], ["days:integer"], "- => word")

    with pytest.raises(ExpressionError, match=r"Decision d \(d\), rule 1 \(d_1\), output 'days': Expected a text that is a number"):
        table.evaluate({"word": "soon"})


def test_evaluate__dates_leave_as_text():
    table = only(["a:date"], ["due:date"], '- => date(a) + duration("P1M")')

    assert table.evaluate({"a": "2026-01-31"}) == [{"due": "2026-02-28"}]


def test_evaluate__functions_of_the_caller():
    table = only(["a"], ["due"], "- => workdays(a)")

    assert table.calls == {"workdays"}
    assert table.evaluate({"a": 5}, {"workdays": lambda days: f"+{days}"}) == [{"due": "+5"}]


def test_evaluate__juel():
    part = decision("d", ["amount"], ["x"], "cellInput > 100 && status == 'open' => ${amount * 2}", "- => 0", policy="FIRST")
    part = part.replace("<inputExpression", '<inputExpression expressionLanguage="juel"').replace(
        "<inputEntry", '<inputEntry expressionLanguage="juel"'
    )
    part = part.replace("<outputEntry", '<outputEntry expressionLanguage="juel"')
    table = read(part)["d"]

    assert table.reads == {"amount", "status"}
    assert table.evaluate({"amount": 200, "status": "open"}) == [{"x": 400}]
    assert table.evaluate({"amount": 20, "status": "open"}) == [{"x": 0}]


def test_evaluate__input_variable_of_camunda():
    part = decision("d", ["amount"], ["x"], "cellInput * 2 > 100 => 1")

    assert read(part)["d"].evaluate({"amount": 60}) == [{"x": 1}]


@pytest.mark.parametrize(
    "namespace", [DMN13, "http://www.omg.org/spec/DMN/20180521/MODEL/", "http://www.omg.org/spec/DMN/20151101/dmn.xsd"]
)
def test_parse__versions(namespace):
    assert list(read(decision("d", ["a"], ["x"], "- => 1"), namespace=namespace)) == ["d"]


def test_parse__explains_all_that_is_wrong_at_once():
    found = findings(decision("d", ["1 +"], ["x:colour"], "< => 1", "1 => )", name="清单"), decision("e", [], ["x"], "=> 1", policy="LAST"))

    assert {finding.rule for finding in found} == {"bad-expression", "unsupported-type", "unsupported-attribute"}
    assert len([finding for finding in found if finding.rule == "bad-expression"]) == 3
    assert all(finding.line == 1 and finding.resource == "test.dmn" and finding.severity == "error" for finding in found)
    assert any("Decision 清单, rule 1 (d_1), input '1 +'" in finding.message for finding in found)


TABLE = decision("d", ["a"], ["x"], "- => 1")


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ('<decision id="d"/>', "missing-logic"),
        ("<decision name='x'/>", "missing-id"),
        ('<decision id="d"><context/></decision>', "missing-logic"),
        ('<decision id="d"><invocation/></decision>', "missing-logic"),
        ('<decision id="d"><conditional/></decision>', "unsupported-element"),
        ('<businessKnowledgeModel id="b"/>', "missing-logic"),
        ('<decisionService id="s"/>', "unsupported-element"),
        (decision("d", ["a"], ['risk = "high", "low"'], '- => "middling"'), "bad-expression"),
        ("<strange/>", "unsupported-element"),
        ('<decision id="d"><literalExpression/></decision>', "bad-expression"),
        (
            '<decision id="d"><literalExpression expressionLanguage="groovy"><text>1</text></literalExpression></decision>',
            "unsupported-language",
        ),
        ('<decision id="d"><decisionTable/></decision>', "missing-output"),
        (TABLE.replace("<text>a</text>", "<text/>"), "missing-input"),
        (TABLE.replace("<inputEntry><text>-</text></inputEntry>", ""), "cells"),
        (TABLE.replace('hitPolicy="UNIQUE"', 'aggregation="SUM"'), "aggregation"),
        (TABLE.replace('hitPolicy="UNIQUE"', 'hitPolicy="PRIORITY"'), "missing-output-values"),
        (decision("d", ["a"], ["x", "x"], "- => 1 | 2"), "output-names"),
        (decision("d", ["a"], ["days:integer"], '- => "soon"'), "bad-expression"),
        (decision("d", ["a"], ["x"], "- => 1 / 0"), "bad-expression"),
        (decision("d", ["a"], ["x"], "- => 1", requires=("e",)), "missing-decision"),
        (decision("d", ["a"], ["x"], "- => 1", requires=("d",)), "decision-cycle"),
        (TABLE.replace("</decision>", "<knowledgeRequirement/></decision>"), "missing-decision"),
        (
            TABLE
            + "<!-- -->"
            + "".join(decision(f"c{n}", ["a"], ["x"], "- => 1", requires=(f"c{n + 1}",) if n < 60 else ()) for n in range(61)),
            "decision-chain",
        ),
    ],
)
def test_parse__refused(part, rule):
    assert rule in {finding.rule for finding in findings(part)}


def test_parse__not_dmn():
    with pytest.raises(DocumentError, match="Expected DMN definitions"):
        decisions.parse(xml.parse(b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "x"))


def test_parse__what_modeler_adds_is_silent():
    extra = '<inputData id="i" name="i"/><knowledgeSource id="k"/><textAnnotation id="t"><text>note</text></textAnnotation><x:y xmlns:x="urn:x"/>'

    assert list(read(TABLE, extra)) == ["d"]


def test_parse__a_thousand_rules():
    """Eight times the rules are eight times the work."""
    small, large = (
        decision("d", ["a:integer", "b"], ["x"], *[f'{n} | "v{n}", "w" => {n}' for n in range(rules)], policy="COLLECT")
        for rules in (125, 1_000)
    )

    assert read(large)["d"].evaluate({"a": 999, "b": "w"}) == [{"x": 999}]
    assert calls(lambda: read(large)) < 10 * calls(lambda: read(small))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8), st.integers(0, 20))
def test_evaluate__collect_finds_exactly_the_ranges_around_a_value(ranges, value):
    table = only(["a"], ["x"], *[f"[{low}..{high}] => {n}" for n, (low, high) in enumerate(ranges)], policy="COLLECT")

    found = [row["x"] for row in table.evaluate({"a": value})]

    assert found == [n for n, (low, high) in enumerate(ranges) if low <= value <= high]
