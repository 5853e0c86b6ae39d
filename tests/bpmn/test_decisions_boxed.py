"""Boxed expressions, knowledge models, input data and item definitions: boxes mean what DMN 1.3 means by them."""

import contextlib
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn.errors import DocumentError, ExpressionError
from tests.bpmn.tables import decision, findings, read


def text(feel, kind=""):
    return f"<literalExpression{f' typeRef={kind!r}' if kind else ''}><text>{escape(feel)}</text></literalExpression>"


def entry(name, box, kind=""):
    variable = f"<variable name='{name}'{f' typeRef={kind!r}' if kind else ''}/>" if name else ""
    return f"<contextEntry>{variable}{box}</contextEntry>"


def context(*entries):
    return f"<context>{''.join(entries)}</context>"


def function(parameters, body, tag="functionDefinition", more=""):
    declared = "".join(f"<formalParameter name='{name.partition(':')[0]}' {_kind(name)}/>" for name in parameters)
    return f"<{tag} {more}>{declared}{body}</{tag}>"


def _kind(name):
    kind = name.partition(":")[2]
    return f"typeRef='{kind}'" if kind else ""


def model(key, parameters, body, *, requires=(), name="", more=""):
    needed = "".join(f"<knowledgeRequirement><requiredKnowledge href='#{each}'/></knowledgeRequirement>" for each in requires)
    logic = function(parameters, body, "encapsulatedLogic", more)
    return (
        f"<businessKnowledgeModel id='{key}' name='{name or key}'><variable name='{name or key}'/>{logic}{needed}</businessKnowledgeModel>"
    )


def box(key, body, *, knowledge=(), decisions=(), data=(), kind="", name=""):
    needed = "".join(f"<knowledgeRequirement><requiredKnowledge href='#{each}'/></knowledgeRequirement>" for each in knowledge)
    needed += "".join(f"<informationRequirement><requiredDecision href='#{each}'/></informationRequirement>" for each in decisions)
    needed += "".join(f"<informationRequirement><requiredInput href='#{each}'/></informationRequirement>" for each in data)
    variable = f"<variable name='{key}'{f' typeRef={kind!r}' if kind else ''}/>"
    return f"<decision id='{key}' name='{name or key}'>{variable}{needed}{body}</decision>"


def value(*parts, of="d", **variables):
    (row,) = read(*parts)[of].evaluate(variables)
    return row[of]


def invocation(called, **bindings):
    bound = "".join(f"<binding><parameter name='{name}'/>{text(feel)}</binding>" for name, feel in bindings.items())
    return f"<invocation>{text(called)}{bound}</invocation>"


def test_context__later_entries_see_earlier_ones():
    boxes = context(entry("area", text("length * width")), entry("fee per m²", text("2")), entry("", text("area * fee per m²")))

    assert value(box("d", boxes), length=3, width=4) == 24


def test_context__without_a_result_is_all_entries():
    assert value(box("d", context(entry("a", text("1")), entry("b", context(entry("c", text("a + 1")))))), a=9) == {"a": 1, "b": {"c": 2}}


def test_context__entries_hide_variables_and_are_not_read_from_outside():
    part = box("d", context(entry("a", text("other")), entry("", text("a"))))

    assert read(part)["d"].reads == {"other"}
    assert value(part, a=1, other=2) == 2


def test_context__holds_tables_and_functions():
    table = decision("t", ["n"], ["grade"], '< 3 => "low"', '>= 3 => "high"')
    table = table[table.index("<decisionTable") : table.index("</decision>")]
    boxes = context(
        entry("n", text("amount * 2")),
        entry("grade", table),
        entry("shout", function(["word"], text('word + "!"'))),
        entry("", text("shout(grade)")),
    )

    assert value(box("d", boxes), amount=1) == "low!"
    assert value(box("d", boxes), amount=2) == "high!"


def test_list_and_relation():
    grid = "<relation><column name='item'/><column name='days'/>"
    grid += f"<row>{text(chr(34) + 'food' + chr(34))}{text('5')}</row><row>{text('name')}{text('n + 1')}</row></relation>"

    assert value(box("d", f"<list>{text('n')}{text('n * 2')}</list>"), n=3) == [3, 6]
    assert value(box("d", grid), n=3, name="fire") == [{"item": "food", "days": 5}, {"item": "fire", "days": 4}]


def test_invocation__binds_parameters_by_name():
    parts = (model("m", ["a", "b"], text("a - b")), box("d", invocation("m", b="x", a="10"), knowledge=["m"]))

    assert value(*parts, x=3) == 7


@pytest.mark.parametrize("feel", ["area fee(area: 3, rate: n)", "area fee(3, n)"])
def test_knowledge_model__called_from_feel(feel):
    parts = (model("m", ["area", "rate"], text("area * rate"), name="area fee"), box("d", text(feel), knowledge=["m"]))

    assert value(*parts, n=4) == 12
    assert read(*parts)["d"].calls == set()
    assert read(*parts)["d"].reads == {"n"}


def test_knowledge_model__called_from_a_table():
    parts = (
        model("限额", ["地区"], text('if 地区 = "CS" then 300 else 200')),
        decision("d", ["area"], ["d"], "> 限额(city) => 限额(city)", "- => 0", policy="FIRST").replace(
            "<decisionTable", "<knowledgeRequirement><requiredKnowledge href='#限额'/></knowledgeRequirement><decisionTable"
        ),
    )

    assert value(*parts, area=301, city="CS") == 300
    assert value(*parts, area=250, city="CS") == 0


def test_knowledge_model__holds_a_table():
    table = decision("t", ["n:integer"], ["grade"], '< 3 => "low"', '>= 3 => "high"')
    table = table[table.index("<decisionTable") : table.index("</decision>")]
    parts = (model("m", ["n"], table), box("d", text('for i in 1..4 return m(i) + "?"'), knowledge=["m"]))

    assert value(*parts) == ["low?", "low?", "high?", "high?"]


def test_knowledge_model__requires_others_and_may_call_itself():
    parts = (
        model("double", ["x"], text("x * 2")),
        model("power", ["n"], text("if n = 0 then 1 else double(power(n - 1))"), requires=["double"]),
        box("d", text("power(10)"), knowledge=["power"]),
    )

    assert value(*parts) == 1024


def test_knowledge_model__that_never_ends_is_stopped():
    parts = (model("m", ["n"], text("m(n + 1)")), box("d", text("m(1)"), knowledge=["m"]))

    with pytest.raises(ExpressionError, match="at most 40 calls within one another, but m makes more"):
        value(*parts)


def test_knowledge_model__a_table_in_a_loop_within_a_loop_is_stopped_soon():
    table = decision("t", ["n"], ["x"], *[f"{n} => {n}" for n in range(200)])
    table = table[table.index("<decisionTable") : table.index("</decision>")]
    parts = (model("m", ["n"], table), box("d", text("for i in 1..9000, j in 1..9000 return m(i)"), knowledge=["m"]))

    with pytest.raises(ExpressionError, match="at most 1000000 steps"):
        value(*parts)


def test_knowledge_model__sees_no_variables():
    (found,) = findings(model("m", ["a"], text("a + secret")), box("d", text("m(1)"), knowledge=["m"]))

    assert found.rule == "unknown-name"
    assert "but it reads secret: make it a parameter" in found.message


def test_knowledge_model__parameters_have_types():
    parts = (model("m", ["n:integer"], text("n + 1")), box("d", text("m(x)"), knowledge=["m"]))

    assert value(*parts, x="4") == 5
    with pytest.raises(ExpressionError, match=r"Expected a text that is a number.*as n of m"):
        value(*parts, x="four")


def test_knowledge_model__says_what_must_be_supplied():
    parts = (
        model("inner", ["n"], text("workdays(n)")),
        model("m", ["n"], text("inner(n)"), requires=["inner"]),
        box("d", text("m(5)"), knowledge=["m"]),
    )

    found = read(*parts)["d"]

    assert found.calls == {"workdays"}
    assert found.evaluate({}, {"workdays": lambda days: f"+{days}"}) == [{"d": "+5"}]


def test_knowledge_model__is_known_only_where_it_is_required():
    parts = (model("m", ["n"], text("n")), box("d", text("m(1)")))

    with pytest.raises(ExpressionError, match="Expected a known function, but m is not one"):
        value(*parts)


def test_function__of_a_required_decision():
    parts = (box("f", function(["x"], text("x + 1"))), box("d", text("f(f(1))"), decisions=["f"]))

    assert value(*parts) == 3


def test_function__given_to_sort():
    parts = (model("later", ["a", "b"], text("a > b")), box("d", text("sort([1, 3, 2], later)"), knowledge=["later"]))

    assert value(*parts) == [3, 2, 1]


ITEMS = """
<itemDefinition name="tGrade"><typeRef>string</typeRef><allowedValues><text>"low", "high"</text></allowedValues></itemDefinition>
<itemDefinition name="tPerson">
  <itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="age"><typeRef>number</typeRef><allowedValues><text>[0..150]</text></allowedValues></itemComponent>
  <itemComponent name="grades" isCollection="true"><typeRef>tGrade</typeRef></itemComponent>
</itemDefinition>
<itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>
<itemDefinition name="tRule"><functionItem outputTypeRef="number"><parameters name="x" typeRef="number"/></functionItem></itemDefinition>
"""
PERSON = {"name": "张三", "age": 20, "grades": ["low"]}
DATA = "<inputData id='i' name='applicant'><variable name='applicant' typeRef='{}'/></inputData>"


def test_input_data__of_a_declared_type():
    parts = (ITEMS, DATA.format("tPerson"), box("d", text("applicant.age + 1"), data=["i"]))

    assert value(*parts, applicant=PERSON) == 21
    assert value(*parts, applicant=PERSON | {"age": "20"}) == 21
    assert value(*parts, applicant=None) is None
    assert value(*parts) is None


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (
            "tGrade",
            "middling",
            r'input data \'applicant\': Expected one of "low", "high", but it is a text \(middling\), for the type tGrade',
        ),
        ("tPerson", "张三", "Expected a context with name, age, grades"),
        ("tPerson", PERSON | {"age": 151}, r"Expected one of \[0..150\], but it is a number \(151\), for the type age, as age"),
        ("tPerson", PERSON | {"grades": ["low", "top"]}, "Expected one of .* as grades"),
        ("tPeople", [PERSON, {"age": -1}], "as age"),
        ("integer", "x", "a text that is a number"),
        ("tRule", 1, "Expected a function"),
    ],
)
def test_input_data__of_another_type(kind, given, message):
    parts = (ITEMS, DATA.format(kind), box("d", text("applicant"), data=["i"]))

    with pytest.raises(ExpressionError, match=message):
        value(*parts, applicant=given)


def test_item_definitions__single_values_are_lists_of_one():
    assert value(ITEMS, DATA.format("tPeople"), box("d", text("count(applicant)"), data=["i"]), applicant=PERSON) == 1


def test_item_definitions__of_columns_and_results():
    table = decision("d", ["grade:tGrade"], ["x:tGrade"], '"low" => next')

    assert read(ITEMS, table)["d"].evaluate({"grade": "low", "next": "high"}) == [{"x": "high"}]
    with pytest.raises(ExpressionError, match=r"rule 1 .*output 'x': Expected one of"):
        read(ITEMS, table)["d"].evaluate({"grade": "low", "next": "top"})
    with pytest.raises(ExpressionError, match="input 'grade': Expected one of"):
        read(ITEMS, table)["d"].evaluate({"grade": "top"})
    with pytest.raises(ExpressionError, match="for the type tGrade"):
        value(ITEMS, box("d", text("word"), kind="tGrade"), word="top")
    typed = decision("d", ["a"], ["x"], "- => a").replace("<decisionTable", "<variable name='d' typeRef='tGrade'/><decisionTable")
    with pytest.raises(ExpressionError, match="the result 'd': Expected one of"):
        read(ITEMS, typed)["d"].evaluate({"a": "top"})


def test_item_definitions__are_types_of_feel():
    feel = "[p instance of tPerson, p.grades[1] instance of tGrade, 1 instance of tGrade, [p] instance of list<tPerson>]"

    assert value(ITEMS, box("d", text(feel)), p=PERSON) == [True, True, False, True]
    assert value(ITEMS, box("d", text("(function(g: tGrade) g)(word)")), word="low") == "low"


OK = box("d", text("1"))


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ((model("m", [], text("1 +")), OK), "bad-expression"),
        ((model("m", ["a:tNone"], text("a")), OK), "unsupported-type"),
        ((model("m", ["a"], text("a"), more="kind='Java'"), OK), "unsupported-language"),
        ((model("m", ["a"], ""), OK), "missing-logic"),
        ((model("sum", ["a"], text("a")), OK), "bad-name"),
        ((model("m", ["a"], text("n(a)"), requires=["n"]), model("n", ["a"], text("m(a)"), requires=["m"]), OK), "decision-cycle"),
        ((model("m", ["a"], text("a"), requires=["n"]), OK), "missing-decision"),
        ((box("d", text("1"), knowledge=["m"]),), "missing-decision"),
        ((box("d", text("1"), data=["i"]),), "missing-decision"),
        ((box("d", "<invocation/>"),), "missing-logic"),
        ((box("d", "<list><literalExpression><text>)</text></literalExpression></list>"),), "bad-expression"),
        ((box("d", "<relation><column name='a'/><row/></relation>"),), "cells"),
        ((box("d", context(entry("a", ""))),), "missing-logic"),
        ((box("d", context(entry("a", text("1"), kind="tNone"))),), "unsupported-type"),
        ((box("d", function(["x"], text("x"), more="kind='PMML'")),), "unsupported-language"),
        (("<itemDefinition name='a'><typeRef>b</typeRef></itemDefinition>", OK), "unsupported-type"),
        (("<itemDefinition name='a'><typeRef>a</typeRef></itemDefinition>", OK), "type-cycle"),
        (
            ("<itemDefinition name='a'><typeRef>string</typeRef><allowedValues><text>(</text></allowedValues></itemDefinition>", OK),
            "bad-expression",
        ),
    ],
)
def test_parse__refused(parts, rule):
    assert rule in {finding.rule for finding in findings(*parts)}


def test_parse__boxes_within_boxes_without_end():
    deep = text("1")
    for _ in range(200):
        deep = f"<list>{deep}</list>"

    assert findings(box("d", deep))


def test_evaluate__error_names_the_box():
    with pytest.raises(ExpressionError, match=r"Decision d \(d\), the decision: entry b: Expected two values"):
        value(box("d", context(entry("a", text("1")), entry("b", text('a + "x"')))))


CELLS = st.sampled_from(
    ["1", "a", "m(a)", "-", "null", '"x"', "< 3", "a + 1", "[1, 2]", "function(x) x", "1 +", "", "a.b", "for i in 1..3 return a"]
)
TAGS = st.sampled_from(
    ["list", "context", "relation", "invocation", "functionDefinition", "decisionTable", "contextEntry", "row", "binding", "rule"]
)
PARTS = st.sampled_from(
    [
        "<column name='a'/>",
        "<formalParameter name='a' typeRef='number'/>",
        "<variable name='a'/>",
        "<parameter name='a'/>",
        "<input><inputExpression><text>a</text></inputExpression></input>",
        "<output name='o'/>",
        "<inputEntry><text>&lt; 3</text></inputEntry>",
        "<outputEntry><text>a</text></outputEntry>",
    ]
)
BOXES = st.recursive(
    CELLS.map(text) | PARTS,
    lambda inner: st.tuples(TAGS, st.lists(inner, max_size=5)).map(lambda drawn: f"<{drawn[0]}>{''.join(drawn[1])}</{drawn[0]}>"),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(BOXES, BOXES, st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=3))
def test_parse__any_boxes(body, other, a):
    """Whatever stands in the boxes: findings, or a decision that comes to something or says why not."""
    with contextlib.suppress(DocumentError, ExpressionError):
        read(model("m", ["a"], other), box("d", body, knowledge=["m"]))["d"].evaluate({"a": a})
